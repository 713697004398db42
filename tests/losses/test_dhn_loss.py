import re

import numpy as np
import pytest

from hashnet_tf.losses import DHNLoss


def test_the_equation(slow, check_loss, labels, codes):
    alpha, quantization = 0.7, 0.5

    def rows(y, g):
        items = y[:, 0] if y.shape[1:] == (1,) else y
        likelihood = slow.loss(
            g, lambda i, j: slow.relation(items[i], items[j]), alpha, None
        )
        off = [
            np.mean([np.log(np.cosh(abs(value) - 1)) for value in row])
            for row in g
        ]
        return likelihood + quantization * np.array(off)

    check_loss(DHNLoss(alpha, quantization), rows, labels, codes(6))


def test_no_code_is_too_long():
    g = np.full((2, 8), 100.0)
    # log(1 + exp(40000)) of one dissimilar pair, log cosh(99) = 99 - log 2.
    value = DHNLoss(quantization=1.0)(np.array([0, 1]), g)
    expected = 0.5 * 8e4 + 99 - np.log(2)
    np.testing.assert_allclose(value, expected, rtol=1e-6)


def test_is_restored(check_restored, labels_by_name, codes):
    for loss in (DHNLoss(), DHNLoss(1.0, 2.0, name="mine", reduction="sum")):
        check_restored(loss, labels_by_name["multi-hot"], codes(6))


@pytest.mark.parametrize(
    "arguments, received",
    [
        ({"alpha": 0.0}, "alpha=0.0"),
        ({"quantization": -1}, "quantization=-1"),
        ({"quantization": float("nan")}, "quantization=nan"),
    ],
)
def test_refuses_arguments(arguments, received):
    with pytest.raises(ValueError, match=re.escape(f"Received: {received}")):
        DHNLoss(**arguments)


def test_refuses_labels_of_another_length():
    with pytest.raises(ValueError, match=r"Received: y_true.shape=\(3,\)"):
        DHNLoss()(np.zeros(3), np.zeros((4, 8)))


@pytest.mark.slow
def test_training(check_training):
    check_training(DHNLoss())
