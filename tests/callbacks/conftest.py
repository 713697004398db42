import warnings

import keras
import numpy as np
import pytest

import hashnet_tf as hn


class Recorder(keras.callbacks.Callback):
    """Notes beta, in the logs and in the model, after each batch."""

    def __init__(self):
        super().__init__()
        self.steps, self.betas, self.logged = [], [], []

    def on_train_batch_end(self, batch, logs=None):
        self.steps.append(int(self.model.optimizer.iterations.numpy()))
        self.betas.append(beta_of(self.model))
        self.logged.append(logs["beta"])


class Killed(Exception):
    pass


class Kill(keras.callbacks.Callback):
    """Stops the process, as it were, after a number of batches."""

    def __init__(self, after):
        super().__init__()
        self.after = after

    def on_train_batch_end(self, batch, logs=None):
        self.after -= 1
        if self.after == 0:
            raise Killed


def beta_of(model):
    (layer,) = [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, hn.layers.ScaledTanh)
    ]
    return float(layer.beta.numpy())


@pytest.fixture(autouse=True)
def keras_variables_in_numpy():
    """Keras' variables lack NumPy 2's `copy` argument where they are saved."""
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "__array__ implementation", DeprecationWarning
        )
        yield


@pytest.fixture
def recorder():
    return Recorder


@pytest.fixture
def kill():
    return Kill


@pytest.fixture
def killed():
    return Killed


@pytest.fixture
def features():
    """Features `[24, 5]` and class ids `[24]` that they tell roughly."""
    rng = np.random.default_rng(0)
    ids = np.arange(24) % 3
    x = rng.normal(size=(24, 5)) + 2 * np.eye(5)[ids]
    return x.astype("float32"), ids


@pytest.fixture
def head():
    """Makes a HashNet `[n, 5]` -> `[n, bits]` with the same weights always."""

    def make(bits=6, run_eagerly=True):
        keras.utils.set_random_seed(0)
        inputs = keras.Input((5,))
        outputs = keras.layers.Dense(7, activation="relu")(inputs)
        model = hn.HashNet(keras.Model(inputs, outputs), bits)
        model.hash_layer.kernel.assign(
            np.random.default_rng(1).normal(size=(7, bits))
        )
        model.compile(
            keras.optimizers.SGD(0.05, momentum=0.9),
            hn.losses.WeightedPairwiseLoss(),
            # To trace and compile takes longer than these tests train.
            run_eagerly=run_eagerly,
            jit_compile=False,
        )
        return model

    return make
