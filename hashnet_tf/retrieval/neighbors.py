"""The items nearest to a query, and all within a radius."""

import numpy as np
import numpy.typing as npt

from hashnet_tf.retrieval.codes import Codes, check_codes, check_count
from hashnet_tf.retrieval.hamming import (
    check_widths,
    code_words,
    count_distances,
    each_query,
    word_distances,
)

SAMPLE = 2**13
SAMPLES_PER_ITEM = 4

# Codes read from a memory map at a time.
BLOCK = 2**20


def search(
    query_codes: Codes,
    database_codes: Codes,
    k: int,
    threads: int | None = None,
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.int64]]:
    """Finds the k nearest database codes of each query by Hamming distance.

    Exact: every code is compared. The database is read in blocks and only
    the best k so far are kept, so it may be a memory map larger than memory
    (`numpy.load("codes.npy", mmap_mode="r")`).

    Args:
        query_codes: uint8 `[q, bytes]`.
        database_codes: uint8 `[n, bytes]`.
        k: Int >= 1; more than the database holds counts as all of it.
        threads: Positive int, or None for the processor's cores.

    Returns:
        `(distances, indices)`, uint16 and int64 `[q, min(k, n)]`, the nearest
        first; items at equal distance by rising index.

    Raises:
        ValueError: If one of the arrays is not packed codes, if they differ
            in width or if `k` is no positive integer.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval import search
    >>> database = np.array([[255], [1], [0], [2]], dtype="uint8")
    >>> search(np.array([[0]], dtype="uint8"), database, k=3)
    (array([[0, 1, 1]], dtype=uint16), array([[2, 1, 3]]))
    """
    query_codes = check_codes(query_codes, name="query_codes")
    database_codes = check_codes(database_codes, name="database_codes")
    check_widths(query_codes, database_codes)
    k = check_count(k, "k")
    q, n = len(query_codes), len(database_codes)
    queries = code_words(query_codes)
    distances = np.zeros((q, 0), np.uint16)
    indices = np.zeros((q, 0), np.int64)
    for start in range(0, n, BLOCK):
        items = code_words(database_codes[start : start + BLOCK])
        seen = indices.shape[1]
        keep = min(k, seen + items.shape[1])
        old = distances, indices
        distances = np.empty((q, keep), np.uint16)
        indices = np.empty((q, keep), np.int64)

        def merge(
            query,
            items=items,
            start=start,
            old=old,
            new=(distances, indices),
        ):
            k_here = min(k, items.shape[1])
            found, near = nearest(queries[:, query], items, k_here)
            # What was found before has lower indices and so goes first.
            near = np.concatenate([old[0][query], near])
            found = np.concatenate([old[1][query], found + start])
            order = np.argsort(near, kind="stable")[: new[0].shape[1]]
            new[0][query], new[1][query] = near[order], found[order]

        each_query(merge, q, threads)
    return distances, indices


def range_search(
    query_codes: Codes,
    database_codes: Codes,
    radius: int,
    threads: int | None = None,
) -> tuple[list[npt.NDArray[np.uint16]], list[npt.NDArray[np.int64]]]:
    """Finds all database codes within a Hamming radius of each query.

    Args:
        query_codes: uint8 `[q, bytes]`.
        database_codes: uint8 `[n, bytes]`, a memory map perhaps.
        radius: Int >= 0, in bits; an item at this distance counts.
        threads: Positive int, or None for the processor's cores.

    Returns:
        `(distances, indices)`, lists of q arrays, uint16 and int64, each as
        long as its ball holds items: the nearest first, items at equal
        distance by rising index.

    Raises:
        ValueError: If one of the arrays is not packed codes, if they differ
            in width or if `radius` is no integer >= 0.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval import range_search
    >>> database = np.array([[255], [1], [0], [2]], dtype="uint8")
    >>> range_search(np.array([[0]], dtype="uint8"), database, radius=1)
    ([array([0, 1, 1], dtype=uint16)], [array([2, 1, 3])])
    """
    query_codes = check_codes(query_codes, name="query_codes")
    database_codes = check_codes(database_codes, name="database_codes")
    check_widths(query_codes, database_codes)
    check_radius(radius)
    q, n = len(query_codes), len(database_codes)
    queries = code_words(query_codes)
    distances = [np.zeros(0, np.uint16) for _ in range(q)]
    indices = [np.zeros(0, np.int64) for _ in range(q)]
    for start in range(0, n, BLOCK):
        items = code_words(database_codes[start : start + BLOCK])

        def collect(query, items=items, start=start):
            near = word_distances(queries[:, query], items)
            found = np.flatnonzero(near <= radius)
            near = np.concatenate([distances[query], near[found]])
            found = np.concatenate([indices[query], found + start])
            order = np.argsort(near, kind="stable")
            distances[query], indices[query] = near[order], found[order]

        each_query(collect, q, threads)
    return distances, indices


def nearest(
    query: npt.NDArray[np.uint64], items: npt.NDArray[np.uint64], k: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.unsignedinteger]]:
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
    >>> from hashnet_tf.retrieval.neighbors import nearest
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


def check_radius(radius: int) -> None:
    """Checks that a Hamming radius is an integer >= 0."""
    if (
        isinstance(radius, bool)
        or not isinstance(radius, (int, np.integer))
        or radius < 0
    ):
        raise ValueError(
            "`radius` must be an integer of at least 0."
            f" Received: radius={radius!r}"
        )
