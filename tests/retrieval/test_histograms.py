import numpy as np
import pytest

from hashnet_tf.retrieval import histograms, pack


@pytest.mark.parametrize("bits", [1, 7, 12, 64, 128])
@pytest.mark.parametrize("block", [None, 1, 2, 100])
def test_against_a_loop(bits, block):
    rng = np.random.default_rng(bits)
    queries = rng.choice([-1, 1], size=(5, bits))
    items = rng.choice([-1, 1], size=(23, bits))
    query_labels = rng.integers(-1, 3, 5)
    labels = rng.integers(-1, 3, 23)
    counts, relevant = histograms(
        pack(queries), pack(items), query_labels, labels, bits, block=block
    )
    expected = np.zeros((2, 5, bits + 1), int)
    for i, query in enumerate(queries):
        for j, item in enumerate(items):
            distance = np.sum(query != item)
            expected[0, i, distance] += 1
            if query_labels[i] == labels[j] >= 0:
                expected[1, i, distance] += 1
    assert counts.dtype == relevant.dtype == np.int64
    np.testing.assert_array_equal(counts, expected[0])
    np.testing.assert_array_equal(relevant, expected[1])


def test_matrix_labels():
    codes = pack(np.array([[1.0], [-1.0]]))
    rows = np.array([[1, 1, 0], [0, 1, 0]])
    _, relevant = histograms(codes, codes, rows, rows, 1)
    assert relevant.tolist() == [[1, 1], [1, 1]]


def test_refuses():
    codes = np.zeros((2, 1), "uint8")
    with pytest.raises(ValueError, match="Received: block=0"):
        histograms(codes, codes, [0, 1], [0, 1], 8, block=0)
    with pytest.raises(ValueError, match="`query_labels` must hold one"):
        histograms(codes, codes, [0], [0, 1], 8)
    with pytest.raises(ValueError, match="`database_labels` must hold one"):
        histograms(codes, codes, [0, 1], [0, 1, 2], 8)
    with pytest.raises(ValueError, match="`database_codes` of 8 bits"):
        histograms(codes, np.zeros((2, 2), "uint8"), [0, 1], [0, 1], 8)
