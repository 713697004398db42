import re

import numpy as np
import pytest

from hashnet_tf.losses import GreedyHashLoss
from hashnet_tf.models import ClassifiedModel


def test_the_equation(check_loss, by_image, labels, codes):
    quantization = 0.5

    def loss_of(classes, outputs):
        logits, z = outputs[:4], outputs[4:]
        logs = logits - np.log(np.sum(np.exp(logits)))
        cross_entropy = -np.mean([logs[c] for c in classes])
        off = np.mean([abs(abs(value) - 1) ** 3 for value in z])
        return cross_entropy + quantization * off

    loss = GreedyHashLoss(4, 6, quantization)
    check_loss(loss, by_image(loss_of), labels, codes(10))


def test_is_restored(check_restored, labels_by_name, codes):
    for loss in (
        GreedyHashLoss(4, 6),
        GreedyHashLoss(4, 6, 2.0, name="mine", reduction="sum"),
    ):
        check_restored(loss, labels_by_name["multi-hot"], codes(10))


@pytest.mark.parametrize(
    "arguments, received",
    [
        ((4, 6, -1), "quantization=-1"),
        ((0, 6), "classes=0, bits=6"),
        ((4, 0), "classes=4, bits=0"),
    ],
)
def test_refuses_arguments(arguments, received):
    with pytest.raises(ValueError, match=re.escape(f"Received: {received}")):
        GreedyHashLoss(*arguments)


def test_refuses_codes_without_logits():
    received = r"\[n, 10\]. Received: y_pred.shape=\(3, 6\)"
    with pytest.raises(ValueError, match=received):
        GreedyHashLoss(4, 6)(np.zeros(3), np.zeros((3, 6)))


@pytest.mark.slow
def test_training(check_training):
    check_training(
        GreedyHashLoss(10, 16),
        lambda hashnet: ClassifiedModel(hashnet, 10),
        least=0.7,
    )
