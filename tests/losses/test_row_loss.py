"""Rows of `sample_weight` 0 are not there."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import hashnet_tf as hn

IDS = np.array([0, 0, 1, 1, 2, 0])
MANY = np.array(
    [[1, 0, 1], [0, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 0], [-1, -1, 1]]
)
CLICKS = np.array([[0, 1], [0, 2], [3, 4], [5, 6], [1, 7], [3, 0]])
GIVEN = np.random.default_rng(1).choice([-1, 0, 1], (6, 6))
WIDTH = 8
OUTPUTS = np.random.default_rng(0).normal(size=(6, WIDTH)).astype("float32")
PAIRS = np.random.default_rng(0).normal(size=(6, 2, 8)).astype("float32")
HERE = slice(0, 4)

LOSSES = {
    "HashNet": hn.losses.WeightedPairwiseLoss,
    "HashNet-W": lambda reduction: hn.losses.WeightedPairwiseLoss(
        class_weights=None, reduction=reduction
    ),
    "HashNet+C": lambda reduction: hn.losses.WeightedPairwiseLoss(
        similarity="jaccard", reduction=reduction
    ),
    "HashNet-R": lambda reduction: hn.losses.WeightedPairwiseLoss(
        likelihood="radius", reduction=reduction
    ),
    "DHN": hn.losses.DHNLoss,
    "DCH": hn.losses.DCHLoss,
    "DNNH": hn.losses.DNNHLoss,
    "DPSH": hn.losses.DPSHLoss,
    "CSQ": lambda reduction: hn.losses.CSQLoss(
        hn.losses.hash_centers(3, WIDTH), reduction=reduction
    ),
    "CNNH": lambda reduction: hn.losses.CNNHLoss(
        *hn.losses.cnnh_codes(MANY, WIDTH), reduction=reduction
    ),
    "OrthoHash": lambda reduction: hn.losses.OrthoHashLoss(
        hn.losses.hash_centers(3, WIDTH), reduction=reduction
    ),
    "GreedyHash": lambda reduction: hn.losses.GreedyHashLoss(
        3, WIDTH - 3, reduction=reduction
    ),
}
CASES = [(name, y) for name in LOSSES for y in ("ids", "many")]
CASES += [("given", "matrix"), ("given pairs", "pairs")]
CASES += [("in-batch pairs", "clicks")]


def case(name, kind, reduction):
    """A loss, its labels and outputs of six rows, and of the first four."""
    if kind == "matrix":
        loss = hn.losses.WeightedPairwiseLoss(
            similarity="given", reduction=reduction
        )
        return loss, (GIVEN, OUTPUTS), (GIVEN[HERE, HERE], OUTPUTS[HERE])
    if kind == "pairs":
        y, outputs = GIVEN[0], PAIRS
        loss = hn.losses.GivenPairsLoss(reduction=reduction)
    elif kind == "clicks":
        y, outputs = CLICKS, PAIRS
        loss = hn.losses.InBatchPairsLoss(reduction=reduction)
    else:
        y, outputs = {"ids": IDS, "many": MANY}[kind], OUTPUTS
        loss = LOSSES[name](reduction=reduction)
    return loss, (y, outputs), (y[HERE], outputs[HERE])


@pytest.mark.parametrize("name, kind", CASES)
def test_a_row_of_weight_zero_is_not_there(name, kind):
    others = [0.5, 2, 3, 1]
    weight = np.float32([*others, 0, 0])
    # What fills a batch up may be anything.
    for reduction in ("sum", "mean_with_sample_weight", "sum_over_batch_size"):
        loss, (y, outputs), here = case(name, kind, reduction)
        outputs = outputs.copy()
        outputs[5] = np.nan
        expected = float(loss(*here, sample_weight=np.float32(others)))
        assert np.isfinite(expected) and expected != 0
        found = loss(y, outputs, sample_weight=weight[:, None])
        assert float(found) == pytest.approx(expected, rel=1e-5)
    variable = tf.Variable(outputs)
    with tf.GradientTape() as tape:
        value = loss(y, variable, sample_weight=weight)
    assert float(value) == pytest.approx(expected, rel=1e-5)
    gradient = tape.gradient(value, variable).numpy()
    assert (gradient[4:] == 0).all()
    assert (gradient[HERE] != 0).any()


@pytest.mark.parametrize("name, kind", [("HashNet", "many"), ("CSQ", "ids")])
def test_so_in_a_graph(name, kind):
    loss, (y, outputs), here = case(name, kind, "sum_over_batch_size")
    found = tf.function(loss)(y, outputs, np.float32([1, 1, 1, 1, 0, 0]))
    assert float(found) == pytest.approx(float(loss(*here)), rel=1e-5)


@pytest.mark.parametrize("name, kind", CASES)
def test_without_a_row_there_is_nothing(name, kind):
    loss, (y, outputs), _ = case(name, kind, "sum_over_batch_size")
    assert float(loss(y, outputs, sample_weight=np.zeros(6))) == 0
    rows, _, _ = case(name, kind, None)
    found = rows(y, outputs, sample_weight=np.float32([0, 1, 0, 1, 1, 1]))
    assert found.shape == (6,)
    assert float(found[0]) == float(found[2]) == 0


def test_fit_leaves_a_row_of_weight_zero_out():
    x = np.random.default_rng(0).normal(size=(6, 5)).astype("float32")

    def trained(x, y, weight):
        keras.utils.set_random_seed(0)
        inputs = keras.Input((5,))
        backbone = keras.Model(inputs, keras.layers.Dense(4)(inputs))
        model = hn.HashNet(backbone, 16)
        loss = hn.losses.WeightedPairwiseLoss()
        model.compile(keras.optimizers.SGD(1.0), loss, run_eagerly=True)
        history = model.fit(
            x, y, sample_weight=weight, epochs=2, shuffle=False, verbose=0
        )
        return history.history["loss"], model.get_weights()

    losses, weights = trained(x, IDS, np.float32([1, 1, 1, 1, 0, 0]))
    expected_losses, expected = trained(x[HERE], IDS[HERE], None)
    np.testing.assert_allclose(losses, expected_losses, rtol=1e-6)
    for found, wanted in zip(weights, expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-7)
