import numpy as np
import pytest

from hashnet_tf.datasets import FileImages, RetrievalDataset
from hashnet_tf.losses import count_pairs
from hashnet_tf.retrieval.labels import label_matrix, label_width


def dataset_of(*parts, class_names=None):
    train, query, database = (
        FileImages("nowhere", [str(i) for i in range(len(labels))], labels)
        for labels in parts
    )
    return RetrievalDataset(
        "mine", "By hand.", train, query, database, class_names
    )


def test_width():
    assert label_width(dataset_of([0, 1], [7], [2, -1])) == 8
    names = ["a", "b", "c"]
    assert label_width(dataset_of([0, 1], [0], [1], class_names=names)) == 3
    rows = [[0, 1, 0, 0], [1, 0, 0, 0]]
    assert label_width(dataset_of(rows, [3], [1])) == 4
    assert label_width(dataset_of(rows, rows, rows)) == 4


@pytest.mark.parametrize(
    "query, names, message",
    [
        ([3], ["a", "b", "c"], r"class id, 3, .* Received: mine with \[3\]"),
        ([2**16], None, r"Received: mine with \[65537\]"),
    ],
)
def test_refuses_a_class_without_a_column(query, names, message):
    with pytest.raises(ValueError, match=message):
        label_width(dataset_of([0, 1], query, [1], class_names=names))


def test_refuses_matrices_that_differ():
    rows = [[0, 1], [1, 0]]
    with pytest.raises(ValueError, match=r"Received: mine with \[2, 3\]"):
        label_width(dataset_of(rows, [[0, 1, 0]], rows))
    with pytest.raises(ValueError, match=r"Received: mine with \[2, 3\]"):
        label_width(dataset_of(rows, [0], rows, class_names=["a", "b", "c"]))


def test_what_is_unknown_of_ids_is_unknown_of_their_rows():
    ids = np.array([0, 2, -1, 2, -1, 1])
    rows = label_matrix(ids, 4, unlabelled=-1)
    assert count_pairs(rows) == count_pairs(ids)
    rows = label_matrix(ids, 4, unlabelled=0)
    assert rows.tolist() == [[int(i == k) for k in range(4)] for i in ids]


def test_a_matrix_stays():
    rows = np.array([[0, -1], [1, 1]], np.int8)
    assert label_matrix(rows, 2, unlabelled=0) is rows
