import numpy as np
import pytest

from hashnet_tf.datasets import FileImages, ImageSet

NAMES = ["a", "b", "c"]


def labelled(labels, names=NAMES):
    return FileImages("nowhere", names, labels)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "uint64"])
def test_ids_become_int32(dtype):
    images = labelled(np.array([2, 0, 5], dtype))
    assert images.labels.dtype == np.int32
    assert images.labels.tolist() == [2, 0, 5]
    assert not images.unlabelled.any()


@pytest.mark.parametrize("dtype", ["bool", "int64", "float32"])
def test_matrix_becomes_uint8(dtype):
    rows = [[0, 1], [0, 0], [1, 1]]
    images = labelled(np.array(rows, dtype))
    assert images.labels.dtype == np.uint8
    assert images.labels.tolist() == rows
    assert images.unlabelled.tolist() == [False, True, False]


@pytest.mark.parametrize("dtype", ["int8", "int64", "float32"])
def test_matrix_with_unknown_labels_becomes_int8(dtype):
    rows = [[0, -1], [0, 0], [-1, -1]]
    images = labelled(np.array(rows, dtype))
    assert images.labels.dtype == np.int8
    assert images.labels.tolist() == rows
    # Of the first a label is unknown, of the last nothing is known.
    assert images.unlabelled.tolist() == [False, True, True]
    assert images.subset([1]).labels.dtype == np.uint8


def test_any_id_below_zero_is_no_label():
    images = labelled([-1, 0, -7])
    assert images.labels.tolist() == [-1, 0, -1]
    assert images.unlabelled.tolist() == [True, False, True]


def test_first():
    images = labelled([4, 5, 6])
    assert images.first(2).names == ["a", "b"]
    assert images.first(2).labels.tolist() == [4, 5]
    assert images.first(9).names == NAMES
    assert len(images.first(0)) == 0


def test_largest_id_is_one_that_float32_tells_from_the_next_lower():
    assert labelled([0, 2**24 - 1, 2**24]).labels.tolist()[1:] == [
        2**24 - 1,
        2**24,
    ]
    assert len(set(np.float32([2**24 - 1, 2**24]))) == 2
    assert len(set(np.float32([2**24, 2**24 + 1]))) == 1


@pytest.mark.parametrize(
    "labels, message",
    [
        ([0, 1], "Received: 3 images and 2 labels"),
        ([0.0, 1.0, 2.0], "labels.dtype=float64"),
        (["a", "b", "c"], "labels.dtype=<U1"),
        ([True, False, True], "labels.dtype=bool"),
        (np.zeros((3, 2, 1)), r"Received: labels.shape=\(3, 2, 1\)"),
        (np.array([["a"], ["b"], ["c"]]), r"Received: labels.shape=\(3, 1\)"),
        ([[0, 1], [1, 2], [0, 0]], r"Received: labels\[1, 1\]=2"),
        ([[0, 1], [1, 0], [-2, 0]], r"Received: labels\[2, 0\]=-2"),
        ([[0, 1], [0.5, 0], [0, 0]], r"Received: labels\[1, 0\]=0.5"),
        ([[0, 1], [0, np.nan], [0, 0]], r"Received: labels\[1, 1\]=nan"),
        ([0, 1, 2**24 + 1], "Received: 16777217"),
        (np.array([0, 1, 2**63], "uint64"), "Received: 9223372036854775808"),
    ],
)
def test_refuses(labels, message):
    with pytest.raises(ValueError, match=message):
        labelled(labels)


def test_is_abstract():
    with pytest.raises(TypeError, match="abstract"):
        ImageSet([0], ["a"])
