import dataclasses
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

import hashnet_tf as hn
from hashnet_tf.methods import METHODS

NAMES = [
    "hashnet",
    "hashnet+c",
    "hashnet-w",
    "hashnet-sgn",
    "dhn",
    "dnnh",
    "cnnh",
    "dpsh",
    "greedyhash",
    "csq",
    "orthohash",
]
IDS = np.arange(60) % 3
MANY = (np.random.default_rng(0).random((60, 4)) < 0.4).astype("int64")
UNKNOWN = np.where(np.random.default_rng(1).random((60, 4)) < 0.1, -1, MANY)


def test_names():
    assert list(METHODS) == NAMES
    for name, method in METHODS.items():
        assert method.name == name
        assert re.search(
            r", 20[0-9][0-9]$|[A-Z]+ 20[0-9][0-9]$", method.reference
        )
        with pytest.raises(dataclasses.FrozenInstanceError):
            method.name = "other"


@pytest.mark.parametrize("name", NAMES)
def test_trains_a_hashnet_on_what_is_known(name):
    method, labels = METHODS[name], UNKNOWN
    x = np.random.default_rng(2).normal(size=(60, 10)).astype("float32")
    x[:, :4] += 2 * MANY
    keras.utils.set_random_seed(0)
    inputs = keras.Input((10,))
    hidden = keras.layers.Dense(16, activation="relu")(inputs)
    hashnet = hn.HashNet(keras.Model(inputs, hidden), bits=12)
    model = method.training_model(hashnet, labels)
    loss = method.build_loss(12, labels, seed=0)
    before = hashnet.hash_layer.get_weights()[0].copy()
    model.compile(keras.optimizers.Adam(0.02), loss, run_eagerly=True)
    callbacks = []
    if method.continuation:
        schedule = hn.schedules.StagedBeta([2.0, 4.0], steps_per_stage=3)
        callbacks.append(hn.callbacks.Continuation(schedule))
    history = model.fit(
        x, labels, batch_size=30, epochs=4, verbose=0, callbacks=callbacks
    ).history
    assert np.isfinite(history["loss"]).all()
    assert (hashnet.hash_layer.get_weights()[0] != before).any()
    beta = float(hashnet.scaled_tanh.beta.value)
    assert beta == (4.0 if method.continuation else 1.0)
    assert hashnet.encode(x).shape == (60, 2)
    if not method.continuation:
        assert history["loss"][-1] < history["loss"][0]


@pytest.mark.parametrize("name", NAMES)
def test_batches_of_unknown_and_of_changing_size(name):
    # The last of 22 is smaller than the others: 8, 8, 6.
    method, labels = METHODS[name], UNKNOWN[:22]
    x = np.random.default_rng(0).normal(size=(22, 10)).astype("float32")
    inputs = keras.Input((10,))
    hashnet = hn.HashNet(keras.Model(inputs, inputs), bits=12)
    model = method.training_model(hashnet, labels)
    loss = method.build_loss(12, labels, seed=0)
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


def test_the_variants_of_hashnet():
    configs = {
        name: METHODS[name].build_loss(8, IDS, 0).get_config()
        for name in NAMES[:4]
    }
    whole = configs["hashnet"]
    assert configs["hashnet-sgn"] == whole
    assert configs["hashnet+c"] == {**whole, "similarity": "jaccard"}
    assert configs["hashnet-w"] == {**whole, "class_weights": None}
    assert not METHODS["hashnet-sgn"].continuation


@pytest.mark.parametrize("name", ["cnnh", "csq", "orthohash"])
def test_the_seed_decides_what_is_drawn(name):
    # Centres of 12 bits are drawn; those of 16 would be Hadamard's.
    build = METHODS[name].build_loss
    configs = [build(12, IDS, seed).get_config() for seed in (0, 0, 1)]
    assert configs[0] == configs[1] != configs[2]


@pytest.mark.parametrize("name", NAMES)
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
def test_refuses_labels_that_tell_nothing_apart(name, labels, received):
    with pytest.raises(ValueError, match=f"Received: {received}"):
        METHODS[name].build_loss(16, labels, 0)


@pytest.mark.parametrize("name", ["csq", "orthohash"])
def test_refuses_more_classes_than_codes(name):
    with pytest.raises(ValueError, match="Received: classes=5, bits=2"):
        METHODS[name].build_loss(2, np.arange(5), 0)
