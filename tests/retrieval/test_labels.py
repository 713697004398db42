import numpy as np
import pytest

from hashnet_tf.retrieval.labels import check_labels, relevance, unlabelled


def test_ids_are_relevant_where_equal_and_known():
    queries = check_labels(np.array([0, 2, -1, -2], "int8"))
    items = check_labels([2, 0, -1, 0, -2])
    assert queries.dtype == np.int64
    assert relevance(queries, items).astype(int).tolist() == [
        [0, 1, 0, 1, 0],
        [1, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],
    ]
    assert unlabelled(queries).tolist() == [False, False, True, True]


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float64"])
def test_matrix_is_relevant_where_a_label_is_shared(dtype):
    rng = np.random.default_rng(0)
    queries = (rng.random((6, 5)) < 0.3).astype(dtype)
    items = (rng.random((9, 5)) < 0.3).astype(dtype)
    queries[0] = 0
    naive = [
        [
            any(a and b for a, b in zip(query, item, strict=True))
            for item in items
        ]
        for query in queries
    ]
    found = relevance(check_labels(queries), check_labels(items))
    assert found.tolist() == naive
    assert unlabelled(check_labels(queries))[0]
    assert not found[0].any()


def test_one_column_is_a_column_of_ids():
    assert check_labels([[0], [1], [5]], 3).tolist() == [0, 1, 5]


def test_one_hot_rows_and_ids_agree():
    ids = np.array([0, 3, 1, 3, 2])
    rows = np.eye(4)[ids]
    np.testing.assert_array_equal(
        relevance(ids, ids), relevance(check_labels(rows), check_labels(rows))
    )


@pytest.mark.parametrize(
    "labels, message",
    [
        ([], "and not empty"),
        (np.zeros((3, 0)), r"mine.shape=\(3, 0\)"),
        (np.zeros((3, 1, 1)), r"mine.shape=\(3, 1, 1\)"),
        (3, r"mine.shape=\(\)"),
        ([1, 2], "each of 3 items"),
        ([1.0, 2.0, 3.0], "mine.dtype=float64"),
        (
            np.array([1, 2, 2**63], "uint64"),
            "up to .* Received: 92233720368547",
        ),
        ([[0.9, 0.1], [0.1, 0.9], [0, 1]], r"0 and 1 .*mine\[0, 0\]=0.9"),
        ([[5, 1], [1, 0], [0, 1]], r"0 and 1 .*mine\[0, 0\]=5"),
        ([1.0, np.nan, 3.0], "mine.dtype=float64"),
        (["a", "b", "c"], "mine.dtype=<U1"),
        ([[0, 1], [1, 0], [0, -1]], r"mine\[2, 1\]=-1"),
        ([[0, 1], [0, np.nan], [0, 1]], r"mine\[1, 1\]=nan"),
        ([[0, 1], [0, 0.5], [0, 1]], r"mine\[1, 1\]=0.5"),
    ],
)
def test_check_labels_refuses(labels, message):
    with pytest.raises(ValueError, match=message):
        check_labels(labels, 3, "mine")


@pytest.mark.parametrize(
    "items", [np.zeros((3, 2), "float32"), np.zeros((3, 4), "float32")]
)
def test_relevance_refuses_unlike_labels(items):
    for queries in (np.zeros((2, 3), "float32"), np.array([1, 2])):
        with pytest.raises(ValueError, match="Received: query_labels.shape"):
            relevance(queries, items)
