import argparse
import dataclasses
import pickle
import re
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.base import BaseEstimator

import hashnet_tf as hn
from hashnet_tf.methods import DEEP_METHODS, METHODS, USUAL, Method
from hashnet_tf.models.training_models import TrainingModel
from hashnet_tf.reproduction import Cell, Row, run_cell
from hashnet_tf.reproduction.paper import chosen_methods
from hashnet_tf.reproduction.table_files import markdown
from hashnet_tf.runs.networks import (
    build_loss,
    build_optimizer,
    build_schedule,
    build_training_model,
)
from hashnet_tf.tools.train import add_settings

DEEP = list(DEEP_METHODS)
IDS = np.arange(60) % 3
MANY = (np.random.default_rng(0).random((60, 4)) < 0.4).astype("int64")
UNKNOWN = np.where(np.random.default_rng(1).random((60, 4)) < 0.1, -1, MANY)


@pytest.mark.parametrize("name", METHODS)
def test_an_entry_says_what_there_is(name):
    method = METHODS[name]
    assert method.name == name == method.title.lower()
    assert re.search(r", ([A-Z]\w+ )?20\d\d$", method.reference)
    learner = method.resolve()
    if method.is_deep:
        assert issubclass(learner, keras.losses.Loss)
        fields = {f.name for f in dataclasses.fields(hn.runs.TrainingConfig)}
        assert set(method.fixes) | set(method.unread) <= fields
        assert set(method.fixes) <= set(USUAL)
        # None may be given where it is not read.
        assert not set(method.takes) & set(method.unread)
        for tried in method.tries:
            hn.runs.TrainingConfig(data="digits", method=name, **tried)
    else:
        assert issubclass(learner, BaseEstimator)
        assert method.network is None and not method.fixes
        assert not method.takes
    with pytest.raises(dataclasses.FrozenInstanceError):
        method.name = "other"
    # As a cell of a table, which goes to another process.
    assert pickle.loads(pickle.dumps(method)) == method


def test_deep_methods_are_those_of_the_moment(monkeypatch):
    assert DEEP[0] == "hashnet"
    assert len(DEEP_METHODS) == len(DEEP) == 13
    shallow = [name for name in METHODS if name not in DEEP_METHODS]
    assert shallow == (
        "sdh ksh itq-cca itq pca bre sh lsh floats sign pq rabitq".split()
    )
    # Taken out of a copy: put back, it would stand last for the tests to come.
    others = {name: m for name, m in METHODS.items() if name != "dhn"}
    monkeypatch.setattr(hn.methods, "METHODS", others)
    assert "dhn" not in DEEP_METHODS and len(DEEP_METHODS) == 12


def test_it_loads_no_keras():
    code = (
        "import sys, hashnet_tf.methods, hashnet_tf.runs.config;"
        "sys.exit('keras' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def hashnet(hidden=None):
    keras.utils.set_random_seed(0)
    outputs = inputs = keras.Input((10,))
    if hidden:
        outputs = keras.layers.Dense(hidden, activation="relu")(inputs)
    return hn.HashNet(keras.Model(inputs, outputs), bits=12)


# One on each kind of model and of each kind of loss; the others take long.
QUICK = ("hashnet", "hashnet-r", "dch", "csq", "greedyhash")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in QUICK else pytest.mark.slow)
        for name in DEEP
    ],
)
def test_trains_a_hashnet_on_what_is_known(name, config_of):
    config, labels = config_of(method=name, learning_rate=0.05), UNKNOWN
    x = np.random.default_rng(2).normal(size=(60, 10)).astype("float32")
    x[:, :4] += 2 * MANY
    net = hashnet(16)
    model = build_training_model(config, net, labels)
    assert model is net or isinstance(model, TrainingModel)
    before = net.hash_layer.get_weights()[0].copy()
    optimizer = build_optimizer(config, 4)
    loss = build_loss(config, labels)
    model.compile(optimizer, loss, run_eagerly=True)
    schedule = build_schedule(config, 4)
    history = model.fit(
        x,
        labels,
        batch_size=30,
        epochs=2,
        verbose=0,
        callbacks=[hn.callbacks.Continuation(schedule)],
    ).history
    assert np.isfinite(history["loss"]).all()
    assert (net.hash_layer.get_weights()[0] != before).any()
    assert net.encode(x).shape == (60, 2)
    if METHODS[name].fixes.get("beta") == 1.0:
        assert float(net.scaled_tanh.beta.value) == 1.0
        assert history["loss"][-1] < history["loss"][0]
    else:
        # Of the last of the four steps.
        assert float(net.scaled_tanh.beta.value) == pytest.approx(schedule(3))
        assert schedule(3) > 8


@pytest.mark.slow
@pytest.mark.parametrize("name", DEEP)
def test_batches_of_unknown_and_of_changing_size(name, config_of):
    # The last of 22 is smaller than the others: 8, 8, 6.
    config, labels = config_of(method=name), UNKNOWN[:22]
    x = np.random.default_rng(0).normal(size=(22, 10)).astype("float32")
    model = build_training_model(config, hashnet(), labels)
    loss = build_loss(config, labels)
    model.compile("sgd", loss, jit_compile=False)
    data = tf.data.Dataset.from_tensor_slices((x, labels)).batch(8)
    assert data.element_spec[1].shape.as_list() == [None, 4]
    value = model.evaluate(data, verbose=0)
    outputs = model.predict(x, verbose=0)
    losses = [
        float(loss(labels[start : start + 8], outputs[start : start + 8]))
        for start in (0, 8, 16)
    ]
    expected = np.average(losses, weights=[8, 8, 6])
    assert value == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["cnnh", "csq", "orthohash"])
def test_the_seed_decides_what_is_drawn(name, config_of):
    # Centres of 12 bits are drawn; those of 16 would be Hadamard's.
    configs = [
        build_loss(config_of(method=name, seed=seed), IDS).get_config()
        for seed in (0, 0, 1)
    ]
    assert configs[0] == configs[1] != configs[2]


@pytest.mark.parametrize("name", DEEP[5:])
@pytest.mark.parametrize(
    "labels, received",
    [
        (None, "labels.shape=None"),
        (np.full(5, -1), "0 classes on 5 images"),
        (np.full(5, 3), "1 classes on 5 images"),
        (np.array([[0, 1], [0, 1]]), "1 classes on 2 images"),
    ],
    ids=["none", "unknown", "one id", "one column"],
)
def test_a_rival_refuses_labels_that_tell_nothing_apart(
    name, labels, received, config_of
):
    with pytest.raises(ValueError, match=f"Received: {received}"):
        build_loss(config_of(method=name), labels)


@pytest.mark.parametrize("name", ["csq", "orthohash"])
def test_refuses_more_classes_than_codes(name, config_of):
    with pytest.raises(ValueError, match="Received: classes=5, bits=2"):
        build_loss(config_of(method=name, bits=2), np.arange(5))


TOY = '''
import keras
from hashnet_tf.losses import ClassLoss


@keras.saving.register_keras_serializable(package="toy")
class ToyLoss(ClassLoss):
    """Draws bit c of an image of class c to 1 and its other bits to -1."""

    @classmethod
    def for_labels(cls, labels, bits, seed=0):
        return cls(10, bits, "toy", "sum_over_batch_size")

    def images(self, membership, outputs):
        goal = 2 * membership - 1
        return keras.ops.mean((outputs[:, :10] - goal) ** 2, axis=1)
'''


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A method of one file and one line."""
    (tmp_path / "toy_method.py").write_text(TOY)
    monkeypatch.syspath_prepend(tmp_path)
    line = Method(
        "toy",
        "Toy",
        "By hand, 2026",
        "deep",
        "toy_method:ToyLoss",
        fixes={"beta": 1.0},
    )
    monkeypatch.setitem(METHODS, "toy", line)
    yield "toy"
    sys.modules.pop("toy_method")


@pytest.mark.slow
def test_a_toy_is_a_file_and_a_line(toy, config_of, tmp_path):
    parser = argparse.ArgumentParser(prog="toy")
    add_settings(parser)
    assert re.search(r"--method \{[^}]*,toy\}", parser.format_help())
    assert parser.parse_args(["--method=toy"]).method == "toy"
    (method,) = chosen_methods(1, [toy])
    cell = Cell.of(tmp_path / "out", config_of(epochs=4), toy, 12, seed=0)
    run_cell(cell, tmp_path / "shared")
    text = markdown([Row(method, 12, {0: cell.result()})], "By hand")
    assert "| Toy | 0." in text
    run = hn.runs.Run(cell.folder)
    assert run.config.method == "toy" and run.config.is_rival
    losses = [row["loss"] for row in hn.runs.read_records(run.records_path)[1:]]
    assert losses[-1] < losses[0]
    assert run.report["retrieval"]["map"] > 0.1
    assert run.model.encode(np.zeros((1, 8, 8, 3))).shape == (1, 2)
