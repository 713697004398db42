import keras
import numpy as np
import pytest
import tensorflow as tf

import hashnet_tf as hn
from hashnet_tf.export.freeze import (
    description,
    exact_bits,
    frozen_archive,
    frozen_z,
    trained_size,
)
from hashnet_tf.models import weights_digest


@pytest.mark.parametrize("bits", [1, 7, 8, 12, 48])
def test_exact_bits(bits):
    z = np.random.default_rng(bits).normal(size=(20, bits)).astype("float32")
    z[0] = 0.0
    z[1] = -0.0
    z[2] = np.nan
    outputs = tf.function(exact_bits)(z)
    np.testing.assert_array_equal(outputs["codes"], np.packbits(z >= 0, axis=1))
    np.testing.assert_array_equal(outputs["signs"], np.where(z >= 0, 1, -1))
    assert outputs["codes"].dtype == tf.uint8
    assert outputs["signs"].dtype == tf.int8


def test_frozen_z_is_the_models_in_inference_mode(models, images):
    np.testing.assert_allclose(
        frozen_z(models["12"], tf.constant(images)),
        models["12"].logits(images, training=False),
        atol=1e-6,
    )


def test_frozen_z_refuses_another_size(models):
    with pytest.raises(tf.errors.InvalidArgumentError):
        frozen_z(models["12"], tf.zeros([2, 20, 16, 3], tf.uint8))


def test_trained_size(models):
    assert trained_size(models["12"]) == (16, 20)


def head_on(shape):
    inputs = keras.Input(shape)
    x = keras.layers.Dense(4)(inputs)
    if len(shape) == 3:
        x = keras.layers.GlobalAveragePooling2D()(x)
    return hn.HashNet(keras.Model(inputs, x), bits=12)


@pytest.mark.parametrize("shape", [(9,), (None, None, 3), (16, 16, 1)])
def test_the_trained_size_is_of_images(shape):
    with pytest.raises(ValueError, match=r"input_shape=\(None, "):
        trained_size(head_on(shape))


def test_refuses_another_model():
    with pytest.raises(ValueError, match="Received: model=<Sequential"):
        frozen_archive(keras.Sequential())


def test_refuses_another_backend(models, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ValueError, match="KERAS_BACKEND=tensorflow"):
        frozen_archive(models["12"])


def test_tells_what_the_encoder_is(models):
    told = description(models["12"])
    assert told.pop("preprocessing")["channels"] == "RGB"
    assert told == {
        "bits": 12,
        "bit_order": "big",
        "image_size": [16, 20],
        "framing": "whole",
        "model_digest": weights_digest(models["12"]),
        "versions": {
            "hashnet_tf": hn.__version__,
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
        },
    }


@pytest.mark.parametrize("framing", ["paper", "modern"])
def test_the_description_tells_the_framing(framing, models):
    model = hn.HashNet(models["12"].backbone, 12, framing=framing)
    model.hash_layer.set_weights(models["12"].hash_layer.get_weights())
    told, other = description(model), description(models["12"])
    assert told["framing"] == framing
    assert told["preprocessing"] != other["preprocessing"]
    # The same weights give a file other bits.
    assert told["model_digest"] != other["model_digest"]
