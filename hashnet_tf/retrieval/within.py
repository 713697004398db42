"""All codes within a Hamming radius, exactly."""

import numpy as np

from hashnet_tf.retrieval.codes import check_codes
from hashnet_tf.retrieval.hamming import check_widths, code_words
from hashnet_tf.retrieval.nearest import reached
from hashnet_tf.retrieval.search import BLOCK
from hashnet_tf.retrieval.threads import each_query


def within(query_codes, database_codes, radius, threads=None):
    """Finds all database codes within a Hamming radius of each query.

    Args:
        query_codes: uint8 `[q, bytes]`.
        database_codes: uint8 `[n, bytes]`, a memory map perhaps.
        radius: Int >= 0, in bits; an item at this distance counts.
        threads: Positive int, or None for the processor's cores.

    Returns:
        `(distances, indices)`, lists of q arrays, uint16 and int64, each as
        long as its ball holds items: the nearest first, items at equal
        distance by rising index.

    Raises:
        ValueError: If one of the arrays is not packed codes, if they differ
            in width or if `radius` is no integer >= 0.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval import within
    >>> database = np.array([[255], [1], [0], [2]], dtype="uint8")
    >>> within(np.array([[0]], dtype="uint8"), database, radius=1)
    ([array([0, 1, 1], dtype=uint16)], [array([2, 1, 3])])
    """
    query_codes = check_codes(query_codes, name="query_codes")
    database_codes = check_codes(database_codes, name="database_codes")
    check_widths(query_codes, database_codes)
    if (
        isinstance(radius, bool)
        or not isinstance(radius, (int, np.integer))
        or radius < 0
    ):
        raise ValueError(
            "`radius` must be an integer of at least 0."
            f" Received: radius={radius!r}"
        )
    q, n = len(query_codes), len(database_codes)
    queries = code_words(query_codes)
    distances = [np.zeros(0, np.uint16) for _ in range(q)]
    indices = [np.zeros(0, np.int64) for _ in range(q)]
    for start in range(0, n, BLOCK):
        items = code_words(database_codes[start : start + BLOCK])

        def collect(query, items=items, start=start):
            found, near = reached(queries[:, query], items, radius)
            near = np.concatenate([distances[query], near])
            found = np.concatenate([indices[query], found + start])
            order = np.argsort(near, kind="stable")
            distances[query], indices[query] = near[order], found[order]

        each_query(collect, q, threads)
    return distances, indices
