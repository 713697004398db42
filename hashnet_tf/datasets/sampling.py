"""In which order, and which together, images are drawn."""

import abc
import collections
import collections.abc
import typing

import numpy as np
import numpy.typing as npt

if typing.TYPE_CHECKING:
    import tensorflow as tf


class BatchSampler(abc.ABC):
    """Draws the batches of an epoch.

    Abstract: a subclass says which items are drawn together.

    Attributes:
        batch_size: Int, the items of a batch.
    """

    batch_size: int

    @abc.abstractmethod
    def __len__(self) -> int:
        """Batches an epoch."""

    @abc.abstractmethod
    def epoch(self, number: int) -> np.ndarray:
        """Draws the batches of one epoch.

        Args:
            number: Int >= 0; the same number gives the same batches.

        Returns:
            int64 array `[len(self), batch_size]` of positions.
        """


class PairSampler(BatchSampler):
    """Draws batches with a wanted number of classes, and of images of each.

    In batches of a plain shuffle an image of a rare class seldom meets a
    similar one, and without a similar pair it teaches nothing of its class.
    Here all classes are drawn equally often, whatever their number of images:
    none comes again before all have come, and of a class no image before all
    of its images. A class of fewer images than `per_class` repeats some, as
    few as it can; a class of one image is left out, for it has no pair.

    An image of several classes may be drawn for each of them, but not twice in
    one batch while the class has another; so a batch may hold more of a class
    than was wanted, and further classes. An image without a label is never
    drawn.

    Args:
        labels: Class ids `[n]`, below 0 for none, or a zero-or-one matrix
            `[n, L]`.
        classes: Int >= 2, how many classes a batch is drawn of.
        per_class: Int >= 2, how many images of each.
        seed: Int >= 0.

    Attributes:
        classes: Int, as given.
        per_class: Int, as given.
        batch_size: Int, `classes * per_class`.

    Raises:
        ValueError: If `classes` or `per_class` is below 2, or fewer classes
            than `classes` have two images.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.datasets import PairSampler
    >>> labels = np.array([0] * 8 + [1] * 2 + [2] * 2)
    >>> sampler = PairSampler(labels, classes=2, per_class=2)
    >>> batches = sampler.epoch(0)
    >>> batches.shape
    (3, 4)
    >>> [len(set(labels[batch])) for batch in batches]
    [2, 2, 2]
    """

    classes: int
    per_class: int
    batch_size: int

    def __init__(
        self,
        labels: npt.ArrayLike,
        classes: int,
        per_class: int,
        seed: int = 0,
    ) -> None:
        labels = np.asarray(labels)
        for name, value in (("classes", classes), ("per_class", per_class)):
            if value < 2:
                raise ValueError(
                    f"`{name}` must be at least 2. Received: {name}={value}"
                )
        members = _members(labels)
        self._members = [m for m in members if len(m) > 1]
        if len(self._members) < classes:
            raise ValueError(
                "`classes` must be at most the number of classes with two"
                f" images or more, {len(self._members)}."
                f" Received: classes={classes}"
            )
        self.classes = int(classes)
        self.per_class = int(per_class)
        self.batch_size = self.classes * self.per_class
        self._seed = seed
        self._batches = len(labels) // self.batch_size

    def __len__(self) -> int:
        """Batches an epoch: as many as n images fill."""
        return self._batches

    def epoch(self, number: int) -> np.ndarray:
        """Draws the batches of one epoch.

        Args:
            number: Int >= 0; the same number gives the same batches.

        Returns:
            int64 array `[len(self), batch_size]` of positions, those of a
            class beside one another.
        """
        rng = np.random.default_rng([self._seed, int(number)])
        # What is still to come of each: it is filled anew when it is empty.
        all_classes = range(len(self._members))
        classes = _Deck(all_classes, rng)
        images = [_Deck(members, rng) for members in self._members]
        batches = np.empty((len(self), self.batch_size), np.int64)
        for batch in batches:
            there, chosen = collections.Counter(), collections.Counter()
            for start in range(0, self.batch_size, self.per_class):
                label = classes.draw(chosen)
                for place in range(start, start + self.per_class):
                    batch[place] = images[label].draw(there)
        return batches


def check_shard(shard: tuple[int, int] | None) -> tuple[int, int]:
    """Returns `(index, count)` of a worker, `(0, 1)` for None.

    Raises:
        ValueError: If `index` is not from 0 to below `count`.

    Example:

    >>> from hashnet_tf.datasets.sampling import check_shard
    >>> check_shard(None)
    (0, 1)
    """
    index, count = shard or (0, 1)
    if not 0 <= index < count:
        raise ValueError(
            "`shard` must be (index, count) with 0 <= index < count."
            f" Received: shard={shard}"
        )
    return index, count


def shuffled(
    stream: "tf.data.Dataset",
    n: int,
    seed: int,
    shard: tuple[int, int] | None = None,
    buffer: int | None = None,
) -> "tf.data.Dataset":
    """Shuffles a stream, anew each time that it is gone through.

    Args:
        stream: `tf.data.Dataset` of n elements.
        n: Int.
        seed: Int; with the global seed of TensorFlow it decides all orders.
        shard: `(index, count)`: the worker that reads and how many there are.
            In each epoch what they read is disjoint, and together it is all.
            None: (0, 1).
        buffer: Positive int, how many elements may wait at once, for a stream
            that must not be in memory as a whole; then a worker always reads
            the same part of it. None: all.

    Returns:
        `tf.data.Dataset` of such elements.

    Example:

    >>> import tensorflow as tf
    >>> from hashnet_tf.datasets.sampling import shuffled
    >>> stream = tf.data.Dataset.range(6)
    >>> parts = [shuffled(stream, 6, 0, (i, 2)) for i in range(2)]
    >>> sorted(int(x) for part in parts for x in part)
    [0, 1, 2, 3, 4, 5]
    """
    index, count = check_shard(shard)
    if buffer is None:
        # All draw the one order, and each takes of it what is its own.
        return _part(stream.shuffle(max(n, 1), seed=seed), index, count)
    stream = _part(stream, index, count)
    return stream.shuffle(max(1, min(buffer, n)), seed=seed)


def epoch_seeds(seed: int, epochs: collections.abc.Iterable[int]) -> list[int]:
    """Returns a seed of its own for each epoch.

    Args:
        seed: Int >= 0, of all epochs.
        epochs: Their numbers, ints >= 0.

    Example:

    >>> from hashnet_tf.datasets.sampling import epoch_seeds
    >>> epoch_seeds(0, range(3))[1:] == epoch_seeds(0, range(1, 3))
    True
    """
    # Halved, for TensorFlow counts seeds modulo 2^31 - 1.
    return [
        int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0]) // 2
        for epoch in epochs
    ]


def chained(
    streams: collections.abc.Sequence["tf.data.Dataset"],
) -> "tf.data.Dataset":
    """Returns some streams, one at least, one behind the other.

    Example:

    >>> import tensorflow as tf
    >>> from hashnet_tf.datasets.sampling import chained
    >>> [int(x) for x in chained([tf.data.Dataset.range(2)] * 2)]
    [0, 1, 0, 1]
    """
    if len(streams) == 1:
        return streams[0]
    # Halves, for a long chain would pass each item through all its links.
    middle = len(streams) // 2
    return chained(streams[:middle]).concatenate(chained(streams[middle:]))


def untuned(stream: "tf.data.Dataset") -> "tf.data.Dataset":
    """Returns a stream that TensorFlow leaves as it is while it is read.

    An iterator that ends waits for the thread that tunes it, which TensorFlow
    2.21 does not always wake: in the worst case the wait is as long as all
    that was read before, a minute at most (`benchmarks/streams.py`). What is
    left to tune here is how many images are read at once, which without it is
    the number of cores, 16 at most.

    Args:
        stream: `tf.data.Dataset`, whole: what is made of it is untuned too.

    Returns:
        `tf.data.Dataset` of the same elements.

    Example:

    >>> import tensorflow as tf
    >>> from hashnet_tf.datasets.sampling import untuned
    >>> stream = untuned(tf.data.Dataset.range(3)).batch(2)
    >>> stream.options().autotune.enabled
    False
    """
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    return stream.with_options(options)


def sampled(
    sampler: BatchSampler,
    seed: int,
    shard: tuple[int, int] | None = None,
    epochs: collections.abc.Iterable[int] | None = None,
) -> "tf.data.Dataset":
    """Streams the positions that a sampler draws, anew each time.

    Args:
        sampler: `BatchSampler`.
        seed: Int; with the global seed of TensorFlow it decides all epochs.
        shard: As in `shuffled`: each worker takes batches of its own.
        epochs: Numbers of the epochs to stream one behind the other, each of
            which `seed` and its number decide; None: one epoch, another each
            time.

    Returns:
        `tf.data.Dataset` of int64 scalars, batch after batch.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.datasets.sampling import sampled
    >>> from hashnet_tf.datasets.sampling import PairSampler
    >>> sampler = PairSampler(np.arange(20) % 4, classes=2, per_class=5)
    >>> len(list(sampled(sampler, seed=0)))
    20
    """
    # Here, for orders of images are wanted where TensorFlow is not.
    import tensorflow as tf

    index, count = check_shard(shard)

    def draw(number):
        batches = tf.ensure_shape(
            tf.numpy_function(sampler.epoch, [number], tf.int64),
            [len(sampler), sampler.batch_size],
        )
        return batches[index::count]

    if epochs is None:
        numbers = tf.data.Dataset.random(
            seed, rerandomize_each_iteration=True
        ).take(1)
    else:
        seeds = np.array(epoch_seeds(seed, epochs), np.int64)
        numbers = tf.data.Dataset.from_tensor_slices(seeds)
    return numbers.map(draw).unbatch().unbatch()


class _Deck:
    """Cards in random order, mixed anew when all have been drawn."""

    def __init__(
        self, cards: collections.abc.Iterable[int], rng: np.random.Generator
    ) -> None:
        self._cards = [int(card) for card in cards]
        self._rng = rng
        self._left: collections.deque[int] = collections.deque()

    def draw(self, there: collections.Counter[int]) -> int:
        """Draws one of those that are least often `there`, and counts it."""
        place = self._place_of(0, there)
        if place is None:
            least = min(there[card] for card in self._cards)
            place = self._place_of(least, there)
            if place is None:
                # What is left has to wait: it is there, and others are not.
                self._left.extend(self._rng.permutation(self._cards).tolist())
                place = self._place_of(least, there)
                assert place is not None, "all cards have been put back"
        card = self._left[place]
        del self._left[place]
        there[card] += 1
        return card

    def _place_of(
        self, count: int, there: collections.Counter[int]
    ) -> int | None:
        for place, card in enumerate(self._left):
            if there[card] == count:
                return place
        return None


def _members(labels: np.ndarray) -> list[np.ndarray]:
    """Returns the positions of each class's images."""
    if labels.ndim == 2:
        # -1 is unknown: no reason to expect a partner.
        return [np.flatnonzero(column > 0) for column in labels.T]
    order = np.argsort(labels, kind="stable")
    order = order[labels[order] >= 0]
    starts = np.flatnonzero(np.diff(labels[order])) + 1
    return np.split(order, starts)


def _part(
    stream: "tf.data.Dataset", index: int, count: int
) -> "tf.data.Dataset":
    # A step that takes all costs as much as any other.
    return stream if count == 1 else stream.shard(count, index)
