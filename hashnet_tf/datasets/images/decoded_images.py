"""Images that have been decoded once and lie in memory."""

import collections.abc
import os
import pathlib

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from hashnet_tf._framings import CACHES
from hashnet_tf.datasets.images.image_set import ImageSet, Reader
from hashnet_tf.datasets.pixels.undecodable import (
    refuse_undecodable,
    refused_of,
)
from hashnet_tf.datasets.sampling import untuned

_MEMINFO = pathlib.Path("/proc/meminfo")
# Of a container, whose limit the machine's figures do not tell.
_CGROUP = pathlib.Path("/sys/fs/cgroup")

SAMPLE = 48
# What is left is for the network, the framework and others.
SHARE = 0.5


def available_memory() -> int | None:
    """Returns the bytes of memory that are available, or None if not known.

    Example:

    >>> from hashnet_tf.datasets.images.decoded_images import available_memory
    >>> available_memory() is None or available_memory() > 0
    True
    """
    machine, container = _of_machine(), _of_container()
    if machine is None or container is None:
        return machine
    return min(machine, container)


def _of_machine() -> int | None:
    try:
        for line in _MEMINFO.read_text(encoding="ascii").splitlines():
            name, value = line.split(":")
            if name == "MemAvailable":
                return int(value.split()[0]) * 1024
    except (OSError, ValueError):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def _of_container() -> int | None:
    try:
        limit = int((_CGROUP / "memory.max").read_text(encoding="ascii"))
        taken = int((_CGROUP / "memory.current").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return max(0, limit - taken)


class DecodedImages(ImageSet):
    """Images in memory, each of a size of its own.

    Args:
        images: List of n uint8 arrays `[height, width, channels]`.
        source: `ImageSet` of the same n images, of whose labels, names and
            order of reading these are.
    """

    def __init__(self, images: list[np.ndarray], source: ImageSet) -> None:
        everything = np.arange(len(source))
        super().__init__(source.labels_at(everything), source.names)
        self._images = images
        self._source = source
        self.shuffle_buffer = source.shuffle_buffer
        self.decoder = source.decoder
        self.channels = source.channels

    def subset(self, indices: npt.ArrayLike) -> "DecodedImages":
        images = [self._images[i] for i in np.asarray(indices)]
        return DecodedImages(images, self._source.subset(indices))

    def reader(self) -> Reader:
        images = self._images

        def read(position):
            image = tf.numpy_function(
                lambda i: images[i], [position], tf.uint8, stateful=False
            )
            return tf.ensure_shape(image, [None, None, self.channels])

        return read

    def identities(self) -> list[str]:
        return self._source.identities()

    def fingerprint(self) -> str:
        return self._source.fingerprint()

    def fingerprints(self) -> list[str]:
        return self._source.fingerprints()


def cached(
    images: ImageSet,
    keep: collections.abc.Callable[..., tuple[tf.Tensor, tf.Tensor]],
    cache: str = "auto",
) -> ImageSet:
    """Returns images decoded and kept in memory, if that is wanted.

    Args:
        images: `ImageSet`.
        keep: Function from a `(position, image)` of `ImageSet.encoded` to a
            position and what of the image to keep, uint8
            `[height, width, channels]`.
        cache: "always", "never", or "auto": if what is kept will fill at most
            half of the memory that is available, by the first images; where
            that cannot be told it does not.

    Returns:
        `ImageSet` of the same images in the same order: a `DecodedImages`, or
        `images` itself.

    Raises:
        ValueError: If `cache` is none of these, or an image cannot be decoded.

    Example:

    >>> import hashnet_tf as hn
    >>> from hashnet_tf.datasets.images.decoded_images import cached
    >>> queries = hn.datasets.load("digits").query
    >>> kept = cached(queries, lambda i, image: (i, image), "always")
    >>> type(kept).__name__, len(kept)
    ('DecodedImages', 200)
    """
    if cache not in CACHES:
        raise ValueError(
            f"`cache` must be one of {tuple(CACHES)}. Received: cache={cache!r}"
        )
    if cache == "never":
        return images
    limit = None
    if cache == "auto":
        limit = SHARE * (available_memory() or 0)
    stream = images.encoded().map(keep, num_parallel_calls=tf.data.AUTOTUNE)
    # An image that cannot be decoded is missing here, and is named at the end.
    stream = untuned(stream.ignore_errors())
    decoded, taken = {}, 0
    for position, image in stream.as_numpy_iterator():
        taken += image.nbytes
        decoded[position] = image
        if limit is None:
            continue
        sampled = len(decoded) == min(SAMPLE, len(images))
        expected = taken / len(decoded) * len(images) if sampled else taken
        # Behind the sample, if the first ones were smaller than the rest.
        if expected > limit:
            return images
    missing = [i for i in range(len(images)) if i not in decoded]
    if missing:
        refuse_undecodable(images, refused_of(images, missing))
        # What has failed once and does no more is left to each epoch.
        return images
    return DecodedImages([decoded[i] for i in range(len(images))], images)
