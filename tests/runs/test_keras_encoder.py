import numpy as np

import hashnet_tf as hn
from hashnet_tf.runs.encoders import KerasEncoder, as_encoder


def test_is_the_model(measured, queries):
    model = measured.model()
    encoder = KerasEncoder(model)
    assert (encoder.bits, encoder.image_size) == (model.bits, (8, 8))
    assert encoder.model_digest == hn.models.weights_digest(model)
    pixels = hn.datasets.pixel_array(queries, (8, 8))
    np.testing.assert_array_equal(encoder.encode(pixels), model.encode(pixels))


def test_an_encoder_stays_as_it_is(measured):
    encoder = as_encoder(measured.model())
    assert isinstance(encoder, KerasEncoder)
    assert as_encoder(encoder) is encoder
