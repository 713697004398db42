"""Batches of features that are in memory."""

import tensorflow as tf


def feature_batches(features, labels, batch_size, seed):
    """Streams shuffled and labelled batches of features.

    Each epoch takes one view of each item, drawn anew, and drops the last
    batch where it is not full, as `training_batches` does.

    Args:
        features: float32 `[n, views, d]`.
        labels: Class ids `[n]` or zero-or-one matrix `[n, L]`.
        batch_size: Positive int, at most n.
        seed: Int.

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
    order = tf.data.Dataset.range(n).shuffle(n, seed=seed)
    draws = tf.data.Dataset.random(seed, rerandomize_each_iteration=True)
    stream = tf.data.Dataset.zip(order, draws).batch(
        batch_size, drop_remainder=True
    )

    def gather(positions, draws):
        rows = tf.stack([positions, draws % views], axis=1)
        return tf.gather_nd(features, rows), tf.gather(labels, positions)

    return stream.map(gather).prefetch(2)
