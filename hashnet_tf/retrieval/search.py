"""The nearest codes, exactly."""

import numpy as np

from hashnet_tf.retrieval.codes import check_codes
from hashnet_tf.retrieval.hamming import check_widths, code_words
from hashnet_tf.retrieval.nearest import nearest
from hashnet_tf.retrieval.threads import each_query

# Codes read from a memory map at a time.
BLOCK = 2**20


def search(query_codes, database_codes, k, threads=None):
    """Finds the k nearest database codes of each query by Hamming distance.

    Exact: every code is compared. The database is read in blocks and only
    the best k so far are kept, so it may be a memory map larger than memory
    (`numpy.load("codes.npy", mmap_mode="r")`).

    Args:
        query_codes: uint8 `[q, bytes]`.
        database_codes: uint8 `[n, bytes]`.
        k: Int >= 1; more than the database holds counts as all of it.
        threads: Positive int, or None for the processor's cores.

    Returns:
        `(distances, indices)`, uint16 and int64 `[q, min(k, n)]`, the nearest
        first; items at equal distance by rising index.

    Raises:
        ValueError: If one of the arrays is not packed codes, if they differ
            in width or if `k` is no positive integer.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval import search
    >>> database = np.array([[255], [1], [0], [2]], dtype="uint8")
    >>> search(np.array([[0]], dtype="uint8"), database, k=3)
    (array([[0, 1, 1]], dtype=uint16), array([[2, 1, 3]]))
    """
    query_codes = check_codes(query_codes, name="query_codes")
    database_codes = check_codes(database_codes, name="database_codes")
    check_widths(query_codes, database_codes)
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise ValueError(f"`k` must be a positive integer. Received: k={k!r}")
    q, n = len(query_codes), len(database_codes)
    queries = code_words(query_codes)
    distances = np.zeros((q, 0), np.uint16)
    indices = np.zeros((q, 0), np.int64)
    for start in range(0, n, BLOCK):
        items = code_words(database_codes[start : start + BLOCK])
        seen = indices.shape[1]
        keep = min(k, seen + items.shape[1])
        old = distances, indices
        distances = np.empty((q, keep), np.uint16)
        indices = np.empty((q, keep), np.int64)

        def merge(
            query,
            items=items,
            start=start,
            old=old,
            new=(distances, indices),
        ):
            k_here = min(k, items.shape[1])
            found, near = nearest(queries[:, query], items, k_here)
            # What was found before has lower indices and so goes first.
            near = np.concatenate([old[0][query], near])
            found = np.concatenate([old[1][query], found + start])
            order = np.argsort(near, kind="stable")[: new[0].shape[1]]
            new[0][query], new[1][query] = near[order], found[order]

        each_query(merge, q, threads)
    return distances, indices
