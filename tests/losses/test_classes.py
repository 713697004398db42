import re

import numpy as np
import pytest

from hashnet_tf.losses._labels import read_labels
from hashnet_tf.losses.class_loss import class_count, class_membership


@pytest.mark.parametrize(
    "labels, expected",
    [
        ([0, 1], 2),
        ([-1, 7, 3, 3], 8),
        (np.array([[2.0], [5.0]]), 6),
        (np.array([[1, 0, 0], [0, 0, 1]], "uint8"), 3),
        ([[1, 1, -1, -1]], 4),
        ([[True, True]], 2),
    ],
)
def test_class_count(labels, expected):
    assert class_count(labels) == expected
    assert type(class_count(labels)) is int


@pytest.mark.parametrize(
    "labels, received",
    [
        (None, "labels.shape=None"),
        (3, "labels.shape=()"),
        (np.zeros((2, 3, 4)), "labels.shape=(2, 3, 4)"),
        ([], "0 classes on 0 images"),
        ([-1, -1], "0 classes on 2 images"),
        ([4, 4, -1], "1 classes on 3 images"),
        ([[0, 1, 0], [-1, 1, 0]], "1 classes on 2 images"),
        (np.zeros((5, 3)), "0 classes on 5 images"),
    ],
)
def test_class_count_refuses(labels, received):
    with pytest.raises(ValueError, match=re.escape(f"Received: {received}")):
        class_count(labels)


@pytest.mark.parametrize("dtype", ["int8", "int64", "float32"])
def test_class_membership(dtype):
    ids = np.array([2, -1, 0, 3], dtype)
    expected = [[0, 0, 1], [0, 0, 0], [1, 0, 0], [0, 0, 0]]
    for labels in (ids, ids[:, None]):
        found = class_membership(read_labels(labels, pairs=False), 3)
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == "float32"
    matrix = np.array([[1, 0, -1], [0, 1, 1]], dtype)
    np.testing.assert_array_equal(
        class_membership(matrix, 3), [[1, 0, 0], [0, 1, 1]]
    )


def test_class_membership_refuses_other_columns():
    received = r"3 columns.*Received: y_true.shape=\(2, 4\)"
    with pytest.raises(ValueError, match=received):
        class_membership(np.zeros((2, 4)), 3)
