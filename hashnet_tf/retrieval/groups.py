"""Where the group of each distance stands in a ranking."""

import numpy as np


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

    >>> from hashnet_tf.retrieval.groups import check_at
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

    >>> from hashnet_tf.retrieval.groups import harmonic
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
    >>> from hashnet_tf.retrieval.groups import before
    >>> before(np.array([[2, 0, 3]])).tolist()
    [[0, 2, 2]]
    """
    return np.cumsum(counts, axis=1) - counts


def last_rank(counts, at):
    """Returns R: `at`, or the items of the database where these are fewer.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval.groups import last_rank
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
    >>> from hashnet_tf.retrieval.groups import group_shares
    >>> group_shares(np.array([[2, 0, 4]]), at=3).tolist()
    [[1.0, 0.0, 0.25]]
    """
    within = np.clip(check_at(at) - before(counts), 0, counts)
    return within / np.maximum(counts, 1)
