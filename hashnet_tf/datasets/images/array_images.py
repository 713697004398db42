"""Images that are in memory already."""

import hashlib

import numpy as np
import tensorflow as tf

from hashnet_tf.datasets.images.image_set import ImageSet


class ArrayImages(ImageSet):
    """Images of an array.

    Args:
        images: uint8 array `[n, height, width]`, `[n, height, width, 1]` or
            `[n, height, width, 3]`; grey becomes RGB.
        labels: As in `ImageSet`.
        names: List of n str, or None for their numbers.

    Raises:
        ValueError: If `images` has another shape or dtype.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.datasets import ArrayImages
    >>> len(ArrayImages(np.zeros((4, 8, 8), np.uint8), [0, 0, 1, 1]))
    4
    """

    def __init__(self, images, labels, names=None):
        images = np.asarray(images)
        if images.ndim == 3:
            images = images[..., np.newaxis]
        if (
            images.dtype != np.uint8
            or images.ndim != 4
            or images.shape[-1] not in (1, 3)
        ):
            raise ValueError(
                "`images` must be uint8 of the shape [n, height, width],"
                " [n, height, width, 1] or [n, height, width, 3]. Received:"
                f" images.shape={images.shape}, images.dtype={images.dtype}"
            )
        if names is None:
            names = [str(i) for i in range(len(images))]
        super().__init__(labels, names)
        self.images = images

    def subset(self, indices):
        indices = np.asarray(indices)
        return ArrayImages(
            self.images[indices],
            self.labels[indices],
            [self.names[i] for i in indices],
        )

    def reader(self):
        images = self.images

        def read(position):
            image = tf.numpy_function(
                lambda i: images[i], [position], tf.uint8, stateful=False
            )
            image = tf.ensure_shape(image, images.shape[1:])
            return tf.repeat(image, 3 // images.shape[-1], axis=-1)

        return read

    def identities(self):
        # Sets that were made apart may both count their images from 0.
        return [
            f"{name} {hashlib.sha256(np.ascontiguousarray(image)).hexdigest()}"
            for name, image in zip(self.names, self.images, strict=True)
        ]

    def fingerprint(self):
        digest = hashlib.sha256(repr(self.images.shape).encode())
        digest.update(np.ascontiguousarray(self.images))
        return digest.hexdigest()

    def fingerprints(self):
        shape = repr(self.images.shape[1:])
        return [
            f"{shape} {hashlib.sha256(np.ascontiguousarray(image)).hexdigest()}"
            for image in self.images
        ]
