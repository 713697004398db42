import re

import numpy as np
import pytest
import tensorflow as tf

from hashnet_tf.losses import DCHLoss

NEAR = 1e-3


def cosine(a, b):
    return np.dot(a, b) / np.sqrt(np.dot(a, a) * np.dot(b, b))


def test_the_equation(slow, check_loss, labels, codes):
    gamma, quantization = 3.0, 0.5

    def rows(y, g):
        items = y[:, 0] if y.shape[1:] == (1,) else y
        n, bits = g.shape
        pairs = [
            (i, j, relation)
            for i in range(n)
            for j in range(n)
            if i != j and (relation := slow.relation(items[i], items[j]))
        ]
        ones = sum(s for _, _, (s, _) in pairs)
        found = np.zeros(n)
        for i, j, (s, _) in pairs:
            d = bits / 2 * (1 - cosine(g[i], g[j])) + NEAR
            weight = len(pairs) / (ones if s else len(pairs) - ones)
            cauchy = s * np.log(d / gamma) + np.log(1 + gamma / d)
            found[i] += weight * cauchy * n / len(pairs)
        off = [bits / 2 * (1 - cosine(abs(x), np.ones(bits))) for x in g]
        return found + quantization * np.log(1 + np.array(off) / gamma)

    check_loss(DCHLoss(gamma, quantization), rows, labels, codes(6))


def test_codes_of_zeros_stay_finite():
    for g in (np.zeros((3, 8)), np.ones((3, 8)), -np.ones((3, 8))):
        variable = tf.Variable(g.astype("float32"))
        with tf.GradientTape() as tape:
            value = DCHLoss()(np.array([0, 0, 1]), variable)
        assert np.isfinite(value)
        assert np.isfinite(tape.gradient(value, variable)).all()


def test_is_restored(check_restored, labels_by_name, codes):
    for loss in (DCHLoss(), DCHLoss(10.0, 2.0, name="mine", reduction="sum")):
        check_restored(loss, labels_by_name["multi-hot"], codes(6))


@pytest.mark.parametrize(
    "arguments, received",
    [
        ({"gamma": 0.0}, "gamma=0.0"),
        ({"gamma": float("inf")}, "gamma=inf"),
        ({"quantization": -1}, "quantization=-1"),
    ],
)
def test_refuses_arguments(arguments, received):
    with pytest.raises(ValueError, match=re.escape(f"Received: {received}")):
        DCHLoss(**arguments)


@pytest.mark.slow
def test_training(check_training):
    check_training(DCHLoss())
