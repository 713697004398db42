"""How many items, and how relevant ones, lie at each distance."""

import dataclasses

import numpy as np

from hashnet_tf.retrieval.codes import check_codes
from hashnet_tf.retrieval.grades import grades_of
from hashnet_tf.retrieval.hamming import (
    code_words,
    count_distances,
    each_query,
    word_distances,
)


@dataclasses.dataclass(frozen=True)
class Histograms:
    """What all metrics that treat ties fairly follow from.

    Attributes:
        counts: int64 `[q, bits + 1]`, items at distance 0..K.
        relevant: int64 `[q, bits + 1]`, those with a grade above 0.
        gains: float64 `[q, bits + 1]`, the sum of 2^grade - 1 over the items,
            the gain of NDCG.
        grades: int64 `[q, G + 1]`, items of the database of grade 0..G.
        unlabelled_queries: Int.
    """

    counts: np.ndarray
    relevant: np.ndarray
    gains: np.ndarray
    grades: np.ndarray
    unlabelled_queries: int


def histograms(
    query_codes,
    database_codes,
    query_labels,
    database_labels,
    bits,
    threads=None,
):
    """Counts, for each query, the database by Hamming distance and grade.

    The grade of an item is the number of labels that it shares with the
    query. The distances of one query a thread are in memory, never a q x n
    matrix.

    Args:
        query_codes: uint8 `[q, ceil(bits / 8)]`.
        database_codes: uint8 `[n, ceil(bits / 8)]`.
        query_labels: Class ids `[q]`, a zero-or-one matrix `[q, L]` or a
            function, as `hashnet_tf.retrieval.grades.grades_of` takes it.
        database_labels: Class ids `[n]`, matrix `[n, L]`, or None with a
            function.
        bits: Int, the length K of the codes.
        threads: Positive int, or None for the processor's cores.

    Returns:
        `Histograms`.

    Raises:
        ValueError: If codes or labels are malformed or do not go together.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval import histograms, pack
    >>> codes = pack(np.array([[1, 1], [1, -1], [-1, -1], [-1, -1]]))
    >>> result = histograms(codes[:1], codes, [7], [7, 0, 7, 0], bits=2)
    >>> result.counts.tolist(), result.relevant.tolist()
    ([[1, 1, 2]], [[1, 0, 1]])
    """
    query_codes = check_codes(query_codes, bits, "query_codes")
    database_codes = check_codes(database_codes, bits, "database_codes")
    q, n = len(query_codes), len(database_codes)
    grades = grades_of(query_labels, database_labels, q, n)
    queries, items = code_words(query_codes), code_words(database_codes)
    width = bits + 1
    counts = np.zeros((q, width), np.int64)
    tables = [None] * q

    def count(query):
        distances = word_distances(queries[:, query], items)
        counts[query] = count_distances(distances, width)
        tables[query] = grades.relevant_table(query, distances, width)

    each_query(count, q, threads)
    depth = max((len(table) for table in tables), default=1)
    by_grade = np.zeros((q, depth), np.int64)
    relevant = np.zeros((q, width), np.int64)
    gains = np.zeros((q, width))
    for query, table in enumerate(tables):
        by_grade[query, : len(table)] = table.sum(axis=1)
        relevant[query] = table.sum(axis=0)
        gains[query] = (2.0 ** np.arange(len(table)) - 1) @ table
    by_grade[:, 0] = n - relevant.sum(axis=1)
    return Histograms(
        counts, relevant, gains, by_grade, grades.unlabelled_queries
    )
