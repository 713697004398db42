import itertools
import re

import numpy as np
import pytest

from hashnet_tf.losses import DNNHLoss


def test_the_equation(slow, check_loss, labels, codes):
    margin = 1.0

    def rows(y, g):
        items = y[:, 0] if y.shape[1:] == (1,) else y
        h, n = (1 + g) / 2, len(g)
        squares = [[np.sum((a - b) ** 2) for b in h] for a in h]
        relations = [[slow.relation(a, b) for b in items] for a in items]
        values, count = np.zeros(n), 0
        for i, j, k in itertools.permutations(range(n), 3):
            near, far = relations[i][j], relations[i][k]
            if near is None or far is None or near[0] == 0 or far[0] == 1:
                continue
            count += 1
            values[i] += max(0.0, margin + squares[i][j] - squares[i][k])
        return values * n / max(count, 1)

    check_loss(DNNHLoss(), rows, labels, codes(6, scale=0.7))


def test_three_codes_by_hand():
    g = np.float32([[1, 1], [1, -1], [-1, -1]])
    # Bits, so Hamming distances: 1 from 0 to 1, 2 from 0 to 2, 1 from 1 to 2.
    # i = 0: 2.5 + 1 - 2; i = 1: 2.5 + 1 - 1.
    value = DNNHLoss(margin=2.5)(np.array([0, 0, 1]), g)
    np.testing.assert_allclose(value, (1.5 + 2.5) / 2, rtol=1e-6)


def test_is_restored(check_restored, labels_by_name, codes):
    for loss in (DNNHLoss(), DNNHLoss(2.0, name="mine", reduction="sum")):
        check_restored(loss, labels_by_name["multi-hot"], codes(6))


@pytest.mark.parametrize("margin", [0, -1.0, float("nan"), float("inf")])
def test_refuses_arguments(margin):
    received = f"Received: margin={margin}"
    with pytest.raises(ValueError, match=re.escape(received)):
        DNNHLoss(margin)


@pytest.mark.parametrize("y, g", [((3,), (4, 8)), ((4,), (4,))])
def test_refuses_shapes(y, g):
    with pytest.raises(ValueError, match=r"Received: y_"):
        DNNHLoss()(np.zeros(y), np.zeros(g))


@pytest.mark.slow
def test_training(check_training):
    check_training(DNNHLoss())
