"""AP@R by the rule that published HashNet numbers were measured with."""

import numpy as np

from hashnet_tf.retrieval.blocks import blocks
from hashnet_tf.retrieval.codes import check_codes
from hashnet_tf.retrieval.hamming import distances
from hashnet_tf.retrieval.labels import check_labels, relevance

# uint16 distance, int64 order, and up to R = n the hits, their running count
# and the precision.
BYTES_PER_PAIR = 32


def file_order_average_precision(
    query_codes, database_codes, query_labels, database_labels, bits, at
):
    """Computes AP@R with ties in file order, over the hits within R.

    AP@R = sum over p <= R of rel(p) * precision(p), divided by the number of
    relevant items within the first R: one hit at the first place and no other
    scores 1. It is the rule of thuml/HashNet (caffe/models/predict,
    `predict_parallel.py`), except that numpy's default sort, used there,
    leaves the order of ties open; here they stand as in the database.

    Args:
        query_codes: uint8 `[q, ceil(bits / 8)]`.
        database_codes: uint8 `[n, ceil(bits / 8)]`.
        query_labels: Class ids `[q]` or zero-or-one matrix `[q, L]`.
        database_labels: Class ids `[n]` or zero-or-one matrix `[n, L]`.
        bits: Int, the length K of the codes.
        at: Int R >= 1; more than the database holds counts as all of it.

    Returns:
        float64 `[q]`, 0 where nothing relevant stands within R.

    Raises:
        ValueError: If codes or labels are malformed or do not go together,
            or if `at` is no positive integer.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval import pack
    >>> from hashnet_tf.retrieval.file_order_average_precision import (
    ...     file_order_average_precision,
    ... )
    >>> codes = pack(np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]]))
    >>> labels = np.array([7, 0, 7, 7])
    >>> query = codes[:1], codes, labels[:1], labels
    >>> file_order_average_precision(*query, bits=2, at=3).round(4)
    array([0.8333])
    """
    query_codes = check_codes(query_codes, bits, "query_codes")
    database_codes = check_codes(database_codes, bits, "database_codes")
    q, n = len(query_codes), len(database_codes)
    query_labels = check_labels(query_labels, q, "query_labels")
    database_labels = check_labels(database_labels, n, "database_labels")
    if not isinstance(at, (int, np.integer)) or at < 1:
        raise ValueError(
            f"`at` must be a positive integer. Received: at={at!r}"
        )
    places = np.arange(1, min(at, n) + 1)
    result = np.empty(q)
    for part in blocks(q, BYTES_PER_PAIR * n):
        ranked = distances(query_codes[part], database_codes)
        order = np.argsort(ranked, axis=1, kind="stable")[:, :at]
        hits = relevance(query_labels[part], database_labels)
        hits = np.take_along_axis(hits, order, axis=1)
        found = np.cumsum(hits, axis=1)
        sums = (hits * found / places).sum(axis=1)
        result[part] = sums / np.maximum(found[:, -1], 1)
    return result
