"""Average precision under ties: expected, best, worst, in file order."""

import numpy as np

from hashnet_tf.retrieval._measures import before, check_at, harmonic, last_rank
from hashnet_tf.retrieval.codes import check_codes
from hashnet_tf.retrieval.grades import grades_of
from hashnet_tf.retrieval.hamming import code_words, each_query
from hashnet_tf.retrieval.neighbors import nearest


def average_precision(counts, relevant, at):
    """Averages AP@R over every order of the items at equal distance.

    AP@R = 1 / min(R, relevant in the database) * sum over p <= R of
    rel(p) * precision(p). Short codes put many items at the same distance and
    a ranking must order them by something other than the code; the expected
    value over all orders depends on the codes alone. A query without any
    relevant item scores 0.

    Let a group of n tied items, r of them relevant, follow b items of which
    s are relevant. Its j-th item stands at p = b + j, is relevant with
    probability r / n and, if it is, has (j - 1)(r - 1) / (n - 1) relevant
    ones of its group before it on average, so

        E[rel(p) precision(p)] = r / n * (s + 1 + (j - 1) t) / (b + j),

    with t = (r - 1) / (n - 1). As j - 1 = (b + j) - (b + 1), the sum over
    j = 1..m, where m <= n items of the group stand within R, is

        r / n * ((s + 1 - (b + 1) t) (H(b + m) - H(b)) + m t),

    with the harmonic numbers H. It is the closed form of McSherry & Najork
    ("Computing information retrieval performance measures efficiently in the
    presence of tied scores", ECIR 2008), cut at R.

    Args:
        counts: int64 `[q, bits + 1]`, items at each distance.
        relevant: int64 `[q, bits + 1]`, relevant ones among these.
        at: Int R >= 1; more than the database holds counts as all of it.

    Returns:
        float64 `[q]`.

    Raises:
        ValueError: If `at` is no positive integer.

    Example:

    The nearest item is wrong, then one right and one wrong are tied: the
    right one stands at place 2 or 3.

    >>> import numpy as np
    >>> from hashnet_tf.retrieval._average_precision import average_precision
    >>> average_precision(np.array([[1, 2]]), np.array([[0, 1]]), at=3).round(4)
    array([0.4167])
    """
    last = last_rank(counts, at)
    items, hits = before(counts), before(relevant)
    numbers = harmonic(last)
    first = np.minimum(items, last)
    within = np.minimum(items + counts, last) - first
    step = numbers[first + within] - numbers[first]
    slope = (relevant - 1) / np.maximum(counts - 1, 1)
    sums = (hits + 1 - (items + 1) * slope) * step + within * slope
    share = relevant / np.maximum(counts, 1)
    return _normalised((share * sums).sum(axis=1), relevant, last)


def extreme_average_precision(counts, relevant, at, best):
    """Computes AP@R with ties in the best or in the worst order.

    The best order puts the relevant items of each distance first, the worst
    puts them last. How far apart the two are is how much a number can owe to
    the order of a file. In a run of r relevant items behind b items of which s
    are relevant, the precisions are (s + j) / (b + j), which sum to

        r + (s - b) (H(b + r) - H(b)).

    Args:
        counts: int64 `[q, bits + 1]`, items at each distance.
        relevant: int64 `[q, bits + 1]`, relevant ones among these.
        at: Int R >= 1; more than the database holds counts as all of it.
        best: Bool, which of the two.

    Returns:
        float64 `[q]`, normalised as `average_precision`.

    Raises:
        ValueError: If `at` is no positive integer.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval._average_precision import (
    ...     extreme_average_precision,
    ... )
    >>> group = np.array([[1, 2]]), np.array([[0, 1]])
    >>> extreme_average_precision(*group, at=3, best=True)
    array([0.5])
    >>> extreme_average_precision(*group, at=3, best=False).round(4)
    array([0.3333])
    """
    last = last_rank(counts, at)
    hits, numbers = before(relevant), harmonic(last)
    start = before(counts) + (0 if best else counts - relevant)
    first = np.minimum(start, last)
    run = np.minimum(start + relevant, last) - first
    sums = run + (hits - first) * (numbers[first + run] - numbers[first])
    return _normalised(sums.sum(axis=1), relevant, last)


def _normalised(sums, relevant, last):
    wanted = np.minimum(relevant.sum(axis=1), last)
    return sums / np.maximum(wanted, 1)


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
    >>> from hashnet_tf.retrieval._average_precision import (
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
