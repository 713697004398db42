import json
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

import hashnet_tf as hn
from hashnet_tf.losses import InBatchPairsLoss, WeightedPairwiseLoss

CLASS_WEIGHTS = ["batch", (3.0, 0.5), None]
# By what a pair says; ids that occur once are from 20 on.
PAIRS = {
    "clicks": [[20, 21], [22, 23], [24, 25], [26, 27]],
    "one query": [[1, 20], [1, 21], [22, 23], [24, 1]],
    "a chain": [[1, 2], [2, 3], [3, 4], [4, 5], [20, 21]],
    "twice": [[1, 2], [1, 2], [2, 1], [20, 21]],
    "itself": [[1, 1], [1, 2], [20, 21]],
    "one pair": [[1, 2]],
    "without id": [[-1, 2], [3, -1], [2, 3], [0, 20], [-5, -5]],
    "dissimilar": [[1, 2, 1], [3, 4, 0], [1, 20, 0], [3, 21, 1]],
    "unknown": [[1, 2, 1], [3, 4, -1], [5, 2, -1], [20, 21, 1]],
    "contradicted": [[1, 2, 0], [2, 1, 1], [3, 4, 0], [3, 4, -1], [20, 21, 1]],
    "partners told apart": [[1, 2, 1], [1, 3, 1], [2, 3, 0], [20, 21, 1]],
    "all unknown": [[1, 2, -1], [1, 2, -1]],
}


def codes(n, bits=6):
    z = np.random.default_rng(bits).normal(size=(n, 2, bits))
    return np.tanh(2 * z).astype("float32")


def by_loop(slow, y, g, alpha, class_weights):
    """A value a row, by looking at two items at a time."""
    rows = range(len(y))
    items = [
        (row, side, y[row][side])
        for row in rows
        for side in (0, 1)
        if y[row][side] >= 0
    ]

    def said(a, b):
        """What the pairs say of two ids, the strongest."""
        found = [
            y[row][2] if len(y[row]) == 3 else 1
            for row in rows
            if sorted(y[row][:2]) == sorted([a, b]) and a >= 0 <= b
        ]
        for kind in (1, -1, 0):
            if kind in found:
                return kind
        return None

    ids = {a for _, _, a in items}
    pairs = []
    for row, side, a in items:
        for other, its_side, b in items:
            if a == b:
                continue
            s = said(a, b)
            if s is None:
                shared = any(said(a, c) == said(b, c) == 1 for c in ids)
                s = -1 if shared else 0
            if s >= 0:
                pairs.append((row, g[row][side], g[other][its_side], s, 1.0))
    return slow.rows(len(y), pairs, alpha, class_weights)


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("class_weights", CLASS_WEIGHTS)
@pytest.mark.parametrize("alpha", [None, 0.7])
def test_equation_4(slow, name, class_weights, alpha):
    y = np.array(PAIRS[name])
    g = codes(len(y))
    rows = by_loop(slow, y.tolist(), g, alpha or 5 / 6, class_weights)
    loss = InBatchPairsLoss(alpha, class_weights)
    found = loss.call(y, ops.convert_to_tensor(g))
    np.testing.assert_allclose(found, rows, rtol=3e-6, atol=1e-6)
    for given in (y, y.astype("float32"), tf.constant(y)):
        np.testing.assert_allclose(loss(given, g), rows.mean(), rtol=3e-6)


# XLA takes seconds to compile it.
@pytest.mark.parametrize(
    "name, jit",
    [*((name, False) for name in PAIRS), ("partners told apart", True)],
)
def test_so_in_a_graph(slow, name, jit):
    y = np.array(PAIRS[name], "float32")
    g = codes(len(y))
    expected = by_loop(slow, y.tolist(), g, 5 / 6, "batch").mean()
    traced = tf.function(InBatchPairsLoss(), jit_compile=jit)
    found = traced(tf.constant(y), tf.constant(g))
    np.testing.assert_allclose(found, expected, rtol=3e-6)


@pytest.mark.parametrize("seed", range(4))
def test_any_pairs(slow, seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(-1, 12, (12, 3))
    y[:, 2] = rng.choice([-1, 0, 1], 12, p=[0.2, 0.3, 0.5])
    g = codes(12, 5)
    rows = by_loop(slow, y.tolist(), g, 1.0, "batch")
    found = InBatchPairsLoss(1.0).call(y, ops.convert_to_tensor(g))
    np.testing.assert_allclose(found, rows, rtol=1e-5, atol=1e-6)


def test_pairs_that_share_no_item_are_classes_of_two():
    """The number of its pair as label of both items, as one did before."""
    g = codes(9, 12)
    y = np.random.default_rng(0).permutation(18).reshape(9, 2)
    for chosen in ({}, {"likelihood": "radius", "radius": 4.0}):
        np.testing.assert_allclose(
            InBatchPairsLoss(**chosen)(y, g),
            WeightedPairwiseLoss(**chosen)(
                np.repeat(np.arange(9), 2), g.reshape(18, 12)
            ),
            rtol=2e-6,
        )


def test_soft_similarities_count_from_a_half_on():
    g = codes(3)
    soft = np.array([[1, 2, 0.7], [3, 4, 0.2], [5, 6, -0.5]])
    hard = np.array([[1, 2, 1], [3, 4, 0], [5, 6, -1]])
    assert float(InBatchPairsLoss()(soft, g)) == float(
        InBatchPairsLoss()(hard, g)
    )


def test_large_ids_are_told_apart():
    g = codes(2)
    near = np.array([[2**40, 2**40 + 1], [2**40 + 2, 2**40 + 3]])
    small = np.arange(4).reshape(2, 2)
    expected = float(InBatchPairsLoss()(small, g))
    assert float(InBatchPairsLoss()(near, g)) == expected
    traced = tf.function(InBatchPairsLoss())
    assert float(traced(tf.constant(near), g)) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["one query", "dissimilar", "all unknown"])
def test_gradient(slow, name):
    y = np.array(PAIRS[name])
    g = codes(len(y), 4)
    expected = slow.gradient(
        lambda x: by_loop(slow, y.tolist(), x, 0.8, "batch").mean(),
        g.astype("float64"),
    )
    watched = tf.constant(g)
    with tf.GradientTape() as tape:
        tape.watch(watched)
        value = InBatchPairsLoss(0.8)(y, watched)
    np.testing.assert_allclose(
        tape.gradient(value, watched), expected, rtol=1e-5, atol=1e-6
    )


def test_sample_weight(slow):
    y = np.array(PAIRS["a chain"])
    g = codes(5)
    weight = np.float32([4, 1, 2, 0.5, 5])
    rows = by_loop(slow, y.tolist(), g, 5 / 6, "batch")
    np.testing.assert_allclose(
        InBatchPairsLoss()(y, g, weight), np.mean(weight * rows), rtol=2e-6
    )
    # What a row of no weight says is not said: 2 and 3 are strangers then.
    there = np.array([1, 0, 1, 1, 1])
    kept = there == 1
    rows = by_loop(slow, y[kept].tolist(), g[kept], 5 / 6, "batch")
    g[1] = np.nan
    np.testing.assert_allclose(
        InBatchPairsLoss()(y, g, there), rows.mean(), rtol=2e-6
    )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_computed_in_float32(dtype):
    y = np.array(PAIRS["one query"])
    half = ops.cast(codes(4, 64), dtype)
    loss = InBatchPairsLoss(class_weights=(1e6, 1.0))
    value = loss(y, half)
    assert value.dtype == "float32"
    assert float(value) == float(loss(y, ops.cast(half, "float32"))) > 65504
    assert loss.call(y, half).dtype == "float32"


def model_of_pairs(bits=16, **compiled):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((20,))
    hidden = keras.layers.Dense(32, activation="relu")(inputs)
    model = hn.models.PairModel(
        hn.HashNet(keras.Model(inputs, hidden), bits=bits)
    )
    loss = InBatchPairsLoss(likelihood="radius")
    model.compile(keras.optimizers.Adam(0.01), loss, **compiled)
    return model


def test_clicks_alone_teach_a_hashnet():
    rng = np.random.default_rng(3)
    ids = np.arange(600) % 6
    x = rng.normal(size=(600, 20)).astype("float32")
    x[np.arange(600), ids] += 3
    first = rng.integers(0, 600, 400)
    second = (first + 6 * rng.integers(1, 100, 400)) % 600
    clicks = np.stack([first, second], axis=1)
    model = model_of_pairs(jit_compile=False)
    # Of no dissimilar pair it must not warn.
    model.fit(
        (x[first], x[second]), clicks, batch_size=50, epochs=12, verbose=0
    )
    codes = model.hashnet.encode(x)
    found = hn.retrieval.mean_average_precision(
        codes[:100], codes[100:], ids[:100], ids[100:]
    )
    # Random projections reach about .3.
    assert found > 0.8


def test_warns_where_no_two_items_are_dissimilar():
    x = np.zeros((4, 20), "float32")
    clicks = np.array([[1, 2], [1, 3], [1, 4], [1, 2]])
    model = model_of_pairs(run_eagerly=True)
    with pytest.warns(UserWarning, match="no dissimilar pair.*InBatchPairs"):
        model.fit((x, x), clicks, verbose=0)
    similar = np.ones(4)
    model.compile("sgd", hn.losses.GivenPairsLoss(), run_eagerly=True)
    with pytest.warns(UserWarning, match="no dissimilar pair.*InBatchPairs"):
        model.fit((x, x), similar, verbose=0)


def test_looks_at_the_pairs_of_a_training():
    loss = InBatchPairsLoss()
    assert loss.tells_apart(np.arange(4000).reshape(2000, 2))
    assert loss.tells_apart(np.array([[1, 2, 0]]))
    assert not loss.tells_apart(np.array([[1, 2]]))
    assert not loss.tells_apart(np.array([[1, 2, -1], [1, 2, -1]]))
    with pytest.raises(ValueError, match="must be whole numbers"):
        loss.tells_apart(np.array([[1, 2.5]]))
    with pytest.raises(ValueError, match="`mine` must hold labels from 0"):
        loss.tells_apart(np.array([[1, 2, 3]]), "mine")


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"alpha": 0.2, "class_weights": None},
        {"likelihood": "radius", "radius": 6.0, "power": 2.0},
        {"class_weights": (5.0, 1.25), "name": "mine", "reduction": "sum"},
    ],
)
def test_is_restored(arguments):
    loss = InBatchPairsLoss(**arguments)
    config = loss.get_config()
    assert {name: config[name] for name in arguments} == arguments
    stored = json.loads(json.dumps(keras.saving.serialize_keras_object(loss)))
    restored = keras.saving.deserialize_keras_object(stored)
    assert type(restored) is InBatchPairsLoss
    assert restored.get_config() == config
    assert restored.dtype == "float32"


@pytest.mark.parametrize(
    "y, g_shape, received",
    [
        (np.zeros((4, 2)), (4, 3), "y_pred.shape=(4, 3)"),
        (np.zeros(4), (4, 2, 6), "y_true.shape=(4,), y_pred.shape=(4, 2, 6)"),
        (np.zeros((4, 1)), (4, 2, 6), "y_true.shape=(4, 1)"),
        (np.zeros((4, 4)), (4, 2, 6), "y_true.shape=(4, 4)"),
        (np.zeros((3, 2)), (4, 2, 6), "y_true.shape=(3, 2)"),
        (np.full((4, 2), 0.5), (4, 2, 6), "y_true[0]=0.5"),
        (np.full((4, 3), 2), (4, 2, 6), "y_true[0, 0]=2"),
    ],
)
def test_refuses_pairs(y, g_shape, received):
    with pytest.raises(ValueError, match=re.escape(f"Received: {received}")):
        InBatchPairsLoss()(y, np.zeros(g_shape))


def test_a_compiled_graph_gives_nan_for_what_is_no_id():
    traced = tf.function(InBatchPairsLoss(), jit_compile=True)
    y = tf.constant([[1.5, 2.0], [3.0, 4.0]])
    assert np.isnan(traced(y, tf.constant(codes(2))))
