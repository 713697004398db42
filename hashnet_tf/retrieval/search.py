"""The nearest codes, exactly."""

import numpy as np

from hashnet_tf.retrieval.blocks import blocks
from hashnet_tf.retrieval.codes import check_codes
from hashnet_tf.retrieval.hamming import distances

# A distance above, an index below: one order for both, no two keys alike.
INDEX_BITS = 40
# Queries taken together; the block of the database is cut to fit.
QUERY_ROWS = 64
# uint16 distance, int64 key and the copy that the partition makes.
BYTES_PER_PAIR = 24


def search(query_codes, database_codes, k):
    """Finds the k nearest database codes of each query by Hamming distance.

    Exact: every code is compared. The database is read in blocks and only
    the best k so far are kept, so it may be a memory map larger than memory
    (`numpy.load("codes.npy", mmap_mode="r")`).

    Args:
        query_codes: uint8 `[q, bytes]`.
        database_codes: uint8 `[n, bytes]`.
        k: Int >= 1; more than the database holds counts as all of it.

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
    if not isinstance(k, (int, np.integer)) or k < 1:
        raise ValueError(f"`k` must be a positive integer. Received: k={k!r}")
    q, n = len(query_codes), len(database_codes)
    best = np.empty((q, 0), np.int64)
    for part in blocks(n, BYTES_PER_PAIR * QUERY_ROWS):
        items = database_codes[part]
        merged = np.empty((q, min(k, best.shape[1] + len(items))), np.int64)
        for rows in blocks(q, 0, QUERY_ROWS):
            keys = distances(query_codes[rows], items).astype(np.int64)
            keys <<= INDEX_BITS
            keys += np.arange(part.start, part.stop)
            merged[rows] = _smallest(np.hstack([best[rows], keys]), k)
        best = merged
    found = best & ((1 << INDEX_BITS) - 1)
    return (best >> INDEX_BITS).astype(np.uint16), found


def _smallest(keys, k):
    if k < keys.shape[1]:
        keys = np.partition(keys, k - 1, axis=1)[:, :k]
    return np.sort(keys, axis=1)
