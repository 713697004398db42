"""AP@R, exact under ties: its expected value over all their orders."""

import numpy as np


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
    >>> from hashnet_tf.retrieval.average_precision import average_precision
    >>> average_precision(np.array([[1, 2]]), np.array([[0, 1]]), at=3).round(4)
    array([0.4167])
    """
    if not isinstance(at, (int, np.integer)) or at < 1:
        raise ValueError(
            f"`at` must be a positive integer. Received: at={at!r}"
        )
    before = np.cumsum(counts, axis=1) - counts
    relevant_before = np.cumsum(relevant, axis=1) - relevant
    last = min(int(at), int(counts.sum(axis=1).max(initial=0)))
    harmonic = np.zeros(last + 1)
    np.cumsum(1.0 / np.arange(1, last + 1), out=harmonic[1:])

    first = np.minimum(before, last)
    within = np.minimum(before + counts, last) - first
    step = harmonic[first + within] - harmonic[first]
    slope = (relevant - 1) / np.maximum(counts - 1, 1)
    sums = (relevant_before + 1 - (before + 1) * slope) * step + within * slope
    share = relevant / np.maximum(counts, 1)
    found = relevant.sum(axis=1)
    return (share * sums).sum(axis=1) / np.maximum(np.minimum(found, last), 1)
