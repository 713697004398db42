"""Precision at the relevant items, with ties in the order of the database."""

import numpy as np
import numpy.typing as npt

from hashnet_tf.retrieval._grades import Labels, grades_of
from hashnet_tf.retrieval.codes import Codes
from hashnet_tf.retrieval.hamming import code_words, each_query
from hashnet_tf.retrieval.neighbors import nearest


def file_order_sums(
    query_codes: Codes,
    database_codes: Codes,
    query_labels: Labels,
    database_labels: npt.ArrayLike | None,
    top_k: int | None = None,
    threads: int | None = None,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Sums precision over the relevant items among the first R.

    The sum over p <= R of rel(p) * precision(p), of which average precision is
    a quotient: divided by the relevant items within R it is what the scripts
    of thuml/HashNet and DeepHash-pytorch compute for a query, except that
    numpy's default sort, used there, leaves the order of ties open; here they
    stand as in the database. Which queries the mean is over differs too:
    `hashnet_tf.retrieval.presets`.

    Args:
        query_codes: uint8 `[q, bytes]`, checked.
        database_codes: uint8 `[n, bytes]`, checked, of the same width.
        query_labels: As `histograms`.
        database_labels: As `histograms`.
        top_k: Int R >= 1, or None for the whole database.
        threads: Positive int, or None for the processor's cores.

    Returns:
        `(sums, hits)`, float64 and int64 `[q]`: the sums, and the relevant
        items within R.

    Raises:
        ValueError: If labels are malformed or do not go together.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval import pack
    >>> from hashnet_tf.retrieval._file_order import file_order_sums
    >>> codes = pack(np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]]))
    >>> labels = np.array([7, 0, 7, 7])
    >>> sums, hits = file_order_sums(codes[:1], codes, labels[:1], labels, 3)
    >>> sums.round(4), hits
    (array([1.6667]), array([2]))
    """
    q, n = len(query_codes), len(database_codes)
    last = n if top_k is None else min(top_k, n)
    grades = grades_of(query_labels, database_labels, q, n)
    queries, items = code_words(query_codes), code_words(database_codes)
    sums, count = np.zeros(q), np.zeros(q, np.int64)

    def measure(query):
        order, _ = nearest(queries[:, query], items, last)
        sums[query], count[query] = precision_sum(grades.of(query, order))

    each_query(measure, q, threads)
    return sums, count


def precision_sum(grades: npt.NDArray) -> tuple[float, int]:
    """Returns the sum of precision over the relevant ones, and their number.

    Args:
        grades: Integers, of items as they are ranked; 0 is irrelevant.
    """
    places = np.flatnonzero(grades) + 1
    found = np.arange(1, len(places) + 1)
    return float(np.sum(found / places)), len(places)
