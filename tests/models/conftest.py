import subprocess
import sys
import warnings

import keras
import numpy as np
import pytest

import hashnet_tf as hn


@pytest.fixture(autouse=True)
def quiet_array_copies():
    # Keras 3.15 turns variables into arrays by a protocol that NumPy 2 warns
    # of, each time that it saves a model.
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "__array__ implementation", DeprecationWarning
        )
        yield


@pytest.fixture(scope="session")
def loaded_apart():
    """Function that loads a file in a new process, after some imports.

    It returns the words that are printed of `model`.
    """

    def load(imports, path, told):
        program = (
            f"import sys; {imports};"
            "model = keras.saving.load_model(sys.argv[1]);"
            f"print({told})"
        )
        return subprocess.run(
            [sys.executable, "-c", program, str(path)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()

    return load


@pytest.fixture(scope="session")
def images():
    """uint8 images `[21, 12, 12, 3]`, each of a tint of its own."""
    rng = np.random.default_rng(0)
    tint = rng.integers(0, 192, (21, 1, 1, 3))
    noise = rng.integers(0, 64, (21, 12, 12, 3))
    return (tint + noise).astype("uint8")


@pytest.fixture
def standardise():
    """Gives every z of a HashNet mean 0 and deviation 1 on some inputs.

    From N(0, 0.01) on a random network most bits are the same for all images,
    and all of tanh is its straight part.
    """

    def change(model, inputs):
        kernel = model.hash_layer.kernel.numpy()
        # Not by `predict`, which traces a function for each model.
        features = np.asarray(model.backbone(inputs, training=False))
        z = features.astype("float32") @ kernel
        model.hash_layer.set_weights(
            [kernel / z.std(axis=0), -z.mean(axis=0) / z.std(axis=0)]
        )
        return model

    return change


@pytest.fixture
def hashnet(images, standardise):
    """Makes a HashNet on a small convolution, or on `backbone`."""

    def make(bits=12, backbone=None, **arguments):
        keras.utils.set_random_seed(bits)
        if backbone is None:
            inputs = keras.Input((12, 12, 3))
            x = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(inputs)
            x = keras.layers.Conv2D(8, 3, strides=2)(x)
            x = keras.layers.BatchNormalization()(x)
            x = keras.layers.ReLU()(x)
            x = keras.layers.GlobalAveragePooling2D()(x)
            backbone = keras.Model(inputs, x)
        return standardise(hn.HashNet(backbone, bits, **arguments), images)

    return make
