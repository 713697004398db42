"""Measures of a ranking, from the histogram of its distances."""

import numpy as np

EMPTY_BALL_RULES = ("zero", "skip")


def check_at(at, name="at"):
    """Checks a number of ranks.

    Args:
        at: Int >= 1.
        name: What to call it in an error.

    Returns:
        `at` as a Python int.

    Raises:
        ValueError: If it is no positive integer.

    Example:

    >>> from hashnet_tf.retrieval._measures import check_at
    >>> check_at(0)
    Traceback (most recent call last):
        ...
    ValueError: `at` must be a positive integer. Received: at=0
    """
    if isinstance(at, bool) or not isinstance(at, (int, np.integer)) or at < 1:
        raise ValueError(
            f"`{name}` must be a positive integer. Received: {name}={at!r}"
        )
    return int(at)


def harmonic(last):
    """Returns the harmonic numbers H(0)..H(last), float64 `[last + 1]`.

    Example:

    >>> from hashnet_tf.retrieval._measures import harmonic
    >>> harmonic(2).tolist()
    [0.0, 1.0, 1.5]
    """
    numbers = np.zeros(last + 1)
    np.cumsum(1.0 / np.arange(1, last + 1), out=numbers[1:])
    return numbers


def before(counts):
    """Returns the items in the groups before each, of the shape of `counts`.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval._measures import before
    >>> before(np.array([[2, 0, 3]])).tolist()
    [[0, 2, 2]]
    """
    return np.cumsum(counts, axis=1) - counts


def last_rank(counts, at):
    """Returns R: `at`, or the items of the database where these are fewer.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval._measures import last_rank
    >>> last_rank(np.array([[2, 0, 3]]), 1000)
    5
    """
    return min(check_at(at), int(counts.sum(axis=1).max(initial=0)))


def group_shares(counts, at):
    """Returns which part of each group stands within the first R, in [0, 1].

    Under a random order of tied items each of them stands there with this
    probability.

    Args:
        counts: int64 `[q, bits + 1]`, items at each distance.
        at: Int R >= 1.

    Returns:
        float64 `[q, bits + 1]`, 0 for an empty group.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval._measures import group_shares
    >>> group_shares(np.array([[2, 0, 4]]), at=3).tolist()
    [[1.0, 0.0, 0.25]]
    """
    within = np.clip(check_at(at) - before(counts), 0, counts)
    return within / np.maximum(counts, 1)


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
    >>> from hashnet_tf.retrieval._measures import ball_precision
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
    >>> from hashnet_tf.retrieval._measures import ball_recall
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
    >>> from hashnet_tf.retrieval._measures import empty_balls
    >>> empty_balls(np.array([[2, 2], [0, 1]])).tolist()
    [0.5, 0.0]
    """
    return (np.cumsum(counts, axis=1) == 0).mean(axis=0)


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
    >>> from hashnet_tf.retrieval._measures import ndcg
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
    >>> from hashnet_tf.retrieval._measures import precision_at
    >>> precision_at(np.array([[1, 2]]), np.array([[0, 1]]), at=2)
    array([0.25])
    """
    shares = group_shares(counts, at)
    return (relevant * shares).sum(axis=1) / check_at(at)


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
    >>> from hashnet_tf.retrieval._measures import precision_at_recall
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
