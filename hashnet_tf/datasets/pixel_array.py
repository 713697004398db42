"""The pixels of a few images, in memory."""

import numpy as np

from hashnet_tf.datasets.batches import ordered_batches


def pixel_array(images, size, framing="whole"):
    """Decodes and frames a small set of images.

    Args:
        images: `ImageSet`.
        size: `(height, width)`.
        framing: As in `ordered_batches`.

    Returns:
        uint8 array `[n, height, width, 3]`, in order.

    Example:

    >>> import hashnet_tf as hn
    >>> queries = hn.datasets.load("digits").query
    >>> hn.datasets.pixel_array(queries.first(5), (16, 16)).shape
    (5, 16, 16, 3)
    """
    batches = ordered_batches(images, size, framing=framing)
    arrays = [np.zeros((0, *size, 3), np.uint8), *batches.as_numpy_iterator()]
    return np.concatenate(arrays)
