"""How many pairs of a data set are similar, without forming them."""

import dataclasses

import numpy as np
import numpy.typing as npt

from hashnet_tf.losses._labels import labels_in_numpy

# Pairs of distinct label rows that are compared at a time.
BLOCK_PAIRS = 2**22


@dataclasses.dataclass(frozen=True)
class PairCounts:
    """Counts of ordered pairs whose similarity is known.

    Attributes:
        similar: |S1|.
        dissimilar: |S0|.
    """

    similar: int
    dissimilar: int

    @property
    def weights(self) -> tuple[float, float]:
        """`(|S| / |S1|, |S| / |S0|)`, the class weights of Eq. 2."""
        total = self.similar + self.dissimilar
        if not self.similar or not self.dissimilar:
            raise ValueError(
                "Class weights need similar and dissimilar pairs."
                f" Received: similar={self.similar},"
                f" dissimilar={self.dissimilar}"
            )
        return total / self.similar, total / self.dissimilar


def count_pairs(
    labels: npt.ArrayLike, include_self: bool = False
) -> PairCounts:
    """Counts the similar and dissimilar pairs of a whole data set exactly.

    |S1| and |S0| of Eq. 2 of HashNet (ICCV 2017). Items with the same labels
    are counted together, and their distinct label rows compared in blocks, so
    no n x n matrix is formed.

    Args:
        labels: Class ids `[n]`, or a zero-or-one matrix `[n, L]`; -1 where a
            label is unknown. They are read as by `WeightedPairwiseLoss`.
        include_self: Whether i = j counts, as a pair that is similar where the
            item has a label. The loss leaves these out.

    Returns:
        `PairCounts`; both orders of a pair count.

    Raises:
        ValueError: If `labels` are none.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.losses import count_pairs
    >>> counts = count_pairs(np.repeat(np.arange(100), 130), include_self=True)
    >>> [round(float(weight), 4) for weight in counts.weights]
    [100.0, 1.0101]
    """
    labels = np.asarray(labels)
    if labels.ndim not in (1, 2):
        raise ValueError(
            "`labels` must be class ids [n] or a zero-or-one matrix"
            f" [n, labels]. Received: labels.shape={labels.shape}"
        )
    labels = labels_in_numpy(labels)
    rows, counts = np.unique(labels, axis=0, return_counts=True)
    counts = counts.astype(np.int64)
    if rows.ndim == 1:
        counts = counts[rows >= 0]
        similar = int(np.sum(counts**2))
        known = int(np.sum(counts)) ** 2
        own_similar = own_known = int(np.sum(counts))
    else:
        similar, known = _count_rows(rows, counts)
        positive = (rows > 0).any(axis=1)
        own_similar = int(np.sum(counts[positive]))
        own_known = int(np.sum(counts[positive | (rows == 0).all(axis=1)]))
    if not include_self:
        similar, known = similar - own_similar, known - own_known
    return PairCounts(similar=similar, dissimilar=known - similar)


def _count_rows(rows, counts):
    positive = (rows > 0).astype(np.float32)
    possible = (rows != 0).astype(np.float32)
    similar = known = 0
    block = max(1, BLOCK_PAIRS // max(1, len(rows)))
    for start in range(0, len(rows), block):
        part = slice(start, start + block)
        shared = positive[part] @ positive.T > 0
        sure = shared | (possible[part] @ possible.T == 0)
        # Counts are multiplied as integers: sums of pairs outgrow float32.
        similar += int(counts[part] @ (shared @ counts))
        known += int(counts[part] @ (sure @ counts))
    return similar, known
