import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

import hashnet_tf as hn
from hashnet_tf.losses import LogisticLikelihood, RadiusLikelihood
from hashnet_tf.losses.likelihoods import Likelihood, likelihood_of
from hashnet_tf.methods import LIKELIHOODS

NEAR = 1e-3


def family(distances, radius, power, q):
    """The Box-Cox family of which both are members, in float64."""
    ratio = np.asarray(distances, "float64") / radius
    if q == 0:
        return -power * np.log(ratio)
    return power * (1 - ratio**q) / q


def products_at(distances, bits):
    return np.asarray(bits - 2 * np.asarray(distances), "float32")


@pytest.mark.parametrize("bits", [1, 16, 48, 64])
@pytest.mark.parametrize("alpha", [None, 0.2, 1.0])
def test_the_logistic_is_the_member_of_q_1(bits, alpha):
    distances = np.linspace(0, bits, 101)
    found = LogisticLikelihood(alpha).logits(products_at(distances, bits), bits)
    slope = 5 / bits if alpha is None else alpha
    expected = family(distances, bits / 2, slope * bits, q=1)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    # Eq. 4's, to the last bit.
    theta = slope * products_at(distances, bits)
    np.testing.assert_array_equal(found, theta)


@pytest.mark.parametrize("bits", [1, 16, 48, 64])
@pytest.mark.parametrize("radius, power", [(None, None), (10.0, 1.0)])
def test_the_radius_is_the_limit_of_q_to_0(bits, radius, power):
    distances = np.linspace(0, bits, 101)
    found = RadiusLikelihood(radius, power).logits(
        products_at(distances, bits), bits
    )
    r, p = radius or min(8, bits / 2), power or 3
    limit = family(distances + NEAR, r, p, q=0)
    np.testing.assert_allclose(found, limit, rtol=1e-4, atol=1e-5)
    near = family(distances + NEAR, r, p, q=1e-6)
    np.testing.assert_allclose(found, near, rtol=1e-4, atol=1e-4)


def test_at_the_radius_the_odds_are_even():
    for radius in (2.0, 12.0):
        theta = RadiusLikelihood(radius).logits(products_at(radius, 48), 48)
        assert abs(float(theta)) < 3 * 2 * NEAR / radius
        nearer, farther = (
            RadiusLikelihood(radius).logits(products_at(d, 48), 48)
            for d in (radius - 1, radius + 1)
        )
        assert float(nearer) > 0 > float(farther)


BOTH = [LogisticLikelihood(), RadiusLikelihood(), RadiusLikelihood(10.0, 1.5)]


@pytest.mark.parametrize("likelihood", BOTH)
@pytest.mark.parametrize("s", [False, True])
def test_the_loss_is_minus_the_logarithm_of_the_probability(likelihood, s):
    products = products_at(np.linspace(0.5, 47.5, 48), 48)
    theta = np.asarray(likelihood.logits(products, 48), "float64")
    p = 1 / (1 + np.exp(-theta))
    found = likelihood.losses(products, np.full(48, s), 48)
    np.testing.assert_allclose(found, -np.log(p if s else 1 - p), rtol=1e-5)


@pytest.mark.parametrize("likelihood", BOTH)
@pytest.mark.parametrize("s", [False, True])
def test_gradient_of_finite_differences(likelihood, s):
    products = tf.constant(np.linspace(-47, 47, 48), "float64")
    similar = np.full(48, s)
    with tf.GradientTape() as tape:
        tape.watch(products)
        losses = likelihood.losses(products, similar, 48)
    step = 1e-6
    upper, lower = (
        likelihood.losses(products + sign * step, similar, 48)
        for sign in (1, -1)
    )
    np.testing.assert_allclose(
        tape.gradient(losses, products),
        (upper - lower) / (2 * step),
        rtol=1e-5,
        atol=1e-8,
    )


@pytest.mark.parametrize("likelihood", BOTH)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("bits", [1, 64, 512])
def test_finite_at_distance_0_and_K(likelihood, dtype, bits):
    # And a little below 0, as rounding leaves it.
    ends = np.array([bits, bits * 1.001, -bits])
    for s in (False, True):
        products = tf.cast(ends, dtype)
        with tf.GradientTape() as tape:
            tape.watch(products)
            losses = likelihood.losses(products, np.full(3, s), bits)
        gradient = tape.gradient(losses, products)
        assert losses.dtype == products.dtype == gradient.dtype
        assert np.isfinite(tf.cast(losses, "float32")).all()
        assert np.isfinite(tf.cast(gradient, "float32")).all()


@pytest.mark.parametrize("size", [50.0, 1e4, 1e30])
def test_saturated_products_neither_overflow_nor_cancel(size):
    products = tf.constant([-size, size, -size, size])
    similar = np.array([True, True, False, False])
    with tf.GradientTape() as tape:
        tape.watch(products)
        losses = LogisticLikelihood(2.0).losses(products, similar, 8)
    expected = np.float32([2 * size, 0, 0, 2 * size])
    np.testing.assert_allclose(losses, expected, rtol=1e-6, atol=1e-43)
    # alpha (sigma - s)
    np.testing.assert_allclose(
        tape.gradient(losses, products), [-2.0, 0, 0, 2.0], atol=1e-43
    )


def test_small_losses_keep_their_digits():
    found = LogisticLikelihood(1.0).losses(
        np.float32([20.0, -20.0]), np.array([True, False]), 8
    )
    np.testing.assert_allclose(found, [np.log1p(np.exp(-20.0))] * 2, rtol=1e-6)


def middle_of(g, labels, radius):
    """What the radius is in a batch: at least the similar pairs' mean."""
    n, bits = g.shape
    near = [
        (bits - g[i] @ g[j]) / 2
        for i in range(n)
        for j in range(n)
        if i != j and labels[i] == labels[j]
    ]
    return max(radius, np.mean(near))


def rows_by_loop(g, labels, radius, power):
    """The pairwise loss of the radius in float64, a value a row."""
    n, bits = g.shape
    similar = labels[:, None] == labels[None, :]
    others = ~np.eye(n, dtype=bool)
    total, ones = others.sum(), (similar & others).sum()
    rows = np.zeros(n)
    for i in range(n):
        for j in range(n):
            if i == j:
                continue
            d = sum((1 - a * b) / 2 for a, b in zip(g[i], g[j], strict=True))
            odds = ((d + NEAR) / radius) ** power
            p = 1 / (1 + odds)
            if similar[i, j]:
                rows[i] -= total / ones * np.log(p)
            else:
                rows[i] -= total / (total - ones) * np.log(1 - p)
    return rows * n / total


@pytest.mark.parametrize(
    "radius, power", [(None, None), (2.5, None), (None, 1.0), (4.0, 2.0)]
)
def test_the_losses_take_it(radius, power, slow):
    rng = np.random.default_rng(3)
    g = np.tanh(2 * rng.normal(size=(7, 8))).astype("float32")
    y = np.array([0, 1, 0, 2, 1, 0, 2])
    options = {"likelihood": "radius", "radius": radius, "power": power}
    loss = hn.losses.WeightedPairwiseLoss(**options)

    # No gradient is taken of it.
    middle = middle_of(g.astype("float64"), y, radius or 4.0)

    def rows(x):
        return rows_by_loop(x, y, middle, power or 3.0)

    expected = rows(g.astype("float64"))
    found = loss.call(ops.convert_to_tensor(y), ops.convert_to_tensor(g))
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    variable = tf.Variable(g)
    with tf.GradientTape() as tape:
        value = loss(y, variable)
    slope = slow.gradient(lambda x: rows(x).mean(), g.astype("float64"))
    np.testing.assert_allclose(
        tape.gradient(value, variable), slope, rtol=1e-4, atol=2e-6
    )
    i, j = np.nonzero(~np.eye(7, dtype=bool))
    of_pairs = hn.losses.GivenPairsLoss(**options)
    np.testing.assert_allclose(
        of_pairs((y[i] == y[j]).astype(int), np.stack([g[i], g[j]], axis=1)),
        expected.mean(),
        rtol=1e-5,
    )


def test_the_radius_falls_with_the_similar_pairs():
    rng = np.random.default_rng(5)
    y = np.arange(12) % 3
    signs = rng.choice([-1.0, 1.0], size=(3, 16))
    loss = hn.losses.WeightedPairwiseLoss(likelihood="radius", radius=4.0)
    middles = []
    for size in (0.1, 0.5, 0.8, 0.95):
        # Of one class: at (1 - size^2) / 2 of the bits.
        g = size * signs[y]
        middles.append(middle_of(g, y, 4.0))
        expected = rows_by_loop(g, y, middles[-1], 3.0).mean()
        assert float(loss(y, g)) == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(middles, [7.92, 6, 4, 4])
    # None is similar: as it is.
    far = rows_by_loop_of_strangers(g)
    assert float(loss(np.arange(12), g)) == pytest.approx(far, rel=1e-5)


def rows_by_loop_of_strangers(g, radius=4.0):
    """The mean loss where no two items are of one class, by numpy."""
    i, j = np.nonzero(~np.eye(len(g), dtype=bool))
    d = (g.shape[1] - (g[i] * g[j]).sum(axis=1)) / 2
    return np.log1p(((d + NEAR) / radius) ** -3).mean()


def test_a_pull_balances_a_push_where_training_begins():
    # All at K / 2: as much is drawn together as is driven apart.
    g = tf.Variable(0.01 * np.random.default_rng(0).normal(size=(8, 64)))
    y = np.arange(8) % 2
    similar = tf.constant(y[:, None] == y[None, :])
    counted = ~np.eye(8, dtype=bool)
    likelihood = RadiusLikelihood()
    with tf.GradientTape() as tape:
        products = g @ tf.transpose(g)
        tape.watch(products)
        losses = likelihood.losses(products, similar, 64, counted)
        losses = tf.where(counted, losses, 0)
    slopes = tape.gradient(losses, products).numpy()
    pull, push = slopes[similar & counted], slopes[~similar]
    np.testing.assert_allclose(pull, -3 / 64 / 2, rtol=1e-2)
    np.testing.assert_allclose(push, 3 / 64 / 2, rtol=1e-2)


def test_many_pairs_in_half_precision():
    # Their distances sum to 131,072, above what float16 holds.
    products = np.zeros((64, 64), "float16")
    similar = np.ones((64, 64), bool)
    losses = RadiusLikelihood().losses(products, similar, 64, similar)
    np.testing.assert_allclose(losses, np.log(2), rtol=1e-2)


@pytest.mark.parametrize(
    "kind", [hn.losses.WeightedPairwiseLoss, hn.losses.GivenPairsLoss]
)
def test_is_in_the_configuration(kind):
    loss = kind(likelihood="radius", radius=10.0, power=2.0)
    config = keras.saving.serialize_keras_object(loss)
    twin = keras.saving.deserialize_keras_object(config)
    assert (twin.likelihood, twin.radius, twin.power) == ("radius", 10.0, 2.0)
    # The files of earlier versions do not have it.
    del config["config"]["likelihood"]
    del config["config"]["radius"], config["config"]["power"]
    assert (
        keras.saving.deserialize_keras_object(config).likelihood == "logistic"
    )


def test_every_likelihood_is_one_of_the_losses():
    for name, choice in LIKELIHOODS.items():
        likelihood = likelihood_of(name)
        assert isinstance(likelihood, Likelihood)
        assert type(likelihood).__name__ in hn.losses.__all__
        assert all(hasattr(likelihood, taken) for taken in choice.takes)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("cauchy",), "one of logistic, radius. Received: likelihood='cauchy'"),
        (("logistic", 0), r"5 / bits\. Received: alpha=0"),
        (("logistic", -0.1), r"5 / bits\. Received: alpha=-0.1"),
        (("logistic", float("nan")), "Received: alpha=nan"),
        (("logistic", float("inf")), "Received: alpha=inf"),
        (("logistic", None, 12.0), "takes alpha and not `radius`"),
        (("radius", 0.1), "takes radius, power and not `alpha`"),
        (("radius", None, 0.0), r"bits / 2\. Received: radius=0.0"),
        (("radius", None, float("inf")), "Received: radius=inf"),
        (("radius", None, None, -1), r"None for 3\. Received: power=-1"),
    ],
)
def test_refuses(arguments, words):
    with pytest.raises(ValueError, match=words):
        likelihood_of(*arguments)
