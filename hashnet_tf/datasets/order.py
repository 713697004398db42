"""In which order images are read."""

import tensorflow as tf


def check_shard(shard):
    """Returns `(index, count)` of a worker, `(0, 1)` for None.

    Raises:
        ValueError: If `index` is not from 0 to below `count`.

    Example:

    >>> from hashnet_tf.datasets.order import check_shard
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


def shuffled(stream, n, seed, shard=None, buffer=None):
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
    >>> from hashnet_tf.datasets.order import shuffled
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


def sampled(sampler, seed, shard=None):
    """Streams the positions that a sampler draws, anew each time.

    Args:
        sampler: `PairSampler`.
        seed: Int; with the global seed of TensorFlow it decides all epochs.
        shard: As in `shuffled`: each worker takes batches of its own.

    Returns:
        `tf.data.Dataset` of int64 scalars, batch after batch.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.datasets.order import sampled
    >>> from hashnet_tf.datasets.pair_sampler import PairSampler
    >>> sampler = PairSampler(np.arange(20) % 4, classes=2, per_class=5)
    >>> len(list(sampled(sampler, seed=0)))
    20
    """
    index, count = check_shard(shard)

    def draw(number):
        return tf.ensure_shape(
            tf.numpy_function(sampler.epoch, [number], tf.int64),
            [len(sampler), sampler.batch_size],
        )

    numbers = tf.data.Dataset.random(seed, rerandomize_each_iteration=True)
    batches = numbers.take(1).map(draw).unbatch()
    return _part(batches, index, count).unbatch()


def _part(stream, index, count):
    # A step that takes all costs as much as any other.
    return stream if count == 1 else stream.shard(count, index)
