"""From a set of images to the batches that a network takes."""

import numpy as np
import tensorflow as tf

from hashnet_tf.datasets.augmentation import augment_image
from hashnet_tf.datasets.images import decode_image, resize_image


def ordered_batches(images, size, batch_size=128):
    """Streams a set's images in order, for encoding.

    Args:
        images: `ImageSet`.
        size: `(height, width)` of the network.
        batch_size: Positive int.

    Returns:
        `tf.data.Dataset` of uint8 `[<= batch_size, height, width, 3]`.

    Example:

    >>> import hashnet_tf as hn
    >>> queries = hn.datasets.load("digits").query
    >>> batches = hn.datasets.ordered_batches(queries, (16, 16))
    >>> next(iter(batches)).shape
    TensorShape([128, 16, 16, 3])
    """
    stream = _pixels(images.encoded(), size).map(lambda i, image: image)
    return stream.batch(batch_size).prefetch(2)


def training_batches(
    images, size, batch_size, seed, augmentation="none", cache=False
):
    """Streams shuffled, changed and labelled batches, one epoch at a time.

    The last batch of an epoch is dropped where it is not full: a batch's
    pairs, and so its class balance, go with its size.

    Args:
        images: `ImageSet`.
        size: `(height, width)` of the network.
        batch_size: Positive int, at most `len(images)`.
        seed: Int, for order and changes.
        augmentation: As in `augment_image`.
        cache: Whether to keep the decoded images in memory.

    Returns:
        `tf.data.Dataset` of `(images, labels)`: uint8
        `[batch_size, height, width, 3]`, and float32 labels `[batch_size]`
        or `[batch_size, L]`.

    Raises:
        ValueError: If there are fewer images than a batch holds.

    Example:

    >>> import hashnet_tf as hn
    >>> train = hn.datasets.load("digits").train
    >>> batches = hn.datasets.training_batches(train, (16, 16), 50, seed=0)
    >>> len(batches)
    20
    """
    if not 1 < batch_size <= len(images):
        raise ValueError(
            "`batch_size` must be from 2 to the number of training images,"
            f" {len(images)}. Received: batch_size={batch_size}"
        )
    labels = tf.constant(np.asarray(images.labels, dtype=np.float32))
    if cache:
        stream = _pixels(images.encoded(), size).cache()
        stream = stream.shuffle(len(images), seed=seed)
    else:
        stream = _pixels(images.encoded(shuffle_seed=seed), size)
    seeds = tf.data.Dataset.random(seed, rerandomize_each_iteration=True)
    stream = tf.data.Dataset.zip(stream, seeds.batch(2, drop_remainder=True))

    def finish(item, seed):
        position, image = item
        return augment_image(image, seed, augmentation), labels[position]

    stream = stream.map(finish, num_parallel_calls=tf.data.AUTOTUNE)
    stream = stream.batch(batch_size, drop_remainder=True).prefetch(2)
    # A filtered stream does not know its length; Keras' progress wants it.
    return stream.apply(
        tf.data.experimental.assert_cardinality(len(images) // batch_size)
    )


def _pixels(stream, size):
    def decode(position, image):
        if image.dtype == tf.string:
            image = decode_image(image)
        return position, tf.ensure_shape(resize_image(image, size), (*size, 3))

    return stream.map(decode, num_parallel_calls=tf.data.AUTOTUNE)
