import json
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from hashnet_tf.layers import ScaledTanh
from hashnet_tf.losses import GivenPairsLoss, WeightedPairwiseLoss

CLASS_WEIGHTS = ["batch", (3.0, 0.5), None]
SIMILARITIES = {
    "all three": [1, 0, 0, -1, 1, 0, -1, 1],
    "all known": [1, 0, 0, 1, 0, 0, 0, 1],
    "similar": [1] * 8,
    "dissimilar": [0] * 8,
    "unknown": [-1] * 8,
}


def codes(n=8, bits=6):
    z = np.random.default_rng(bits).normal(size=(n, 2, bits))
    return np.tanh(2 * z).astype("float32")


def by_loop(slow, s, g, alpha, class_weights):
    pairs = [
        (row, *g[row], int(known), 1.0)
        for row, known in enumerate(np.ravel(s))
        if known >= 0
    ]
    return slow.rows(len(g), pairs, alpha, class_weights)


@pytest.mark.parametrize("name", SIMILARITIES)
@pytest.mark.parametrize("class_weights", CLASS_WEIGHTS)
@pytest.mark.parametrize("alpha", [None, 0.7])
def test_equation_4(slow, name, class_weights, alpha):
    s, g = np.array(SIMILARITIES[name]), codes()
    rows = by_loop(slow, s, g, alpha or 5 / 6, class_weights)
    loss = GivenPairsLoss(alpha, class_weights)
    found = loss.call(s, ops.convert_to_tensor(g))
    np.testing.assert_allclose(found, rows, rtol=2e-6, atol=1e-7)
    for y in (s, s[:, None], s.astype("float32")):
        np.testing.assert_allclose(loss(y, g), rows.mean(), rtol=2e-6)


@pytest.mark.parametrize("class_weights", CLASS_WEIGHTS)
@pytest.mark.parametrize("labels", ["ids", "rows"])
def test_is_the_loss_of_the_labels_over_the_same_pairs(class_weights, labels):
    rng = np.random.default_rng(0)
    if labels == "ids":
        y = rng.integers(-1, 3, 10)
        similar = y[:, None] == y
        known = (y[:, None] >= 0) & (y >= 0)
    else:
        y = (rng.random((10, 4)) < 0.3).astype("int64")
        similar = y @ y.T > 0
        known = np.ones((10, 10), bool)
    g = np.tanh(rng.normal(size=(10, 12))).astype("float32")
    i, j = np.nonzero(~np.eye(10, dtype=bool))
    s = np.where(known, similar, -1)[i, j]
    assert {0, 1} <= set(s)
    pairs = np.stack([g[i], g[j]], axis=1)
    np.testing.assert_allclose(
        GivenPairsLoss(None, class_weights)(s, pairs),
        WeightedPairwiseLoss(None, class_weights)(y, g),
        rtol=2e-6,
    )


@pytest.mark.parametrize("name", SIMILARITIES)
@pytest.mark.parametrize("class_weights", CLASS_WEIGHTS)
def test_gradient(slow, name, class_weights):
    s, g = np.array(SIMILARITIES[name]), codes(bits=4)
    expected = slow.gradient(
        lambda x: by_loop(slow, s, x, 0.8, class_weights).mean(),
        g.astype("float64"),
    )
    watched = tf.constant(g)
    with tf.GradientTape() as tape:
        tape.watch(watched)
        value = GivenPairsLoss(0.8, class_weights)(s, watched)
    np.testing.assert_allclose(
        tape.gradient(value, watched), expected, rtol=1e-5, atol=1e-7
    )


def test_saturated_inner_products():
    g = np.ones((4, 2, 64), "float32")
    g[1::2, 1] = -1
    loss = GivenPairsLoss(alpha=100.0, class_weights=None)
    rows = loss.call(np.array([1, 1, 0, 0]), ops.convert_to_tensor(g))
    assert ops.convert_to_numpy(rows).tolist() == [0, 6400, 6400, 0]


def test_sample_weight(slow):
    s, g = np.array(SIMILARITIES["all three"]), codes()
    weight = np.float32([4, 1, 2, 0.5, 5, 1, 1, 3])
    rows = by_loop(slow, s, g, 5 / 6, "batch")
    np.testing.assert_allclose(
        GivenPairsLoss()(s, g, weight), np.mean(weight * rows), rtol=2e-6
    )
    np.testing.assert_allclose(
        GivenPairsLoss(reduction="sum")(s, g), rows.sum(), rtol=2e-6
    )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_computed_in_float32(dtype):
    s = np.array(SIMILARITIES["all three"])
    half = ops.cast(codes(bits=64), dtype)
    loss = GivenPairsLoss(class_weights=(1e6, 1.0))
    value = loss(s, half)
    assert value.dtype == "float32"
    assert float(value) == float(loss(s, ops.cast(half, "float32"))) > 65504
    assert loss.call(s, half).dtype == "float32"


def test_fit_takes_triples(slow):
    keras.utils.set_random_seed(0)
    first, second = keras.Input((5,)), keras.Input((5,))
    dense, tanh = keras.layers.Dense(8), ScaledTanh(2.0)
    g = [tanh(dense(x)) for x in (first, second)]
    model = keras.Model((first, second), ops.stack(g, axis=1))
    x = np.random.default_rng(0).normal(size=(2, 8, 5)).astype("float32")
    s = np.array(SIMILARITIES["all three"])
    model.compile("sgd", GivenPairsLoss())
    before = model.predict_on_batch((x[0], x[1]))
    history = model.fit((x[0], x[1]), s, batch_size=8, verbose=0).history
    rows = by_loop(slow, s, before, 5 / 8, "batch")
    assert history["loss"] == [pytest.approx(rows.mean(), rel=1e-5)]
    after = model.predict_on_batch((x[0], x[1]))
    assert by_loop(slow, s, after, 5 / 8, "batch").mean() < rows.mean()


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"alpha": 0.2, "class_weights": None},
        {"class_weights": (5.0, 1.25), "name": "mine", "reduction": "sum"},
    ],
)
def test_is_restored(arguments):
    loss = GivenPairsLoss(**arguments)
    config = loss.get_config()
    assert {name: config[name] for name in arguments} == arguments
    stored = json.loads(json.dumps(keras.saving.serialize_keras_object(loss)))
    restored = keras.saving.deserialize_keras_object(stored)
    assert type(restored) is GivenPairsLoss
    assert restored.get_config() == config
    assert restored.dtype == "float32"


@pytest.mark.parametrize(
    "arguments, received",
    [
        ({"alpha": 0}, "alpha=0"),
        ({"alpha": float("nan")}, "alpha=nan"),
        ({"class_weights": 2.0}, "class_weights=2.0"),
    ],
)
def test_refuses_arguments(arguments, received):
    with pytest.raises(ValueError, match=re.escape(f"Received: {received}")):
        GivenPairsLoss(**arguments)


@pytest.mark.parametrize(
    "y_shape, g_shape, received",
    [
        ((4,), (4, 3), "y_pred.shape=(4, 3)"),
        ((4,), (4, 3, 6), "y_pred.shape=(4, 3, 6)"),
        ((), (4, 2, 6), "y_true.shape=(), y_pred.shape=(4, 2, 6)"),
        ((1,), (4, 2, 6), "y_true.shape=(1,), y_pred.shape=(4, 2, 6)"),
        ((2, 2), (4, 2, 6), "y_true.shape=(2, 2), y_pred.shape=(4, 2, 6)"),
        ((4, 2), (4, 2, 6), "y_true.shape=(4, 2), y_pred.shape=(4, 2, 6)"),
    ],
)
def test_refuses_shapes(y_shape, g_shape, received):
    with pytest.raises(ValueError, match=re.escape(f"Received: {received}")):
        GivenPairsLoss()(np.zeros(y_shape), np.zeros(g_shape))
