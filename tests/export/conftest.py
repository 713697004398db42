import keras
import numpy as np
import pytest

import hashnet_tf as hn

SIZE = (16, 20)


def tiny_hashnet(bits, seed, zero=False):
    """Returns a HashNet on one convolution; `zero` makes every z 0."""
    keras.utils.set_random_seed(seed)
    images = keras.Input((*SIZE, 3), name="images")
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(images)
    x = keras.layers.Conv2D(8, 3, strides=2)(x)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.ReLU()(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = hn.HashNet(keras.Model(images, x), bits=bits)
    kernel, bias = model.hash_layer.get_weights()
    if zero:
        kernel = np.zeros_like(kernel)
    else:
        # A bias that balances the bits, which a random ReLU net lacks.
        features = model.backbone.predict_on_batch(tiny_images(64, seed))
        bias = -(features @ kernel).mean(axis=0)
    model.hash_layer.set_weights([kernel, bias])
    return model


def tiny_images(n, seed):
    """Returns uint8 images `[n, *SIZE, 3]`, each with a tint of its own."""
    rng = np.random.default_rng(seed)
    tint = rng.integers(0, 192, (n, 1, 1, 3))
    noise = rng.integers(0, 64, (n, *SIZE, 3))
    return (tint + noise).astype(np.uint8)


@pytest.fixture(scope="session")
def models():
    """HashNets by name: "other" is "12" with other weights."""
    return {
        "12": tiny_hashnet(12, seed=0),
        "48": tiny_hashnet(48, seed=0),
        "zero": tiny_hashnet(12, seed=0, zero=True),
        "other": tiny_hashnet(12, seed=1),
    }


@pytest.fixture(scope="session")
def images():
    # More than one batch, and not a multiple of one.
    return tiny_images(70, seed=2)


@pytest.fixture(scope="session")
def saved_models(models, tmp_path_factory):
    """Path of the SavedModel of each model but "other"."""
    folder = tmp_path_factory.mktemp("saved_models")
    return {
        name: hn.export.to_saved_model(models[name], folder / name)
        for name in ("12", "48", "zero")
    }


@pytest.fixture(scope="session")
def litert_files(models, tmp_path_factory):
    """Path of the LiteRT file of each model but "other"."""
    folder = tmp_path_factory.mktemp("litert")
    return {
        name: hn.export.to_litert(models[name], folder / f"{name}.tflite")
        for name in ("12", "48", "zero")
    }
