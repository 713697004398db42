"""From codes and labels to a report."""

import numpy as np

from hashnet_tf.retrieval.average_precision import average_precision
from hashnet_tf.retrieval.codes import check_codes
from hashnet_tf.retrieval.file_order_average_precision import (
    file_order_average_precision,
)
from hashnet_tf.retrieval.histograms import histograms
from hashnet_tf.retrieval.labels import check_labels, unlabelled
from hashnet_tf.retrieval.report import RetrievalReport

RULES = {
    "map": (
        "expected value over all tie orders, divided by min(R, relevant items"
        " in the database); a query with none scores 0"
    ),
    "map_file_order": (
        "ties in database order, divided by the hits within R (none: 0); mean"
        " over the queries with a relevant item in the database"
    ),
    "precision_radius2": "mean over all queries; an empty ball scores 0",
    "empty_balls": "share of the queries with no item within distance 2",
}


def evaluate(
    query_codes,
    database_codes,
    query_labels,
    database_labels,
    bits=None,
    at=5000,
):
    """Measures how well codes retrieve.

    An item is relevant to a query iff they share a label. A query that is
    itself in the database finds itself: leave it out beforehand where that is
    not wanted.

    Args:
        query_codes: uint8 `[q, ceil(bits / 8)]`.
        database_codes: uint8 `[n, ceil(bits / 8)]`.
        query_labels: Class ids `[q]`, negative where unlabelled, or a
            zero-or-one matrix `[q, L]`, a row of zeros where unlabelled.
        database_labels: Class ids `[n]` or matrix `[n, L]`.
        bits: Int, the length K of the codes, or None for 8 a byte.
        at: Int R >= 1 of MAP@R. HashNet (ICCV 2017) takes 1,000 on ImageNet
            and 5,000 elsewhere. A smaller database caps it.

    Returns:
        `RetrievalReport`.

    Raises:
        ValueError: If queries or database are empty, if codes or labels are
            malformed or do not go together, or if `at` is no positive
            integer.

    Example:

    >>> import numpy as np
    >>> import hashnet_tf as hn
    >>> signs = np.array([[1] * 8, [-1] * 8, [1] * 7 + [-1]])
    >>> codes = hn.retrieval.pack(signs)
    >>> labels = np.array([0, 1, 0])
    >>> report = hn.retrieval.evaluate(codes, codes, labels, labels)
    >>> report.map, report.precision_radius2
    (1.0, 1.0)
    """
    query_codes = check_codes(query_codes, bits, "query_codes")
    database_codes = check_codes(database_codes, bits, "database_codes")
    q, n = len(query_codes), len(database_codes)
    if not q or not n:
        raise ValueError(
            "`query_codes` and `database_codes` must not be empty."
            f" Received: query_codes.shape={query_codes.shape},"
            f" database_codes.shape={database_codes.shape}"
        )
    query_labels = check_labels(query_labels, q, "query_labels")
    database_labels = check_labels(database_labels, n, "database_labels")
    bits = 8 * query_codes.shape[1] if bits is None else int(bits)
    data = (query_codes, database_codes, query_labels, database_labels, bits)

    counts, relevant = histograms(*data)
    answerable = relevant.any(axis=1)
    file_order = file_order_average_precision(*data, at)[answerable]
    ball = counts[:, :3].sum(axis=1)
    right = relevant[:, :3].sum(axis=1)
    return RetrievalReport(
        bits=bits,
        at=int(min(at, n)),
        queries=q,
        database=n,
        unlabelled_queries=int(unlabelled(query_labels).sum()),
        queries_without_relevant=int(q - answerable.sum()),
        map=float(average_precision(counts, relevant, at).mean()),
        map_file_order=float(file_order.mean()) if len(file_order) else 0.0,
        precision_radius2=float(np.mean(right / np.maximum(ball, 1))),
        empty_balls=float(np.mean(ball == 0)),
        rules=dict(RULES),
    )
