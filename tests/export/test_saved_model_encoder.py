import numpy as np
import pytest
import tensorflow as tf

import hashnet_tf as hn
from hashnet_tf.models import weights_digest


@pytest.mark.parametrize("name", ["12", "48", "zero"])
@pytest.mark.parametrize("n", [0, 1, 32, 70])
def test_encodes_any_number_of_images(name, n, models, saved_models, images):
    encoder = hn.export.SavedModelEncoder(saved_models[name])
    codes = encoder.encode(images[:n])
    assert codes.dtype == np.uint8
    np.testing.assert_array_equal(codes, models[name].encode(images[:n]))


def test_tells_what_it_is(models, saved_models):
    encoder = hn.export.SavedModelEncoder(str(saved_models["48"]))
    assert encoder.bits == 48
    assert encoder.image_size == (16, 20)
    assert encoder.model_digest == weights_digest(models["48"])
    assert encoder.description["bit_order"] == "big"
    assert {"serving_default", "encode_images", "encode_bytes", "embed"} < set(
        encoder.signatures
    )


@pytest.mark.parametrize(
    "wrong, message",
    [
        (np.zeros((2, 20, 20, 3), np.uint8), r"images.shape=\(2, 20, 20, 3\)"),
        (np.zeros((2, 16, 20, 3)), "images.dtype=float64"),
    ],
)
def test_refuses_other_images(wrong, message, saved_models):
    encoder = hn.export.SavedModelEncoder(saved_models["12"])
    with pytest.raises(ValueError, match=message):
        encoder.encode(wrong)


def test_refuses_another_saved_model(tmp_path):
    module = tf.Module()
    module.double = tf.function(lambda x: 2 * x, [tf.TensorSpec([1])])
    tf.saved_model.save(module, str(tmp_path))
    with pytest.raises(ValueError, match=f"Received: {tmp_path}$"):
        hn.export.SavedModelEncoder(tmp_path)


def test_refuses_the_folder_of_all_versions(saved_models):
    with pytest.raises(ValueError, match="holds assets.extra/hashnet.json"):
        hn.export.SavedModelEncoder(saved_models["12"].parent)
