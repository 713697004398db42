import re

import numpy as np
import pytest

from hashnet_tf.losses import OrthoHashLoss, hash_centers
from hashnet_tf.models import LogitsModel

CENTERS = hash_centers(4, 8)


def test_the_equation(check_loss, by_image, labels, codes):
    margin, scale = 0.3, 5.0

    def loss_of(classes, z):
        logits = np.array(
            [
                scale
                * (
                    z @ center / np.linalg.norm(z) / np.linalg.norm(center)
                    - margin * (c in classes)
                )
                for c, center in enumerate(CENTERS.astype(float))
            ]
        )
        logs = logits - np.log(np.sum(np.exp(logits)))
        return -np.mean([logs[c] for c in classes])

    loss = OrthoHashLoss(CENTERS, margin, scale)
    check_loss(loss, by_image(loss_of), labels, codes(8))


def test_the_length_of_z_makes_no_difference(codes, labels_by_name):
    y, loss = labels_by_name["multi-hot"], OrthoHashLoss(CENTERS)
    value = float(loss(y, codes(8)))
    for factor in (1e-3, 1e4):
        np.testing.assert_allclose(loss(y, factor * codes(8)), value, 1e-5)
    # Where there is no direction, all classes are alike but for the margin.
    logits = 8 * np.array([-0.2, 0, 0, 0])
    expected = np.log(np.sum(np.exp(logits))) - logits[0]
    found = loss(np.array([0]), np.zeros((1, 8)))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_is_restored(check_restored, labels_by_name, codes):
    for loss in (
        OrthoHashLoss(CENTERS),
        OrthoHashLoss(CENTERS, 0.3, 5.0, name="mine", reduction="sum"),
    ):
        check_restored(loss, labels_by_name["multi-hot"], codes(8))


@pytest.mark.parametrize(
    "arguments, received",
    [
        ({"centers": [[2, 1]]}, "2 among 1 others"),
        ({"margin": -0.1}, "margin=-0.1"),
        ({"margin": 2.0}, "margin=2.0"),
        ({"scale": 0}, "scale=0"),
        ({"scale": float("inf")}, "scale=inf"),
    ],
)
def test_refuses_arguments(arguments, received):
    with pytest.raises(ValueError, match=re.escape(f"Received: {received}")):
        OrthoHashLoss(**{"centers": CENTERS, **arguments})


@pytest.mark.slow
def test_training(check_training):
    check_training(OrthoHashLoss(hash_centers(10, 16)), LogitsModel, least=0.8)
