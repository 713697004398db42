"""Vectors that stand in the place of images."""

import collections.abc
import hashlib
import typing

import numpy as np
import numpy.typing as npt

from hashnet_tf.datasets.images.image_set import ImageSet, Reader

# That are looked at together: they may be a memory map.
ROWS = 4096


@typing.final
class Vectors(ImageSet):
    """Rows of an array, in memory or on disk, each an item as an image is.

    Args:
        vectors: Real array `[n, d]`, a memory map among others, which is read
            where it is needed.
        labels: As in `ImageSet`.
        names: List of n str, or None for their numbers.

    Attributes:
        width: Int d.
        unit: "vectors".

    Raises:
        ValueError: If `vectors` has another shape or dtype.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.datasets import Vectors
    >>> vectors = Vectors(np.eye(4), [0, 0, 1, 1])
    >>> len(vectors), vectors.width, vectors.subset([2]).array().tolist()
    (4, 4, [[0.0, 0.0, 1.0, 0.0]])
    """

    width: int
    decoder = None
    unit = "vectors"

    def __init__(
        self,
        vectors: npt.ArrayLike,
        labels: npt.ArrayLike | None,
        names: collections.abc.Iterable[str] | None = None,
    ) -> None:
        # Not as another array, which would read a memory map.
        array = vectors if isinstance(vectors, np.ndarray) else None
        array = np.asarray(vectors) if array is None else array
        if (
            array.ndim != 2
            or not array.shape[1]
            or array.dtype.kind not in ("fiub")
        ):
            raise ValueError(
                "`vectors` must be numbers [n, d]. Received:"
                f" vectors.shape={array.shape}, vectors.dtype={array.dtype}"
            )
        if names is None:
            names = [str(i) for i in range(len(array))]
        super().__init__(labels, names)
        self.width = array.shape[1]
        # All of the source, and which of them these are.
        self._all = array
        self._places = np.arange(len(array))

    def subset(self, indices: npt.ArrayLike) -> "Vectors":
        indices = np.asarray(indices, dtype=np.int64)
        some = Vectors.__new__(Vectors)
        ImageSet.__init__(
            some, self.labels_at(indices), [self.names[i] for i in indices]
        )
        some.width, some._all = self.width, self._all
        some._places = self._places[indices]
        return some

    def array(self) -> np.ndarray:
        """Returns all of them, float32 `[n, d]`, in memory."""
        return np.concatenate(
            [np.zeros((0, self.width), np.float32), *self.batches(ROWS)]
        )

    def batches(
        self, size: int, start: int = 0
    ) -> collections.abc.Iterator[np.ndarray]:
        """Yields them in order, float32 `[<= size, d]`.

        Args:
            size: Positive int.
            start: Int, the first to be read.
        """
        for first in range(start, len(self), size):
            places = self._places[first : first + size]
            yield self._all[places].astype(np.float32)

    def reader(self) -> Reader:
        import tensorflow as tf

        def read(position):
            vector = tf.numpy_function(
                lambda i: self._all[self._places[i]].astype(np.float32),
                [position],
                tf.float32,
                stateful=False,
            )
            return tf.ensure_shape(vector, [self.width])

        return read

    def identities(self) -> list[str]:
        # Sets that were made apart may both count from 0.
        return [
            f"{name} {digest}"
            for name, digest in zip(self.names, self._digests(), strict=True)
        ]

    def fingerprint(self) -> str:
        digest = hashlib.sha256(repr((len(self), self.width)).encode())
        for batch in self.batches(ROWS):
            digest.update(batch.data)
        return digest.hexdigest()

    def fingerprints(self) -> list[str]:
        return [f"{self.width} {digest}" for digest in self._digests()]

    def _digests(self) -> collections.abc.Iterator[str]:
        for batch in self.batches(ROWS):
            for row in batch:
                yield hashlib.sha256(row.data).hexdigest()
