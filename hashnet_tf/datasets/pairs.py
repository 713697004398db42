"""Which pairs of items are trained by, and which ask instead."""

import collections
import collections.abc
import typing

import numpy as np
import numpy.typing as npt

from hashnet_tf.datasets.sampling import BatchSampler, epoch_seeds

if typing.TYPE_CHECKING:
    import tensorflow as tf

# Items that ask, of those that a pair names first: a share, and at most. Each
# makes a label, of which every item has a byte.
SHARE, MOST_ASKED = 0.1, 500


def pairs_within(
    pairs: npt.ArrayLike, places: npt.ArrayLike
) -> npt.NDArray[np.int64]:
    """Returns the pairs both of whose items are in a subset, as its rows.

    Args:
        pairs: Int `[m, 3]`, rows of a set and s_ij.
        places: Int `[k]`, which items the subset holds, in its order.

    Returns:
        int64 `[<= m, 3]`.

    Example:

    >>> from hashnet_tf.datasets.pairs import pairs_within
    >>> pairs_within([[0, 3, 1], [3, 2, 0]], places=[2, 3]).tolist()
    [[1, 0, 0]]
    """
    pairs, places = np.asarray(pairs, np.int64), np.asarray(places, np.int64)
    most = max(pairs[:, :2].max(initial=0), places.max(initial=0))
    rows = np.full(most + 1, -1)
    rows[places] = np.arange(len(places))
    both = rows[pairs[:, :2]]
    return np.column_stack([both, pairs[:, 2]])[(both >= 0).all(axis=1)]


def draw_asking(pairs: npt.ArrayLike, seed: int) -> npt.NDArray[np.int64]:
    """Draws the items that ask, none of them the partner of another.

    A tenth of the items that are named first in a pair of similar ones, at most
    500. What is similar to one of them does not ask itself, so that it can be
    found.

    Args:
        pairs: Int `[m, 3]`, rows of a set and s_ij.
        seed: Int.

    Returns:
        int64 array of rows, rising.

    Example:

    >>> from hashnet_tf.datasets.pairs import draw_asking
    >>> draw_asking([[0, 1, 1], [2, 3, 1], [4, 5, 0]], seed=0).tolist()
    [0]
    """
    pairs = np.asarray(pairs, np.int64)
    similar = pairs[pairs[:, 2] > 0, :2]
    partners = collections.defaultdict(set)
    for first, second in similar.tolist():
        partners[first].add(second)
        partners[second].add(first)
    named = np.unique(similar[:, 0])
    wanted = min(max(1, int(SHARE * len(named))), MOST_ASKED)
    asking: set[int] = set()
    found: set[int] = set()
    for item in np.random.default_rng(seed).permutation(named).tolist():
        if len(asking) == wanted:
            break
        if item not in found and not partners[item] & asking:
            asking.add(item)
            found |= partners[item]
    return np.array(sorted(asking), np.int64)


def partner_labels(
    pairs: npt.ArrayLike, asking: npt.ArrayLike, count: int
) -> npt.NDArray[np.uint8]:
    """Returns labels by which the partners of each asking item share one.

    Args:
        pairs: Int `[m, 3]`, rows of a set and s_ij.
        asking: Int `[q]`, rows that ask.
        count: Int n, the items of the set.

    Returns:
        Zero-or-one uint8 `[n, q]`: item j asks for what has label j, which is
        itself and what a pair gives as similar to it.

    Example:

    >>> from hashnet_tf.datasets.pairs import partner_labels
    >>> partner_labels([[0, 2, 1], [1, 2, 0]], [0, 1], count=3).tolist()
    [[1, 0], [0, 1], [1, 0]]
    """
    pairs, asking = np.asarray(pairs, np.int64), np.asarray(asking, np.int64)
    similar = pairs[pairs[:, 2] > 0, :2]
    labels = np.zeros((count, len(asking)), np.uint8)
    columns = np.full(count, -1)
    columns[asking] = np.arange(len(asking))
    labels[asking, columns[asking]] = 1
    for one, other in (similar.T, similar.T[::-1]):
        column = columns[one]
        labels[other[column >= 0], column[column >= 0]] = 1
    return labels


@typing.final
class GivenPairSampler(BatchSampler):
    """Draws batches of pairs that are given, each once an epoch.

    The items of a pair stand beside one another in a batch, and what fills no
    batch waits for another epoch.

    Args:
        pairs: Int `[m, 3]`, rows of a set and s_ij.
        pairs_per_batch: Int >= 2, at most m.
        seed: Int >= 0.

    Attributes:
        batch_size: Int, `2 * pairs_per_batch`.

    Raises:
        ValueError: If there are fewer pairs than a batch holds.

    Example:

    >>> from hashnet_tf.datasets.pairs import GivenPairSampler
    >>> pairs = [[0, 1, 1], [2, 3, 1], [4, 5, 0]]
    >>> sampler = GivenPairSampler(pairs, pairs_per_batch=2)
    >>> len(sampler), sampler.epoch(0).shape
    (1, (1, 4))
    """

    def __init__(
        self, pairs: npt.ArrayLike, pairs_per_batch: int, seed: int = 0
    ) -> None:
        self._pairs = np.asarray(pairs, np.int64)
        if not 1 < pairs_per_batch <= len(self._pairs):
            raise ValueError(
                "`batch_size` must be from 2 to the number of pairs to train"
                f" by, {len(self._pairs)}."
                f" Received: batch_size={pairs_per_batch}"
            )
        self.batch_size = 2 * pairs_per_batch
        self._seed = seed

    def __len__(self) -> int:
        return len(self._pairs) // (self.batch_size // 2)

    def pairs_of(self, number: int) -> np.ndarray:
        """Returns the pairs of an epoch's batches.

        Args:
            number: As in `epoch`.

        Returns:
            int64 `[len(self), batch_size // 2, 3]`, the rows of the items and
            s_ij.
        """
        rng = np.random.default_rng([self._seed, int(number)])
        order = rng.permutation(len(self._pairs))
        size = self.batch_size // 2
        return self._pairs[order[: len(self) * size]].reshape(-1, size, 3)

    def epoch(self, number: int) -> np.ndarray:
        both = self.pairs_of(number)[:, :, :2]
        return both.reshape(len(self), self.batch_size)


def in_pairs(
    batches: "tf.data.Dataset",
    sampler: GivenPairSampler,
    seed: int,
    epochs: collections.abc.Iterable[int],
) -> "tf.data.Dataset":
    """Turns batches of the items of pairs into batches of pairs.

    Args:
        batches: `tf.data.Dataset` of items, and of what is not looked at, that
            `sampler` has drawn.
        sampler: `GivenPairSampler`.
        seed: Int, by which `batches` were drawn.
        epochs: Their numbers, by which they were.

    Returns:
        `tf.data.Dataset` for a `PairModel` and `InBatchPairsLoss`: the first
        items and the second, and int64 `[pairs, 3]`.

    Example:

    >>> import numpy as np, hashnet_tf as hn
    >>> from hashnet_tf.datasets.pairs import GivenPairSampler, in_pairs
    >>> sampler = GivenPairSampler([[0, 1, 1], [2, 3, 1]], 2)
    >>> features = np.arange(8.0).reshape(4, 1, 2).astype("float32")
    >>> items = hn.runs.feature_batches(
    ...     features, np.zeros(4), 4, 0, sampler, range(1)
    ... )
    >>> batches = in_pairs(items, sampler, 0, range(1))
    >>> (first, second), pairs = next(iter(batches))
    >>> first.shape, (second - first).numpy().tolist()
    (TensorShape([2, 2]), [[2.0, 2.0], [2.0, 2.0]])
    """
    import tensorflow as tf

    size = sampler.batch_size // 2

    def draw(number):
        drawn = tf.numpy_function(sampler.pairs_of, [number], tf.int64)
        return tf.ensure_shape(drawn, [len(sampler), size, 3])

    def split(batch, pairs):
        items, _ = batch
        return (items[0::2], items[1::2]), pairs

    seeds = np.array(epoch_seeds(seed, epochs), np.int64)
    numbers = tf.data.Dataset.from_tensor_slices(seeds)
    drawn = numbers.map(draw).unbatch()
    return tf.data.Dataset.zip(batches, drawn).map(split).prefetch(2)
