import numpy as np
import pytest
import tensorflow as tf

from hashnet_tf.losses import pair_negative_log_likelihood


@pytest.mark.parametrize("alpha", [0.15625, 0.5, 1.0])
def test_literal_equation(alpha):
    products = np.linspace(-10, 10, 41, dtype="float32")
    for s in (0, 1):
        found = pair_negative_log_likelihood(
            products, np.full(41, bool(s)), alpha
        )
        theta = alpha * products.astype("float64")
        np.testing.assert_allclose(
            found, np.log1p(np.exp(theta)) - s * theta, rtol=1e-6
        )
        sigma = 1 / (1 + np.exp(-theta))
        np.testing.assert_allclose(
            found, -np.log(sigma if s else 1 - sigma), rtol=1e-6
        )


@pytest.mark.parametrize("size", [50.0, 1e4, 1e30])
def test_saturated_products_neither_overflow_nor_cancel(size):
    products = tf.constant([-size, size, -size, size])
    similar = np.array([True, True, False, False])
    with tf.GradientTape() as tape:
        tape.watch(products)
        losses = pair_negative_log_likelihood(products, similar, 2.0)
    expected = np.float32([2 * size, 0, 0, 2 * size])
    np.testing.assert_allclose(losses, expected, rtol=1e-6, atol=1e-43)
    # alpha (sigma - s)
    np.testing.assert_allclose(
        tape.gradient(losses, products), [-2.0, 0, 0, 2.0], atol=1e-43
    )


def test_small_losses_keep_their_digits():
    found = pair_negative_log_likelihood(
        np.float32([20.0, -20.0]), np.array([True, False]), 1.0
    )
    np.testing.assert_allclose(found, [np.log1p(np.exp(-20.0))] * 2, rtol=1e-6)
