"""Files that are no images: found, named, and left out where that is asked."""

import collections.abc
import contextlib
from typing import Any

import numpy as np
import tensorflow as tf

from hashnet_tf.datasets.images.image_set import ImageSet
from hashnet_tf.datasets.pixels.decoding import decode_image


# Traced once, which takes longer than to decode some photographs.
@tf.function(input_signature=[tf.TensorSpec([], tf.string)])
def _decoded_shape(encoded: tf.Tensor) -> tf.Tensor:
    # The shape is asked for so that the decoding is not optimised away.
    return tf.shape(decode_image(encoded))


def find_undecodable(images: ImageSet) -> list[int]:
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
    # The type of an element depends on the stream; this one's is a pair.
    spec: Any = stream.element_spec
    if spec[1].dtype != tf.string:
        return []

    stream = stream.map(
        lambda position, encoded: (position, _decoded_shape(encoded)),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    good = np.zeros(len(images), dtype=bool)
    for position, _ in stream.ignore_errors().as_numpy_iterator():
        good[position] = True
    return np.flatnonzero(~good).tolist()


def decodable(
    images: ImageSet, skip: bool = False
) -> tuple[ImageSet, list[str]]:
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
    if not skip or len(bad) == len(images):
        refuse_undecodable(images, bad)
    named = [images.where(position) for position in bad]
    return images.subset(np.setdiff1d(np.arange(len(images)), bad)), named


def refuse_undecodable(images: ImageSet, bad: list[int]) -> None:
    """Raises a ValueError that names the first of some undecodable images.

    Args:
        images: `ImageSet`.
        bad: Positions of those that cannot be decoded; none is no error.
    """
    if bad:
        raise ValueError(
            f"{len(bad)} of {len(images)} images cannot be decoded (they can"
            " be left out with skip_undecodable). Received:"
            f" {images.where(bad[0])}"
        )


@contextlib.contextmanager
def undecodable_named(images: ImageSet) -> collections.abc.Iterator[None]:
    """Names the image where reading a stream of images fails.

    TensorFlow's own error tells what is wrong with the bytes, but not whose
    they are. Only then are the images looked through.

    Args:
        images: `ImageSet` that the block reads.

    Raises:
        ValueError: If the block fails and an image cannot be decoded; any
            other error is as it was.

    Example:

    >>> import hashnet_tf as hn
    >>> from hashnet_tf.datasets.undecodable import undecodable_named
    >>> queries = hn.datasets.load("digits").query
    >>> with undecodable_named(queries):
    ...     batch = next(iter(hn.datasets.ordered_batches(queries, (8, 8))))
    """
    try:
        yield
    except tf.errors.OpError as error:
        try:
            refuse_undecodable(images, find_undecodable(images))
        except ValueError as named:
            raise named from error
        raise
