"""Finds the files that are no images, before hours are spent."""

import numpy as np
import tensorflow as tf

from hashnet_tf.datasets.images import decode_image


def find_undecodable(images):
    """Decodes every image once and returns which could not be.

    Args:
        images: `ImageSet`; pixels in memory are no files and are good.

    Returns:
        Sorted list of positions.

    Example:

    >>> import hashnet_tf as hn
    >>> hn.datasets.find_undecodable(hn.datasets.load("digits").query)
    []
    """
    stream = images.encoded()
    if stream.element_spec[1].dtype != tf.string:
        return []

    def decode(position, encoded):
        # The shape is asked for so that the decoding is not optimised away.
        return position, tf.shape(decode_image(encoded))

    stream = stream.map(decode, num_parallel_calls=tf.data.AUTOTUNE)
    good = np.zeros(len(images), dtype=bool)
    for position, _ in stream.ignore_errors().as_numpy_iterator():
        good[position] = True
    return np.flatnonzero(~good).tolist()


def decodable(images, skip=False):
    """Returns `images` less those that are no images.

    Args:
        images: `ImageSet`.
        skip: Whether to leave undecodable files out; otherwise one is an
            error.

    Returns:
        `(images, skipped)`: the set, and a list of str that name what was left
        out.

    Raises:
        ValueError: If a file is no image and `skip` is not set, or if none
            is one.

    Example:

    >>> import hashnet_tf as hn
    >>> queries = hn.datasets.load("digits").query
    >>> hn.datasets.decodable(queries)[1]
    []
    """
    bad = find_undecodable(images)
    if not bad:
        return images, []
    named = [images.where(position) for position in bad]
    if not skip or len(bad) == len(images):
        raise ValueError(
            f"{len(bad)} of {len(images)} images cannot be decoded (they can"
            f" be left out with skip_undecodable). Received: {named[0]}"
        )
    return images.subset(np.setdiff1d(np.arange(len(images)), bad)), named
