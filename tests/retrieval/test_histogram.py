import tracemalloc

import numpy as np
import pytest

from hashnet_tf.retrieval import histograms, pack


def loop(queries, items, grade, bits):
    """Counts one by one; `grade(i, j)` is that of item j for query i."""
    q = len(queries)
    counts, relevant = np.zeros((2, q, bits + 1), int)
    gains = np.zeros((q, bits + 1))
    grades = np.zeros((q, 200), int)
    for i, query in enumerate(queries):
        for j, item in enumerate(items):
            distance = np.sum(query != item)
            counts[i, distance] += 1
            relevant[i, distance] += grade(i, j) > 0
            gains[i, distance] += 2.0 ** grade(i, j) - 1
            grades[i, grade(i, j)] += 1
    return counts, relevant, gains, grades


def assert_equal(found, expected):
    counts, relevant, gains, grades = expected
    np.testing.assert_array_equal(found.counts, counts)
    np.testing.assert_array_equal(found.relevant, relevant)
    np.testing.assert_allclose(found.gains, gains, rtol=1e-13)
    depth = found.grades.shape[1]
    np.testing.assert_array_equal(found.grades, grades[:, :depth])
    assert not grades[:, depth:].any()
    assert found.counts.dtype == found.relevant.dtype == np.int64


@pytest.mark.parametrize(
    "bits, threads",
    [(1, 3), (7, None), (12, 1), (64, 3), (128, None), (256, 1)],
)
def test_ids_against_a_loop(bits, threads):
    rng = np.random.default_rng(bits)
    queries = rng.choice([-1, 1], size=(5, bits))
    items = rng.choice([-1, 1], size=(23, bits))
    ours, theirs = rng.integers(-1, 3, 5), rng.integers(-1, 3, 23)
    ours[0] = -1
    found = histograms(
        pack(queries), pack(items), ours, theirs, bits, threads=threads
    )
    expected = loop(
        queries, items, lambda i, j: int(ours[i] == theirs[j] >= 0), bits
    )
    assert_equal(found, expected)
    assert found.unlabelled_queries == np.sum(ours < 0) > 0


@pytest.mark.parametrize("labels", [2, 64, 81, 1000])
@pytest.mark.parametrize("density", [0.0, 0.05, 0.5])
def test_matrices_against_a_loop(labels, density):
    rng = np.random.default_rng(labels)
    queries = rng.choice([-1, 1], size=(6, 12))
    items = rng.choice([-1, 1], size=(31, 12))
    # Not so many shared labels that 2^grade leaves the test's loop.
    ours = (rng.random((6, labels)) < density * 2 / labels**0.5).astype(int)
    theirs = (rng.random((31, labels)) < density).astype(bool)
    ours[0] = 0
    found = histograms(pack(queries), pack(items), ours, theirs, 12)
    expected = loop(queries, items, lambda i, j: int(ours[i] @ theirs[j]), 12)
    assert_equal(found, expected)
    assert found.unlabelled_queries >= 1


@pytest.mark.parametrize("grade, fits", [(960, True), (961, False)])
def test_grades_are_no_larger_than_their_powers(grade, fits):
    codes = np.zeros((3, 1), np.uint8)
    data = codes[:1], codes, lambda query, part: np.full(3, grade), None
    if fits:
        assert histograms(*data, 8).ndcg_at_k(3).tolist() == [1.0]
    else:
        with pytest.raises(ValueError, match="at most 960.* Received: 961"):
            histograms(*data, 8)


def test_a_function_against_a_matrix():
    rng = np.random.default_rng(0)
    codes = pack(rng.normal(size=(40, 12)))
    rows = (rng.random((40, 5)) < 0.3).astype(int)

    def grade(query, part):
        return rows[part] @ rows[query]

    one = histograms(codes[:9], codes, grade, None, 12)
    other = histograms(codes[:9], codes, rows[:9], rows, 12)
    for name in ("counts", "relevant", "gains"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    width = max(one.grades.shape[1], other.grades.shape[1])
    padded = [
        np.pad(g, ((0, 0), (0, width - g.shape[1])))
        for g in (one.grades, other.grades)
    ]
    np.testing.assert_array_equal(*padded)


@pytest.mark.parametrize(
    "n, bits", [(2**14 - 1, 64), (2**14, 8), (70_001, 72), (70_001, 264)]
)
def test_many_items(n, bits):
    # Beyond the stretches, counted in pairs, with one left over.
    rng = np.random.default_rng(n)
    codes = rng.integers(0, 256, (n, bits // 8), dtype=np.uint8)
    rows = (rng.random((n, 70)) < 0.05).astype(np.uint8)
    found = histograms(codes[:2], codes, rows[:2], rows, bits)
    for i in range(2):
        distances = np.bitwise_count(codes ^ codes[i]).sum(axis=1)
        grades = rows.astype(int) @ rows[i].astype(int)
        np.testing.assert_array_equal(
            found.counts[i], np.bincount(distances, minlength=bits + 1)
        )
        np.testing.assert_array_equal(
            found.relevant[i],
            np.bincount(distances[grades > 0], minlength=bits + 1),
        )
        by_grade = np.bincount(grades, minlength=found.grades.shape[1])
        np.testing.assert_array_equal(found.grades[i], by_grade)


def test_no_matrix_of_queries_by_items_in_memory():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 256, (20_000, 8), dtype=np.uint8)
    labels = rng.integers(0, 10, 20_000)
    tracemalloc.start()
    histograms(codes[:1000], codes, labels[:1000], labels, 64, threads=2)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # One byte a pair would be 20 MB.
    assert peak < 8e6


CODES = np.zeros((2, 1), "uint8")


@pytest.mark.parametrize(
    "ours, theirs, message",
    [
        ([0], [0, 1], "`query_labels` must hold one"),
        ([0, 1], [0, 1, 2], "`database_labels` must hold one"),
        ([0, 1], np.eye(2), "both be class ids or both matrices"),
        (np.eye(2), np.zeros((2, 3)), r"database_labels.shape=\(2, 3\)"),
        (lambda i, part: np.zeros(2, int), [0, 1], "must be None"),
        (lambda i, part: np.zeros(3, int), None, r"shape=\(3,\)"),
        (lambda i, part: np.zeros(2), None, "dtype=float64"),
        (lambda i, part: np.array([0, -2]), None, "Received: -2"),
    ],
)
def test_refuses_labels(ours, theirs, message):
    with pytest.raises(ValueError, match=message):
        histograms(CODES, CODES, ours, theirs, 8)


def test_refuses_codes_and_threads():
    wide = np.zeros((2, 2), "uint8")
    with pytest.raises(ValueError, match="`database_codes` of 8 bits"):
        histograms(CODES, wide, [0, 1], [0, 1], 8)
    with pytest.raises(ValueError, match="Received: threads=0"):
        histograms(CODES, CODES, [0, 1], [0, 1], 8, threads=0)
