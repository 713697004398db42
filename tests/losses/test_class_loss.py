import re

import numpy as np
import pytest

from hashnet_tf.losses.class_loss import ClassLoss, shared_cross_entropy


class FirstColumn(ClassLoss):
    @classmethod
    def for_labels(cls, labels, bits, seed=0):
        return cls(3, bits, "first", "sum_over_batch_size")

    def images(self, membership, outputs):
        return outputs[:, 0]


@pytest.fixture
def loss():
    return FirstColumn(3, 2, "first", "sum_over_batch_size")


def test_is_abstract():
    with pytest.raises(TypeError, match="abstract"):
        ClassLoss(3, 2, "none", "sum_over_batch_size")


def test_the_mean_is_over_images_with_a_class(loss):
    outputs = np.array([[1.0, 9], [2, 9], [3, 9], [4, 9]])
    rows = loss.call(np.array([0, -1, 2, -1]), outputs)
    np.testing.assert_array_equal(rows, [2, 0, 6, 0])
    assert float(loss(np.array([0, -1, 2, -1]), outputs)) == 2.0
    assert float(loss(np.array([-1, -1, -1, -1]), outputs)) == 0.0


@pytest.mark.parametrize(
    "y_shape, shape, received",
    [
        ((4,), (4,), "y_pred.shape=(4,)"),
        ((4,), (4, 3), "y_pred.shape=(4, 3)"),
        ((5,), (4, 2), "y_true.shape=(5,), y_pred.shape=(4, 2)"),
        ((4, 2), (4, 2), "y_true.shape=(4, 2)"),
    ],
)
def test_refuses_shapes(loss, y_shape, shape, received):
    with pytest.raises(ValueError, match=re.escape(f"Received: {received}")):
        loss(np.zeros(y_shape), np.zeros(shape))


def test_shared_cross_entropy():
    logits = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    members = np.float32([[1, 0, 0, 0], [0, 1, 0, 1], [0, 0, 0, 0]])
    logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    expected = [-logs[0, 0], -(logs[1, 1] + logs[1, 3]) / 2, 0]
    np.testing.assert_allclose(
        shared_cross_entropy(logits, members), expected, rtol=1e-5, atol=1e-7
    )
