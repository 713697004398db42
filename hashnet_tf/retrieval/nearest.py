"""The nearest of many codes to one, ties by index."""

import numpy as np

from hashnet_tf.retrieval.hamming import count_distances, word_distances

SAMPLE = 2**13
SAMPLES_PER_ITEM = 4


def nearest(query, items, k):
    """Selects the k nearest codes.

    Distances are small integers: the counts of a sample tell a distance within
    which k items lie for sure, and only the items within it are sorted.

    Args:
        query: uint64 `[words]`, a column of `code_words`.
        items: uint64 `[words, n]`, as `code_words` returns it.
        k: Int from 0 to n.

    Returns:
        `(indices, distances)`, int64 and an unsigned dtype, `[k]` each: the
        nearest first, items at equal distance by rising index.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval.hamming import code_words
    >>> from hashnet_tf.retrieval.nearest import nearest
    >>> items = code_words(np.array([[255], [1], [0], [2]], dtype="uint8"))
    >>> [part.tolist() for part in nearest(items[:, 2], items, 3)]
    [[2, 1, 3], [0, 1, 1]]
    """
    distances = word_distances(query, items)
    # The k-th nearest of some is never nearer than the k-th nearest of all.
    step = max(1, len(distances) // max(SAMPLE, SAMPLES_PER_ITEM * k))
    counts = count_distances(distances[::step].copy(), 64 * len(query) + 1)
    radius = np.searchsorted(np.cumsum(counts), k)
    indices = np.flatnonzero(distances <= radius)
    distances = distances[indices]
    # Of one or two bytes, a stable sort is numpy's radix sort.
    order = np.argsort(distances, kind="stable")[:k]
    return indices[order], distances[order]


def reached(query, items, radius):
    """Selects the codes within a radius, in rising order of index.

    Args:
        query: uint64 `[words]`, a column of `code_words`.
        items: uint64 `[words, n]`, as `code_words` returns it.
        radius: Int >= 0.

    Returns:
        `(indices, distances)`, int64 and an unsigned dtype.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval.hamming import code_words
    >>> from hashnet_tf.retrieval.nearest import reached
    >>> items = code_words(np.array([[255], [1], [0], [2]], dtype="uint8"))
    >>> [part.tolist() for part in reached(items[:, 2], items, 1)]
    [[1, 2, 3], [1, 0, 1]]
    """
    distances = word_distances(query, items)
    indices = np.flatnonzero(distances <= radius)
    return indices, distances[indices]
