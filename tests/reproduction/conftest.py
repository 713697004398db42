import importlib

import keras
import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf.models import backbones
from hashnet_tf.reproduction import SYSTEMS, Result, Row, figures
from hashnet_tf.retrieval import evaluate, pack


def tiny(image_shape):
    """A backbone that compiles in no time: "tiny"."""
    images = keras.Input(image_shape, name="images")
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(images)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(16, activation="relu")(x)
    return keras.Model(images, x, name="tiny")


@pytest.fixture(scope="session", autouse=True)
def tiny_by_name():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(backbones.OWN, "tiny", tiny)
        yield


@pytest.fixture(scope="session", autouse=True)
def in_this_process():
    """Spares the start of a process for each cell; list of what was called."""
    called = []

    def call(work, *arguments):
        called.append((work, *arguments))
        return work(*arguments)

    # The package gives the function of this name, not the module.
    module = importlib.import_module("hashnet_tf.reproduction.reproduce")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "in_own_process", call)
        yield called


@pytest.fixture(scope="session", autouse=True)
def few_points():
    """Spares the t-SNE of a thousand codes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "POINTS", 60)
        yield


@pytest.fixture(scope="session")
def base_of():
    """Makes the settings of cells that take seconds, on 200 digits."""

    def make(**settings):
        small = {
            "data": "digits",
            "backbone": "tiny",
            "image_size": 8,
            "train_per_class": 20,
            "batch_size": 50,
            "epochs": 1,
            "learning_rate": 1e-3,
        }
        return hn.runs.TrainingConfig(**{**small, **settings})

    return make


@pytest.fixture(scope="session")
def weights_file(tmp_path_factory):
    """File of weights of "tiny" on images of 8 pixels a side."""
    network = tiny((8, 8, 3))
    rng = np.random.default_rng(5)
    for weight in network.weights:
        weight.assign(rng.normal(size=weight.shape))
    path = tmp_path_factory.mktemp("weights") / "tiny.weights.h5"
    network.save_weights(path)
    return str(path)


@pytest.fixture(scope="session")
def result_of():
    """Makes the result of codes by chance, another for each seed."""

    def make(seed, bits=16, seconds=1.5, peak_memory_mb=100.0):
        rng = np.random.default_rng(seed)
        labels = rng.integers(0, 3, 120)
        codes = pack(rng.normal(size=(120, bits)))
        report = evaluate(codes[:20], codes, labels[:20], labels, bits, at=50)
        return Result(
            f"Drawn by hand; seed {seed}.",
            {"train": 9, "query": 20, "database": 120},
            "pixels",
            report,
            seconds,
            peak_memory_mb,
        )

    return make


@pytest.fixture(scope="session")
def row_of(result_of):
    """Makes a row of two seeds."""

    def make(method, bits=16, paper=None, seeds=(0, 1)):
        results = {seed: result_of(seed, bits) for seed in seeds}
        return Row(SYSTEMS[method], bits, results, paper)

    return make
