"""The precision-recall curve at given recalls."""

import numpy as np


def precision_at_recall(counts, relevant, recalls):
    """Computes the mean interpolated precision at each recall.

    A query's curve has one point a radius, its precision and recall within
    the ball. Its interpolated precision at a recall is the highest of the
    points that reach this recall, as in TREC's 11-point curve. The mean is
    over the queries that have a relevant item.

    Args:
        counts: int64 `[q, bits + 1]`, items at each distance.
        relevant: int64 `[q, bits + 1]`, relevant ones among these.
        recalls: Floats in [0, 1], m of them.

    Returns:
        float64 `[m]`, 0 where no query has a relevant item.

    Raises:
        ValueError: If a recall is outside of [0, 1].

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval.precision_recall import precision_at_recall
    >>> counts, relevant = np.array([[1, 2, 1]]), np.array([[1, 0, 1]])
    >>> precision_at_recall(counts, relevant, [0.0, 0.5, 0.6]).tolist()
    [1.0, 1.0, 0.5]
    """
    recalls = np.asarray(recalls, dtype=np.float64)
    if recalls.ndim != 1 or not ((recalls >= 0) & (recalls <= 1)).all():
        raise ValueError(
            "`recalls` must be numbers in [0, 1]."
            f" Received: recalls={recalls.tolist()}"
        )
    answerable = relevant.any(axis=1)
    items = np.cumsum(counts[answerable], axis=1)
    found = np.cumsum(relevant[answerable], axis=1)
    if not len(items):
        return np.zeros(len(recalls))
    precision = found / np.maximum(items, 1)
    highest = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    # Counts, not quotients: 3 of 10 reach a recall of 0.3 exactly.
    needed = np.ceil(recalls * found[:, -1:] - 1e-9)
    means = []
    for column in needed.T:
        radius = (found < column[:, None]).sum(axis=1)
        means.append(highest[np.arange(len(highest)), radius].mean())
    return np.array(means)
