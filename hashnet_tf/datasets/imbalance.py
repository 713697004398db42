"""The imbalance of similar and dissimilar pairs, as a knob."""

import bisect
import dataclasses
import functools
import math

import numpy as np

from hashnet_tf.datasets.images.image_set import ImageSet
from hashnet_tf.datasets.retrieval_dataset import RetrievalDataset
from hashnet_tf.losses.pair_counts import count_pairs
from hashnet_tf.retrieval.labels import label_matrix, label_width

# Pairs of images that are compared at a time.
BLOCK_PAIRS = 2**22


def imbalanced(
    dataset: RetrievalDataset, ratio: float, seed: int
) -> RetrievalDataset:
    """Changes the training part until |S0| / |S1| of its pairs is as wanted.

    S1 and S0 are the similar and dissimilar pairs of Eq. 2 of HashNet (ICCV
    2017), as `hashnet_tf.losses.count_pairs` counts them: known pairs, both
    orders, without i = j. Queries and database stay, so that figures at
    several ratios are of one retrieval task.

    A higher ratio comes from labels withheld: ones become -1, unknown, in an
    order drawn by the seed. Pairs that were similar by them become unknown, no
    dissimilar pair is gained or lost. A lower ratio comes from images left
    out, in an order drawn by the seed, of those without the most frequent
    label. No other count in that order reaches nearer to the wanted ratio.

    Args:
        dataset: `RetrievalDataset`.
        ratio: Positive number, the wanted |S0| / |S1|.
        seed: Int.

    Returns:
        `RetrievalDataset`; its protocol tells the ratio before, wanted and
        reached, and what was done. Where labels of class ids are withheld, the
        training labels become a matrix.

    Raises:
        ValueError: If `ratio` is not positive, or out of reach with labels of
            2 classes, a similar and a dissimilar pair left.

    Example:

    >>> import hashnet_tf as hn
    >>> from hashnet_tf.datasets.imbalance import imbalanced
    >>> from hashnet_tf.losses import count_pairs
    >>> dataset = imbalanced(hn.datasets.load("digits"), 100, seed=0)
    >>> counts = count_pairs(dataset.train.labels)
    >>> round(counts.dissimilar / counts.similar)
    100
    """
    if not 0 < ratio < math.inf:
        raise ValueError(
            f"`ratio` must be a positive number. Received: ratio={ratio}"
        )
    rows = label_matrix(
        dataset.train.labels, label_width(dataset), unlabelled=-1
    )
    natural = _ratio(rows)
    if not 0 < natural < math.inf:
        raise ValueError(
            "An imbalance needs similar and dissimilar pairs of training"
            f" images. Received: {dataset.name} with |S0| / |S1| = {natural:g}"
        )
    if ratio > natural:
        train, reached, how = _withheld(dataset.train, rows, ratio, seed)
    else:
        train, reached, how = _thinned(dataset.train, rows, ratio, seed)
    if train is None:
        _, least, _ = _thinned(dataset.train, rows, 0, seed)
        _, most, _ = _withheld(dataset.train, rows, math.inf, seed)
        raise ValueError(
            f"With seed {seed} the training pairs of {dataset.name} reach an"
            f" |S0| / |S1| from {least:.6g} to {most:.6g}."
            f" Received: ratio={ratio}"
        )
    text = (
        f"Imbalance of the training pairs, |S0| / |S1|: {natural:.6g} by"
        f" nature, {ratio:.6g} wanted, {reached:.6g} reached with {how}; seed"
        f" {seed}."
    )
    return dataclasses.replace(
        dataset,
        protocol=f"{dataset.protocol} {text}",
        train=train,
        # The counts of the training images by nature hold no more.
        expected=dataclasses.replace(
            dataset.expected,
            train=None,
            unlabelled_train=None,
            labels_per_image=None,
            similar_weight=None,
            dissimilar_weight=None,
        ),
    )


def growing_pair_counts(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Counts the pairs among the first n images, for every n at once.

    Args:
        rows: Zero-or-one matrix `[n, L]`, -1 where a label is unknown.

    Returns:
        `(similar, dissimilar)`: int64 `[n + 1]` each, at k what
        `hashnet_tf.losses.count_pairs(rows[:k])` counts.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.datasets.imbalance import growing_pair_counts
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
    similar, dissimilar = added.cumsum(axis=1)
    return similar, dissimilar


def _withheld(
    images: ImageSet, rows: np.ndarray, ratio: float, seed: int
) -> tuple[ImageSet | None, float, str]:
    """Returns images, ratio and text; images are None if it is out of reach."""
    ones = np.argwhere(rows > 0)
    ones = np.random.default_rng(seed).permutation(ones)

    def rows_less(count: int) -> np.ndarray:
        known = rows.astype(np.int8)
        known[tuple(ones[:count].T)] = -1
        return known

    # Each label withheld lowers |S1| or leaves it, and |S0| stays, so that a
    # bisection finds the count.
    @functools.cache
    def ratio_less(count: int) -> float:
        known = rows_less(count)
        if (known > 0).any(axis=0).sum() < 2:
            return math.inf
        return _ratio(known)

    above = bisect.bisect_left(range(len(ones)), ratio, key=ratio_less)
    count = min(
        (above - 1, above), key=lambda count: abs(ratio_less(count) - ratio)
    )
    if ratio_less(above) == math.inf:
        return None, ratio_less(above - 1), ""
    text = f"{count} of {len(ones)} training labels withheld"
    return images.relabelled(rows_less(count)), ratio_less(count), text


def _thinned(
    images: ImageSet, rows: np.ndarray, ratio: float, seed: int
) -> tuple[ImageSet | None, float, str]:
    """Returns images, ratio and text; images are None if it is out of reach."""
    frequent = int(np.argmax((rows > 0).sum(axis=0)))
    has_it = rows[:, frequent] > 0
    rest = np.random.default_rng(seed).permutation(np.flatnonzero(~has_it))
    # Those that go first come last: what is left is always a beginning.
    order = np.concatenate([np.flatnonzero(has_it), rest[::-1]])
    similar, dissimilar = growing_pair_counts(rows[order])
    there = rows[order] > 0
    first = np.sort(there.argmax(axis=0)[there.any(axis=0)])
    sizes = np.arange(len(order), np.count_nonzero(has_it) - 1, -1)
    similar, dissimilar = similar[sizes], dissimilar[sizes]
    possible = (similar > 0) & (dissimilar > 0) & (sizes > first[1])
    sizes = sizes[possible]
    ratios = dissimilar[possible] / similar[possible]
    if ratio < ratios.min():
        return None, ratios.min(), ""
    best = np.argmin(np.abs(ratios - ratio))
    size = sizes[best]
    text = (
        f"{len(order) - size} of {len(order)} training images left out, none"
        f" of them with label {frequent}, the most frequent"
    )
    return images.subset(np.sort(order[:size])), ratios[best], text


def _ratio(rows: np.ndarray) -> float:
    counts = count_pairs(rows)
    if not counts.similar:
        return math.inf
    return counts.dissimilar / counts.similar
