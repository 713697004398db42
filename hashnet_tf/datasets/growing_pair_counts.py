"""Pairs of a data set that grows by one image at a time."""

import numpy as np

# Pairs of images that are compared at a time.
BLOCK_PAIRS = 2**22


def growing_pair_counts(rows):
    """Counts the pairs among the first n images, for every n at once.

    Args:
        rows: Zero-or-one matrix `[n, L]`, -1 where a label is unknown.

    Returns:
        `(similar, dissimilar)`: int64 `[n + 1]` each, at k what
        `hashnet_tf.losses.count_pairs(rows[:k])` counts.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.datasets.growing_pair_counts import growing_pair_counts
    >>> similar, dissimilar = growing_pair_counts(np.eye(2)[[0, 1, 0]])
    >>> similar.tolist(), dissimilar.tolist()
    ([0, 0, 0, 2], [0, 0, 2, 4])
    """
    positive = (rows > 0).astype(np.float32)
    possible = (rows != 0).astype(np.float32)
    added = np.zeros((2, len(rows) + 1), dtype=np.int64)
    block = max(1, BLOCK_PAIRS // max(1, len(rows)))
    for start in range(0, len(rows), block):
        stop = min(start + block, len(rows))
        part = slice(start, stop)
        earlier = np.tri(stop - start, stop, start - 1, dtype=bool)
        similar = positive[part] @ positive[:stop].T > 0
        # An unknown label that both may have leaves a pair unknown.
        dissimilar = possible[part] @ possible[:stop].T == 0
        for kind, pairs in enumerate((similar, dissimilar)):
            pairs &= earlier
            # Both orders of a pair count.
            added[kind, start + 1 : stop + 1] = 2 * pairs.sum(axis=1)
    return tuple(added.cumsum(axis=1))
