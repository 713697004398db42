"""NDCG, for labels that are shared in different numbers."""

import numpy as np

from hashnet_tf.retrieval.groups import before, last_rank


def ndcg(counts, gains, grades, at):
    """Averages NDCG@R over every order of the items at equal distance.

    DCG@R = sum over p <= R of (2^grade(p) - 1) / log2(p + 1), with the number
    of labels shared with the query as the grade (Jarvelin & Kekalainen,
    "Cumulated gain-based evaluation of IR techniques", TOIS 2002, with the
    gain of Burges et al., "Learning to rank using gradient descent", ICML
    2005); NDCG divides it by that of the best ranking of the database. Under a
    random order of tied items each place of a group has its mean gain. A query
    without any relevant item scores 0.

    Args:
        counts: int64 `[q, bits + 1]`, items at each distance.
        gains: float64 `[q, bits + 1]`, the sum of 2^grade - 1 over these.
        grades: int64 `[q, G + 1]`, items of the database of each grade.
        at: Int R >= 1; more than the database holds counts as all of it.

    Returns:
        float64 `[q]`.

    Raises:
        ValueError: If `at` is no positive integer.

    Example:

    Of two items the nearer shares one label and the other two.

    >>> import numpy as np
    >>> from hashnet_tf.retrieval.ndcg import ndcg
    >>> counts, gains = np.array([[1, 1]]), np.array([[1.0, 3.0]])
    >>> ndcg(counts, gains, np.array([[0, 1, 1]]), at=2).round(4)
    array([0.7967])
    """
    last = last_rank(counts, at)
    # Sums of the discounts of the first p places.
    discounts = np.zeros(last + 1)
    np.cumsum(1.0 / np.log2(np.arange(2, last + 2)), out=discounts[1:])
    found = _sums(counts, discounts) * gains / np.maximum(counts, 1)
    falling = grades[:, ::-1]
    each = 2.0 ** np.arange(grades.shape[1])[::-1] - 1
    best = (_sums(falling, discounts) * each).sum(axis=1)
    return np.divide(
        found.sum(axis=1), best, out=np.zeros(len(best)), where=best > 0
    )


def _sums(counts, discounts):
    last = len(discounts) - 1
    start = before(counts)
    first, stop = np.minimum(start, last), np.minimum(start + counts, last)
    return discounts[stop] - discounts[first]
