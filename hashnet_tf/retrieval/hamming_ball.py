"""Precision and recall of lookup: all items within a Hamming radius."""

import numpy as np

EMPTY_BALL_RULES = ("zero", "skip")


def ball_precision(counts, relevant, empty="zero"):
    """Computes the mean precision within Hamming radius r for every r.

    P@H<=2 of HashNet (ICCV 2017) is the value at r = 2. A query whose ball is
    empty has no precision; the paper does not say what it did then. "zero"
    counts it as 0, "skip" leaves it out of the mean at that radius.

    Args:
        counts: int64 `[q, bits + 1]`, items at each distance.
        relevant: int64 `[q, bits + 1]`, relevant ones among these.
        empty: "zero" or "skip".

    Returns:
        float64 `[bits + 1]`, 0 where every ball is empty.

    Raises:
        ValueError: If `empty` is none of these.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval.hamming_ball import ball_precision
    >>> counts = np.array([[2, 2], [0, 1]])
    >>> relevant = np.array([[1, 0], [0, 1]])
    >>> ball_precision(counts, relevant).tolist()
    [0.25, 0.625]
    >>> ball_precision(counts, relevant, empty="skip").tolist()
    [0.5, 0.625]
    """
    if empty not in EMPTY_BALL_RULES:
        raise ValueError(
            f"`empty` must be one of {EMPTY_BALL_RULES}."
            f" Received: empty={empty!r}"
        )
    items = np.cumsum(counts, axis=1)
    precision = np.cumsum(relevant, axis=1) / np.maximum(items, 1)
    if empty == "zero":
        return precision.mean(axis=0)
    filled = (items > 0).sum(axis=0)
    return precision.sum(axis=0) / np.maximum(filled, 1)


def ball_recall(relevant):
    """Computes the mean recall within Hamming radius r for every r.

    Over the queries that have a relevant item; the others have no recall.

    Args:
        relevant: int64 `[q, bits + 1]`, relevant items at each distance.

    Returns:
        float64 `[bits + 1]`, 0 where no query has a relevant item.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval.hamming_ball import ball_recall
    >>> ball_recall(np.array([[1, 3], [0, 0]])).tolist()
    [0.25, 1.0]
    """
    answerable = relevant[relevant.any(axis=1)]
    if not len(answerable):
        return np.zeros(relevant.shape[1])
    found = np.cumsum(answerable, axis=1)
    return (found / found[:, -1:]).mean(axis=0)


def empty_balls(counts):
    """Returns the share of queries with an empty ball, float64 `[bits + 1]`.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval.hamming_ball import empty_balls
    >>> empty_balls(np.array([[2, 2], [0, 1]])).tolist()
    [0.5, 0.0]
    """
    return (np.cumsum(counts, axis=1) == 0).mean(axis=0)
