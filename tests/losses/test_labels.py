import functools
import re
import warnings

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf

import hashnet_tf as hn
from hashnet_tf.losses._labels import (
    labels_in_numpy,
    read_labels,
    read_similarities,
)
from hashnet_tf.losses.class_loss import class_count

IDS = np.array([0, 0, 1, 1, 2, 2, 3, 3])
ONE_HOT = np.eye(4, dtype="float32")[IDS]
G = np.tanh(np.random.default_rng(0).normal(size=(8, 16))).astype("float32")
LOSS = hn.losses.WeightedPairwiseLoss()
RIGHT = float(LOSS(IDS, G))


@functools.cache
def traced(function, shape, dtype, jit):
    """A function as a graph, once for all labels of a shape and dtype."""
    spec = tf.TensorSpec(shape, dtype)
    return tf.function(function, [spec], jit_compile=jit)


def in_graph(function, labels, jit=False, shape=None):
    """What a function gives for labels whose values a graph does not know."""
    labels = tf.convert_to_tensor(labels)
    shape = tuple(shape or labels.shape)
    return traced(function, shape, labels.dtype, jit)(labels).numpy()


def right_loss(labels):
    return LOSS(labels, G)


def each_way(function, labels):
    yield np.asarray(function(labels))
    yield np.asarray(function(tf.convert_to_tensor(labels)))
    yield in_graph(function, labels)


MIXED = np.array(
    [
        # Smoothed; mixed by .7, by .5, and smoothed besides; of four images.
        [0.925, 0.025, 0.025, 0.025],
        [0.7, 0, 0.3, 0],
        [0.5, 0, 0.5, 0],
        [0.475, 0.475, 0.025, 0.025],
        [0.25, 0.5, 0, 0.25],
        [0.25, 0.4, 0, 0.35],
        # All alike says nothing, nor does little of each of several labels.
        [0.25, 0.25, 0.25, 0.25],
        [0.05, 0.05, 0.05, 0.3],
        [1, 0.6, 0.4, 0],
        [0, 0, 0, 0],
        [-1, -1, 1, 0],
    ],
    "float32",
)
HARD = [
    [1, 0, 0, 0],
    [1, 0, 0, 0],
    [1, 0, 1, 0],
    [1, 1, 0, 0],
    [0, 1, 0, 0],
    [0, 1, 0, 0],
    [0, 0, 0, 0],
    [0, 0, 0, 0],
    [1, 1, 0, 0],
    [0, 0, 0, 0],
    [-1, -1, 1, 0],
]


def test_soft_labels():
    for found in each_way(read_labels, MIXED):
        np.testing.assert_array_equal(found, HARD)
    compiled = in_graph(read_labels, MIXED, jit=True)
    np.testing.assert_array_equal(compiled, HARD)
    np.testing.assert_array_equal(labels_in_numpy(MIXED), HARD)


def test_a_smoothed_or_mixed_batch_has_the_loss_of_its_hard_labels():
    shuffled = ONE_HOT[[3, 1, 0, 2, 5, 4, 7, 6]]
    for soft in (
        0.9 * ONE_HOT + 0.025,
        0.6 * ONE_HOT + 0.4 * shuffled,
        (0.9 * (0.6 * ONE_HOT + 0.4 * shuffled) + 0.025),
    ):
        for found in each_way(right_loss, soft.astype("float32")):
            assert found == pytest.approx(RIGHT, rel=1e-6)
        assert hn.losses.count_pairs(soft) == hn.losses.count_pairs(IDS)
        assert class_count(soft) == 4


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint32", "uint64"])
def test_integers_are_compared_as_integers(dtype):
    ids = IDS.astype(dtype) + np.array(1_600_000_000, dtype)
    for found in each_way(right_loss, ids):
        assert found == pytest.approx(RIGHT, rel=1e-6)
    compiled = in_graph(read_labels, ids[:, None], jit=True)
    assert compiled.tolist() == [0, 0, 2, 2, 4, 4, 6, 6]


def test_floats_are_compared_as_far_as_they_count():
    largest = {"float16": 2**11, "float32": 2**24, "float64": 2**53}
    for dtype, bound in largest.items():
        ids = (np.array(bound, dtype) - 4 + IDS).astype(dtype)
        for found in each_way(right_loss, ids):
            assert found == pytest.approx(RIGHT, rel=1e-6)
    ids = (2**8 - 4 + IDS).astype(ml_dtypes.bfloat16)
    for found in each_way(right_loss, ids):
        assert found == pytest.approx(RIGHT, rel=1e-6)


REFUSED = {
    "ids above 2^24": (IDS + 1.6e9).astype("float32"),
    "ids at 2^24": np.array([0, 2.0**24] * 4, "float32"),
    "half ids": (IDS + 1000).astype("float16") * 3,
    "no whole ids": np.linspace(0, 1, 8, dtype="float32"),
    "NaN among ids": np.where(IDS == 2, np.nan, IDS).astype("float32"),
    "two levels of ids": np.stack([IDS, IDS % 3], axis=1),
    "counts": (3 * ONE_HOT).astype("float32"),
    "NaN in a matrix": np.where(ONE_HOT > 0, np.nan, 0).astype("float32"),
    "infinity": np.where(ONE_HOT > 0, np.inf, 0).astype("float32"),
    "minus infinity": np.where(ONE_HOT > 0, -np.inf, 0).astype("float32"),
}

LOSSES = {
    "HashNet": LOSS,
    "jaccard": hn.losses.WeightedPairwiseLoss(similarity="jaccard"),
    "DHN": hn.losses.DHNLoss(),
    "DCH": hn.losses.DCHLoss(),
    "DNNH": hn.losses.DNNHLoss(),
    "DPSH": hn.losses.DPSHLoss(),
    "CSQ": hn.losses.CSQLoss.for_labels(IDS, 16),
    "CNNH": hn.losses.CNNHLoss.for_labels(IDS, 16),
    "OrthoHash": hn.losses.OrthoHashLoss.for_labels(IDS, 16),
    "GreedyHash": hn.losses.GreedyHashLoss(4, 12),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("loss", LOSSES)
def test_refused_by_each_loss(loss, name):
    for given in (REFUSED[name], tf.constant(REFUSED[name])):
        with pytest.raises(
            ValueError, match=r"`y_true` must .* Received: y_true\[\d"
        ):
            LOSSES[loss](given, G)


def reading_pairs(labels):
    return read_labels(labels, pairs=True)


def reading_rows(labels):
    return read_labels(labels, pairs=False)


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("pairs", [True, False])
def test_refused_in_a_graph(name, pairs):
    read = reading_pairs if pairs else reading_rows
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="`y_true` must .* Received:"
    ):
        in_graph(read, REFUSED[name])


@pytest.mark.parametrize("loss", LOSSES)
def test_each_loss_refuses_in_a_graph(loss):
    labels = (3 * ONE_HOT).astype("float32")
    with pytest.raises(tf.errors.InvalidArgumentError, match="`y_true` must"):
        in_graph(lambda y: LOSSES[loss](y, G), labels)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ids at 2^24", "two levels of ids"])
def test_a_compiled_step_that_refuses_gives_no_number(name):
    # XLA knows no errors. Nothing is learned from what is refused.
    @tf.function(jit_compile=True)
    def step(y, g):
        with tf.GradientTape() as tape:
            tape.watch(g)
            value = LOSS(y, g)
        return value, tape.gradient(value, g)

    value, gradient = step(tf.constant(REFUSED[name]), tf.constant(G))
    assert np.isnan(value)
    assert (gradient.numpy() == 0).all()


@pytest.mark.parametrize("name", REFUSED)
def test_refused_where_a_whole_set_is_counted(name):
    for count in (hn.losses.count_pairs, class_count, hn.losses.cnnh_codes):
        arguments = (16,) if count is hn.losses.cnnh_codes else ()
        with pytest.raises(
            ValueError, match=r"`labels` must .* Received: labels\[\d"
        ):
            count(REFUSED[name], *arguments)


def test_names_are_no_labels():
    names = np.array(["cat", "dog"] * 4)
    for refuse in (lambda y: LOSS(y, G), hn.losses.count_pairs):
        with pytest.raises(ValueError, match="must be numbers. Received: .*U3"):
            refuse(names)


def test_a_graph_wants_to_know_the_width():
    message = re.escape("known width") + ".*" + re.escape("shape=(None, None)")
    for loss in LOSSES.values():
        with pytest.raises(ValueError, match=message):
            in_graph(lambda y: loss(y, G), IDS[:, None], shape=(None, None))  # noqa: B023
    found = in_graph(right_loss, IDS[:, None], shape=(None, 1))
    assert found == pytest.approx(RIGHT, rel=1e-6)


def test_one_column_of_zeros_and_ones_is_ids():
    column = (IDS % 2)[:, None]
    expected = float(LOSS(IDS % 2, G))
    for found in each_way(right_loss, column.astype("float32")):
        assert found == pytest.approx(expected, rel=1e-6)
    assert expected != pytest.approx(float(LOSS(np.zeros(8), G)), rel=0.01)


def test_given_similarities_count_from_a_half_on():
    given = np.float32([[1, 0.5, 0.4], [0, -1, 0.9], [-0.3, 1, 0]])
    for found in each_way(read_similarities, given):
        np.testing.assert_array_equal(
            found, [[1, 1, 0], [0, -1, 1], [-1, 1, 0]]
        )


@pytest.mark.parametrize("stars", [5, np.nan])
def test_given_similarities_refuse(stars):
    pairs = np.stack([G, G], axis=1)
    rows = np.float32([stars, 0, 1, 0, 1, 0, 1, 0])
    matrix = np.zeros((8, 8), "float32")
    matrix[2, 3] = stars
    given = hn.losses.WeightedPairwiseLoss(similarity="given")
    for loss, labels, codes in (
        (hn.losses.GivenPairsLoss(), rows, pairs),
        (given, matrix, G),
    ):
        with pytest.raises(ValueError, match=r"Received: y_true\[.*=(5|nan)"):
            loss(labels, codes)
        with pytest.raises(tf.errors.InvalidArgumentError, match="`y_true` m"):
            in_graph(lambda y: loss(y, codes), labels)  # noqa: B023


def test_fit_compares_large_ids():
    import keras

    x = np.random.default_rng(1).normal(size=(8, 5)).astype("float32")
    inputs = keras.Input((5,))
    model = hn.HashNet(keras.Model(inputs, keras.layers.Dense(4)(inputs)), 16)
    model.compile("sgd", hn.losses.WeightedPairwiseLoss(), jit_compile=False)
    values = [
        model.evaluate(x, ids, verbose=0)
        for ids in (IDS, IDS + 1_600_000_000, ONE_HOT * 0.9 + 0.025)
    ]
    assert values == [pytest.approx(values[0], rel=1e-6)] * 3


def small(wrap=lambda net: net, loss=LOSS):
    import keras

    inputs = keras.Input((16,))
    net = hn.HashNet(keras.Model(inputs, keras.layers.Dense(4)(inputs)), 16)
    model = wrap(net)
    model.compile("sgd", loss, run_eagerly=True)
    return model


@pytest.mark.parametrize("name", REFUSED)
def test_fit_refuses_before_it_compiles(name):
    # A label that is none, in an array of any length, is named.
    for given in (REFUSED[name], tf.constant(REFUSED[name])):
        with pytest.raises(ValueError, match=r"`y` must .* Received: y\[\d"):
            small().fit(G, given, verbose=0)


@pytest.mark.parametrize(
    "similar, loss, wrap, inputs",
    [
        (np.full(8, 3), LOSS, lambda net: net, G),
        (0.9 * ONE_HOT[:1].repeat(8, 0) + 0.025, LOSS, lambda net: net, G),
        (
            np.ones(8),
            hn.losses.GivenPairsLoss(),
            hn.models.PairModel,
            (G, G[::-1].copy()),
        ),
    ],
)
def test_fit_warns_where_all_is_similar(similar, loss, wrap, inputs):
    with pytest.warns(UserWarning, match="`y` holds no dissimilar pair"):
        small(wrap, loss).fit(inputs, similar, verbose=0)
    other = similar.copy()
    other[-1] = other[-1][::-1] if other.ndim == 2 else 0
    small(wrap, loss).fit(inputs, other, verbose=0)


def test_fit_warns_where_all_of_a_stream_is_similar():
    stream = tf.data.Dataset.from_tensor_slices((G, np.full(8, 3))).batch(4)
    with pytest.warns(UserWarning, match="batches of `x` hold no dissimilar"):
        small().fit(stream, shuffle=False, verbose=0)
    # Two classes, but none of them in one batch with the other.
    apart = np.repeat([3, 4], 4)
    stream = tf.data.Dataset.from_tensor_slices((G, apart)).batch(4)
    with pytest.warns(UserWarning, match="batches of `x` hold no dissimilar"):
        small().fit(stream, shuffle=False, verbose=0)
    mixed = tf.data.Dataset.from_tensor_slices((G, apart)).batch(8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small().fit(mixed, shuffle=False, verbose=0)
        # One that never ends.
        small().fit(mixed.repeat(), steps_per_epoch=2, shuffle=False, verbose=0)


def test_the_one_that_differs_is_found_among_many():
    labels = np.zeros(50_001, int)
    assert not LOSS.tells_apart(labels)
    labels[777] = 1
    assert LOSS.tells_apart(labels)
    given = hn.losses.WeightedPairwiseLoss(similarity="given")
    assert not given.tells_apart(np.ones((3, 3)))
    assert given.tells_apart(np.eye(3))
