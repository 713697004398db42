"""Precision within the first N of the ranking."""

from hashnet_tf.retrieval.groups import check_at, group_shares


def precision_at(counts, relevant, at):
    """Averages precision@N over every order of the items at equal distance.

    The share of relevant items among the first N. Of the group that the cut
    falls into, each item stands within N with the same probability. Where the
    database holds fewer than N items, the missing ones count as wrong.

    Args:
        counts: int64 `[q, bits + 1]`, items at each distance.
        relevant: int64 `[q, bits + 1]`, relevant ones among these.
        at: Int N >= 1.

    Returns:
        float64 `[q]`.

    Raises:
        ValueError: If `at` is no positive integer.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval.precision_at import precision_at
    >>> precision_at(np.array([[1, 2]]), np.array([[0, 1]]), at=2)
    array([0.25])
    """
    shares = group_shares(counts, at)
    return (relevant * shares).sum(axis=1) / check_at(at)
