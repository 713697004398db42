"""AP@R by the order that published HashNet numbers were measured with."""

import numpy as np

from hashnet_tf.retrieval.codes import check_codes
from hashnet_tf.retrieval.grades import grades_of
from hashnet_tf.retrieval.groups import check_at
from hashnet_tf.retrieval.hamming import code_words
from hashnet_tf.retrieval.nearest import nearest
from hashnet_tf.retrieval.threads import each_query


def file_order_average_precision(
    query_codes,
    database_codes,
    query_labels,
    database_labels,
    bits,
    at,
    threads=None,
):
    """Computes AP@R with ties in file order, over the hits within R.

    AP@R = sum over p <= R of rel(p) * precision(p), divided by the number of
    relevant items within the first R: one hit at the first place and no other
    scores 1. It is what the scripts of thuml/HashNet and DeepHash-pytorch
    compute for a query, except that numpy's default sort, used there, leaves
    the order of ties open; here they stand as in the database. Which queries
    the mean is over differs: `hashnet_tf.retrieval.presets`.

    Args:
        query_codes: uint8 `[q, ceil(bits / 8)]`.
        database_codes: uint8 `[n, ceil(bits / 8)]`.
        query_labels: As in `histograms`.
        database_labels: As in `histograms`.
        bits: Int, the length K of the codes.
        at: Int R >= 1; more than the database holds counts as all of it.
        threads: Positive int, or None for the processor's cores.

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
    last = min(check_at(at), n)
    grades = grades_of(query_labels, database_labels, q, n)
    queries, items = code_words(query_codes), code_words(database_codes)
    result = np.zeros(q)

    def measure(query):
        order, _ = nearest(queries[:, query], items, last)
        hits = grades.of(query, order) > 0
        places = np.flatnonzero(hits) + 1
        if len(places):
            found = np.arange(1, len(places) + 1)
            result[query] = np.mean(found / places)

    each_query(measure, q, threads)
    return result
