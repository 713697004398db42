"""How many items, and how many relevant ones, lie at each distance."""

import numpy as np

from hashnet_tf.retrieval.blocks import blocks
from hashnet_tf.retrieval.codes import check_codes
from hashnet_tf.retrieval.hamming import distances
from hashnet_tf.retrieval.labels import check_labels, relevance

# uint16 distance, int64 key and what is added to it, boolean relevance and the
# float32 product of label matrices behind it.
BYTES_PER_PAIR = 24


def histograms(
    query_codes,
    database_codes,
    query_labels,
    database_labels,
    bits,
    block=None,
):
    """Counts, for each query, the database by Hamming distance.

    Every metric that treats ties fairly follows from these two arrays.
    Queries are taken in blocks: no q x n matrix is in memory.

    Args:
        query_codes: uint8 `[q, ceil(bits / 8)]`.
        database_codes: uint8 `[n, ceil(bits / 8)]`.
        query_labels: Class ids `[q]` or zero-or-one matrix `[q, L]`.
        database_labels: Class ids `[n]` or zero-or-one matrix `[n, L]`.
        bits: Int, the length K of the codes.
        block: Int, queries at a time, or None for as many as fit in 64 MiB.

    Returns:
        `(counts, relevant)`, int64 `[q, bits + 1]` each: how many items lie
        at distance 0..K, and how many of those share a label with the query.

    Raises:
        ValueError: If codes or labels are malformed or do not go together.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval import histograms, pack
    >>> codes = pack(np.array([[1, 1], [1, -1], [-1, -1], [-1, -1]]))
    >>> counts, relevant = histograms(codes[:1], codes, [7], [7, 0, 7, 0], 2)
    >>> counts.tolist(), relevant.tolist()
    ([[1, 1, 2]], [[1, 0, 1]])
    """
    query_codes = check_codes(query_codes, bits, "query_codes")
    database_codes = check_codes(database_codes, bits, "database_codes")
    q, n = len(query_codes), len(database_codes)
    query_labels = check_labels(query_labels, q, "query_labels")
    database_labels = check_labels(database_labels, n, "database_labels")
    result = np.empty((q, 2, bits + 1), np.int64)
    for part in blocks(q, BYTES_PER_PAIR * n, block):
        keys = distances(query_codes[part], database_codes).astype(np.int64)
        # One count for both halves: relevant items count from bits + 1 on.
        keys += (bits + 1) * relevance(query_labels[part], database_labels)
        for row, key in zip(result[part], keys, strict=True):
            count = np.bincount(key, minlength=row.size)
            row[:] = count.reshape(row.shape)
    return result.sum(axis=1), result[:, 1]
