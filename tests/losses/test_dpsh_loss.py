import re

import numpy as np
import pytest

from hashnet_tf.losses import DPSHLoss
from hashnet_tf.models import LogitsModel


def test_the_equation(slow, check_loss, labels, codes):
    quantization = 0.5

    def rows(y, z):
        items = y[:, 0] if y.shape[1:] == (1,) else y
        likelihood = slow.loss(
            z, lambda i, j: slow.relation(items[i], items[j]), 0.5, None
        )
        signs = np.where(z >= 0, 1.0, -1.0)
        off = ((signs - z) ** 2).mean(axis=1)
        return likelihood + quantization * off

    check_loss(DPSHLoss(quantization), rows, labels, codes(6))


def test_is_restored(check_restored, labels_by_name, codes):
    for loss in (DPSHLoss(), DPSHLoss(2.0, name="mine", reduction="sum")):
        check_restored(loss, labels_by_name["multi-hot"], codes(6))


@pytest.mark.parametrize("quantization", [-1, float("inf")])
def test_refuses_arguments(quantization):
    received = f"Received: quantization={quantization}"
    with pytest.raises(ValueError, match=re.escape(received)):
        DPSHLoss(quantization)


def test_refuses_labels_of_another_length():
    with pytest.raises(ValueError, match=r"Received: y_true.shape=\(3,\)"):
        DPSHLoss()(np.zeros(3), np.zeros((4, 8)))


@pytest.mark.slow
def test_training(check_training):
    check_training(DPSHLoss(), LogitsModel)
