"""What a set of labelled images is, wherever it lies."""

import abc
import collections.abc
import copy
import typing

import numpy as np
import numpy.typing as npt

from hashnet_tf._framings import DECODER
from hashnet_tf.datasets.sampling import shuffled
from hashnet_tf.methods import MAP_METHODS

if typing.TYPE_CHECKING:
    import tensorflow as tf

# The loss takes class ids as float32, which tells no larger ones apart.
MAX_CLASS_ID = 2**24

# From a position, int64 scalar, to the image as it lies.
Reader = collections.abc.Callable[[typing.Any], "tf.Tensor"]


class ImageSet(abc.ABC):
    """Images with names, and labels where they are known, in a fixed order.

    Args:
        labels: Class ids `[n]`, integers up to 2^24, any below 0 for an image
            without a label; or a zero-or-one matrix `[n, L]`, -1 where a label
            is unknown. None where the source has no labels.
        names: As below.

    Attributes:
        names: List of n str, each naming its image to a person: a path or a
            place in the source.
        shuffle_buffer: Int, how many images at most wait for their turn in a
            shuffled order, or None for all.
        decoder: Int, the version of the decoder that the pixels are of, or
            None of images that are pixels from the beginning.
        unit: Str, what its items are called.
        channels: Int, of an image; 3, RGB, of all that is decoded.

    Raises:
        ValueError: If `labels` are not as above or not one for each name.
    """

    shuffle_buffer: int | None = None
    decoder: int | None = DECODER
    unit: str = "images"
    channels: int = 3
    names: list[str]

    def __init__(
        self,
        labels: npt.ArrayLike | None,
        names: collections.abc.Iterable[str],
    ) -> None:
        self.names = list(names)
        self._labels = _checked(labels, len(self.names))

    def __len__(self) -> int:
        return len(self.names)

    @property
    def is_labelled(self) -> bool:
        """Whether the source has labels, though not of each image perhaps."""
        return self._labels is not None

    @property
    def labels(self) -> np.ndarray:
        """Class ids, int32 `[n]`, or a matrix `[n, L]`.

        A matrix of zeros and ones is uint8, or int8 where it holds a -1.

        Raises:
            ValueError: If the source has none.
        """
        if self._labels is None:
            raise ValueError(
                "Labels are needed for this. To do without, train by"
                f" --method={', '.join(MAP_METHODS)}."
                f" Received: {len(self)} {self.unit} without labels"
            )
        return self._labels

    def labels_at(self, indices: npt.ArrayLike) -> np.ndarray | None:
        """Returns the labels of some images, or None where there are none.

        Args:
            indices: Positions.
        """
        if self._labels is None:
            return None
        return self._labels[np.asarray(indices)]

    @abc.abstractmethod
    def subset(self, indices: npt.ArrayLike) -> typing.Self:
        """Returns the set of the images at `indices`, in that order."""

    @abc.abstractmethod
    def reader(self) -> Reader | None:
        """Returns what reads an image as it lies.

        Returns:
            Function, for use in a graph, from a position, int64 scalar, to the
            image: a string scalar (the bytes of an image file) or uint8
            `[height, width, channels]`. None if the set can only be streamed.
        """

    def encoded(
        self, order: "tf.data.Dataset | None" = None
    ) -> "tf.data.Dataset":
        """Streams the images as they lie.

        Args:
            order: `tf.data.Dataset` of int64 positions to read in turn, or
                None for all as they come.

        Returns:
            `tf.data.Dataset` of `(position, image)`, as `reader` tells.

        Raises:
            ValueError: If an order is wanted of a set that is a stream.
        """
        # Here, and so below: names and labels are read without TensorFlow,
        # whose import takes seconds.
        import tensorflow as tf

        read = self.reader()
        assert read is not None, "a set that is a stream streams itself"
        if order is None:
            order = tf.data.Dataset.range(len(self))
        return order.map(
            lambda position: (position, read(position)),
            num_parallel_calls=tf.data.AUTOTUNE,
        )

    def order(
        self, seed: int, shard: tuple[int, int] | None = None
    ) -> "tf.data.Dataset":
        """Streams the positions in another order each time.

        Args:
            seed: Int.
            shard: As in `hashnet_tf.datasets.sampling.shuffled`.

        Returns:
            `tf.data.Dataset` of int64 scalars.
        """
        import tensorflow as tf

        positions = tf.data.Dataset.range(len(self))
        return shuffled(positions, len(self), seed, shard, self.shuffle_buffer)

    def shuffled(
        self, seed: int, shard: tuple[int, int] | None = None
    ) -> "tf.data.Dataset":
        """Streams the images in the order of `order`, as `encoded` does."""
        return self.encoded(self.order(seed, shard))

    def where(self, position: int) -> str:
        """Returns the image at `position` as a message names it."""
        return self.names[position]

    @abc.abstractmethod
    def identities(self) -> list[str]:
        """Returns a list of n str, equal where two images are the same."""

    @abc.abstractmethod
    def fingerprint(self) -> str:
        """Returns a hex digest that changes when the images change."""

    @abc.abstractmethod
    def fingerprints(self) -> list[str]:
        """Returns a list of n str, each of which changes when its image does.

        They are equal only where two images are the same, of whatever sets.
        """

    def relabelled(self, labels: npt.ArrayLike) -> typing.Self:
        """Returns the set of the same images with other labels.

        Args:
            labels: As in the constructor.
        """
        images = copy.copy(self)
        images._labels = _checked(labels, len(self))
        return images

    @property
    def unlabelled(self) -> np.ndarray:
        """Boolean `[n]`: which images have no label at all.

        An id below 0, a row of zeros, or a row of -1, which says no more than
        an id below 0 does. An image whose labels are unknown in part has some.
        """
        if self.labels.ndim == 1:
            return self.labels < 0
        first = self.labels[:, :1]
        return (first < 1).all(axis=1) & (self.labels == first).all(axis=1)

    def first(self, count: int) -> typing.Self:
        """Returns the set of the first `count` images, or all if fewer."""
        return self.subset(np.arange(min(count, len(self))))


def _checked(labels: npt.ArrayLike | None, count: int) -> np.ndarray | None:
    if labels is None:
        return None
    labels = np.asarray(labels)
    if labels.ndim and len(labels) != count:
        raise ValueError(
            "Every image needs a label."
            f" Received: {count} images and {len(labels)} labels"
        )
    if labels.ndim == 2 and labels.dtype.kind in "biuf":
        unknown = labels == -1
        wrong = (labels != 0) & (labels != 1) & ~unknown
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise ValueError(
                "A matrix of labels must hold zeros and ones, or -1 where one"
                " is unknown. Received:"
                f" labels[{row}, {column}]={labels[row, column]}"
            )
        return labels.astype(np.int8 if unknown.any() else np.uint8)
    if labels.ndim == 1 and (labels.dtype.kind in "iu" or labels.size == 0):
        if labels.size and labels.max() > MAX_CLASS_ID:
            raise ValueError(
                f"Class ids must be at most {MAX_CLASS_ID}."
                f" Received: {labels.max()}"
            )
        return np.maximum(labels.astype(np.int64), -1).astype(np.int32)
    raise ValueError(
        "`labels` must be integers [n] or a zero-or-one matrix [n, L]."
        f" Received: labels.shape={labels.shape}, labels.dtype={labels.dtype}"
    )
