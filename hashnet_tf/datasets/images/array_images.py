"""Images that are in memory already."""

import collections.abc
import hashlib

import numpy as np
import numpy.typing as npt

from hashnet_tf.datasets.images.image_set import ImageSet, Reader


class ArrayImages(ImageSet):
    """Images of an array.

    Grey is RGB of three equal channels, here as of every file that is decoded,
    so that a network of RGB takes it, pretrained or not, and one way of asking
    fits all. Two channels, or more than three, stay what they are. A network of
    one channel trains in Keras (`HashNet` takes any), not in a run.

    Args:
        images: uint8 array `[n, height, width]` or
            `[n, height, width, channels]`.
        labels: As in `ImageSet`.
        names: List of n str, or None for their numbers.

    Raises:
        ValueError: If `images` has another shape or dtype, or, of other than
            one or three channels, has the shape of images that have theirs
            first: lower than wide and than they have channels.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.datasets import ArrayImages
    >>> ArrayImages(np.zeros((4, 8, 8), np.uint8), [0, 0, 1, 1]).channels
    3
    >>> ArrayImages(np.zeros((4, 8, 8, 13), np.uint8), [0, 0, 1, 1]).channels
    13
    """

    images: np.ndarray
    decoder = None

    def __init__(
        self,
        images: npt.ArrayLike,
        labels: npt.ArrayLike | None,
        names: collections.abc.Iterable[str] | None = None,
    ) -> None:
        images = np.asarray(images)
        if images.ndim == 3:
            images = images[..., np.newaxis]
        if (
            images.dtype != np.uint8
            or images.ndim != 4
            or not images.shape[-1]
            or (
                images.shape[-1] not in (1, 3)
                and images.shape[1] < min(images.shape[2:])
            )
        ):
            raise ValueError(
                "`images` must be uint8, in [0, 255], of the shape [n, height,"
                " width] or [n, height, width, channels], channels last."
                f" Received: images.shape={images.shape},"
                f" images.dtype={images.dtype}"
            )
        if names is None:
            names = [str(i) for i in range(len(images))]
        super().__init__(labels, names)
        self.images = images
        # Of one channel three are made.
        self.channels = 3 if images.shape[-1] == 1 else images.shape[-1]
        # Of the set that this is a subset of, which of its images these are,
        # and the digests of those that were asked for: one image is of
        # several parts.
        self._places = np.arange(len(images))
        self._digests: dict[int, str] = {}

    def subset(self, indices: npt.ArrayLike) -> "ArrayImages":
        indices = np.asarray(indices)
        images = ArrayImages(
            self.images[indices],
            self.labels_at(indices),
            [self.names[i] for i in indices],
        )
        images._places = self._places[indices]
        images._digests = self._digests
        return images

    def reader(self) -> Reader:
        import tensorflow as tf

        images = self.images

        def read(position):
            image = tf.numpy_function(
                lambda i: images[i], [position], tf.uint8, stateful=False
            )
            image = tf.ensure_shape(image, images.shape[1:])
            return tf.repeat(image, self.channels // images.shape[-1], axis=-1)

        return read

    def identities(self) -> list[str]:
        # Sets that were made apart may both count their images from 0.
        return [
            f"{name} {digest}"
            for name, digest in zip(
                self.names, self._digests_of_all(), strict=True
            )
        ]

    def fingerprint(self) -> str:
        digest = hashlib.sha256(repr(self.images.shape).encode())
        digest.update(np.ascontiguousarray(self.images).data)
        return digest.hexdigest()

    def fingerprints(self) -> list[str]:
        shape = repr(self.images.shape[1:])
        return [f"{shape} {digest}" for digest in self._digests_of_all()]

    def _digests_of_all(self) -> list[str]:
        places = self._places.tolist()
        for place, image in zip(places, self.images, strict=True):
            if place not in self._digests:
                pixels = np.ascontiguousarray(image).data
                self._digests[place] = hashlib.sha256(pixels).hexdigest()
        return [self._digests[place] for place in places]
