import re

import numpy as np
import pytest

from hashnet_tf.losses import CSQLoss, hash_centers
from hashnet_tf.models import LogitsModel

CENTERS = hash_centers(4, 8)


def tied_bits(seed, bits=8):
    """The code that breaks ties, read off the loss itself."""
    loss = CSQLoss([[1] * bits, [-1] * bits], quantization=0.0, seed=seed)
    both = np.ones((1, 2), "int64")
    # A bit costs log 2 at 0, nearly nothing far in the direction of its goal,
    # and twice its distance in the other.
    at_zero = float(loss(both, np.zeros((1, bits))))
    far = 20 * np.eye(bits)
    costs = np.array([float(loss(both, far[[bit]])) for bit in range(bits)])
    return np.where(costs < at_zero, 1, -1)


def test_the_equation(check_loss, by_image, labels, codes):
    quantization = 0.5
    ties = tied_bits(seed=3)

    def loss_of(classes, z):
        total = 0.0
        for bit, value in enumerate(z):
            votes = sum(int(CENTERS[c, bit]) for c in classes)
            target = float((votes or ties[bit]) > 0)
            h = (1 + np.tanh(value)) / 2
            total -= target * np.log(h) + (1 - target) * np.log(1 - h)
            total += quantization * (abs(np.tanh(value)) - 1) ** 2
        return total / len(z)

    loss = CSQLoss(CENTERS, quantization, seed=3)
    check_loss(loss, by_image(loss_of), labels, codes(8))


def test_ties_are_drawn_by_the_seed():
    drawn = {tuple(tied_bits(seed)) for seed in range(8)}
    assert len(drawn) > 1
    assert tuple(tied_bits(1)) == tuple(tied_bits(1))


def test_bits_far_from_0_stay_finite():
    z = np.full((2, 8), 1e3)
    value = CSQLoss(-np.ones((1, 8)), quantization=0.0)(np.array([0, 0]), z)
    np.testing.assert_allclose(value, 2e3, rtol=1e-6)


def test_is_restored(check_restored, labels_by_name, codes):
    for loss in (
        CSQLoss(CENTERS),
        CSQLoss(CENTERS, 2.0, seed=5, name="mine", reduction="sum"),
    ):
        check_restored(loss, labels_by_name["multi-hot"], codes(8))


@pytest.mark.parametrize(
    "centers, quantization, received",
    [
        ([1, -1], 0.0, "centers.shape=(2,)"),
        ([[1, 0]], 0.0, "0 among 1 others"),
        ([[1, -1]], -0.5, "quantization=-0.5"),
    ],
)
def test_refuses_arguments(centers, quantization, received):
    with pytest.raises(ValueError, match=re.escape(f"Received: {received}")):
        CSQLoss(centers, quantization)


@pytest.mark.slow
def test_training(check_training):
    check_training(CSQLoss(hash_centers(10, 16)), LogitsModel, least=0.8)
