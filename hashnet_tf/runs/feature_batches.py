"""Batches of features that are in memory."""

import tensorflow as tf

from hashnet_tf.datasets.order import sampled, shuffled


def feature_batches(features, labels, batch_size, seed, sampler=None):
    """Streams shuffled and labelled batches of features.

    Each epoch takes one view of each item, drawn anew, and drops the last
    batch where it is not full, as `training_batches` does.

    Args:
        features: float32 `[n, views, d]`.
        labels: Class ids `[n]` or zero-or-one matrix `[n, L]`.
        batch_size: Positive int, at most n.
        seed: Int.
        sampler: As in `training_batches`.

    Returns:
        `tf.data.Dataset` of float32 `[batch_size, d]` and float32 labels.

    Raises:
        ValueError: If there are fewer items than a batch holds.

    Example:

    >>> import numpy as np, hashnet_tf as hn
    >>> features = np.zeros((10, 3, 5), np.float32)
    >>> batches = hn.runs.feature_batches(features, np.arange(10), 4, seed=0)
    >>> [x.shape for x, labels in batches]
    [TensorShape([4, 5]), TensorShape([4, 5])]
    """
    n, views, _ = features.shape
    if not 1 < batch_size <= n:
        raise ValueError(
            "`batch_size` must be from 2 to the number of training images,"
            f" {n}. Received: batch_size={batch_size}"
        )
    features, labels = tf.constant(features), tf.constant(labels, tf.float32)
    if sampler is None:
        order = shuffled(tf.data.Dataset.range(n), n, seed)
    else:
        order = sampled(sampler, seed)
    draws = tf.data.Dataset.random(seed, rerandomize_each_iteration=True)
    stream = tf.data.Dataset.zip(order, draws).batch(
        batch_size, drop_remainder=True
    )

    def gather(positions, draws):
        rows = tf.stack([positions, draws % views], axis=1)
        return tf.gather_nd(features, rows), tf.gather(labels, positions)

    known = tf.data.experimental.assert_cardinality(n // batch_size)
    return stream.map(gather).apply(known).prefetch(2)
