"""What the losses share that look at each image and its classes."""

import abc
import typing

import numpy as np
import numpy.typing as npt

from hashnet_tf._types import Tensor, ops
from hashnet_tf.losses._labels import labels_in_numpy, read_labels
from hashnet_tf.losses._pairs import check_batch, differ
from hashnet_tf.losses._row_loss import RowLoss


def class_count(labels: npt.ArrayLike) -> int:
    """Returns how many classes the labels of a training set speak of.

    Args:
        labels: Class ids `[n]` or `[n, 1]`, or a zero-or-one matrix `[n, L]`;
            -1 where a label is unknown.

    Returns:
        Int C: one more than the largest id, or L.

    Raises:
        ValueError: If they are no such labels, or fewer than two classes have
            an image.

    Example:

    >>> from hashnet_tf.losses.class_loss import class_count
    >>> class_count([0, 4, -1])
    5
    """
    array = np.asarray(labels)
    if array.ndim not in (1, 2):
        shape = None if labels is None else array.shape
        raise ValueError(
            "`labels` must be class ids [n] or a zero-or-one matrix"
            f" [n, labels]. Received: labels.shape={shape}"
        )
    array = labels_in_numpy(array)
    if array.ndim == 2:
        named = np.flatnonzero((array > 0).any(axis=0))
        count = array.shape[1]
    else:
        named = np.unique(array[array >= 0])
        count = int(named[-1]) + 1 if len(named) else 0
    if len(named) < 2:
        raise ValueError(
            "`labels` must name at least two classes, to tell them apart."
            f" Received: {len(named)} classes on {len(array)} images"
        )
    return count


def class_membership(labels: Tensor, classes: int) -> Tensor:
    """Returns which classes each image of a batch is known to have.

    Args:
        labels: Tensor, class ids `[n]`, or a matrix `[n, classes]` of 1, 0 and
            -1, as `read_labels` returns them. What is below zero is unknown,
            and an id that is no class names none.
        classes: Int C.

    Returns:
        Float32 tensor `[n, C]` of zeros and ones.

    Raises:
        ValueError: If a matrix has another number of columns.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.losses.class_loss import class_membership
    >>> labels = np.array([[0, 1, 1], [1, -1, 0]])
    >>> np.asarray(class_membership(labels, 3)).tolist()
    [[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]]
    """
    if len(labels.shape) == 1:
        return ops.one_hot(ops.cast(labels, "int32"), classes, dtype="float32")
    if labels.shape[1] not in (classes, None):
        raise ValueError(
            f"`y_true` must have the {classes} columns of the classes."
            f" Received: y_true.shape={tuple(labels.shape)}"
        )
    return ops.cast(ops.greater(labels, 0), "float32")


class ClassLoss(RowLoss):
    """A loss over the images of a batch that have a known class.

    Abstract: a subclass gives the loss of every image by `images`, and by
    `for_labels` what suits the labels of a training set. An image without a
    known class, or with a `sample_weight` of 0, contributes nothing, and the
    mean is over the others. It returns one value a row, whose mean over the
    batch is that mean, in float32 under every dtype policy.

    Args:
        classes: Int C.
        width: Int, what `y_pred` is wide.
        name: Str.
        reduction: As in `keras.losses.Loss`.

    Call arguments:
        y_true: Class ids `[n]` or `[n, 1]` below C, or labels from 0 to 1
            `[n, C]`; -1 where a label is unknown. Soft labels are read, and
            others refused, as by `WeightedPairwiseLoss`.
        y_pred: Float `[n, width]`.

    Raises:
        ValueError: If a shape or a label is none of these.
    """

    def __init__(
        self, classes: int, width: int, name: str, reduction: str
    ) -> None:
        super().__init__(name, reduction)
        self.classes = classes
        self.width = width

    @classmethod
    @abc.abstractmethod
    def for_labels(
        cls,
        labels: npt.ArrayLike,
        bits: int,
        seed: int = 0,
        **arguments: typing.Any,
    ) -> "ClassLoss":
        """Returns the loss that suits the labels of the training images.

        Args:
            labels: Class ids `[n]` or a zero-or-one matrix `[n, L]`; -1 where
                unknown.
            bits: Positive int K, length of the codes.
            seed: Int, of what is drawn.
            **arguments: The other arguments of the loss.

        Raises:
            ValueError: If the labels name fewer than two classes, or more than
                there are codes.
        """

    @abc.abstractmethod
    def images(self, membership: Tensor, outputs: Tensor) -> Tensor:
        """Returns the loss of each image.

        Args:
            membership: Float32 `[n, C]`, 1 where the image has the class.
            outputs: Float32 `[n, width]`.

        Returns:
            Float32 `[n]`; any finite value where no class is known.
        """

    def read(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        check_batch(y_true, y_pred)
        if differ(y_pred.shape[1], self.width):
            raise ValueError(
                f"`y_pred` must have the shape [n, {self.width}]."
                f" Received: y_pred.shape={tuple(y_pred.shape)}"
            )
        return read_labels(y_true, pairs=False)

    def rows(self, labels: Tensor, outputs: Tensor, present: Tensor) -> Tensor:
        membership = class_membership(labels, self.classes)
        counted = present * ops.max(membership, axis=1)
        scale = ops.sum(present) / ops.maximum(ops.sum(counted), 1.0)
        return scale * counted * self.images(membership, outputs)


def shared_cross_entropy(logits: Tensor, membership: Tensor) -> Tensor:
    """Returns the cross-entropy with a target shared among the classes.

    An image of several classes has the same share of each, which OrthoHash
    (Hoe et al., NeurIPS 2021) calls label smoothing.

    Args:
        logits: Float32 `[n, C]`.
        membership: Float32 `[n, C]` of zeros and ones.

    Returns:
        Float32 `[n]`, 0 where no class is known.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.losses.class_loss import shared_cross_entropy
    >>> membership = np.float32([[1, 1, 0, 0]])
    >>> losses = shared_cross_entropy(np.zeros((1, 4), "float32"), membership)
    >>> round(float(losses[0]), 4)
    1.3863
    """
    counts = ops.sum(membership, axis=1, keepdims=True)
    target = membership / ops.maximum(counts, 1.0)
    return -ops.sum(target * ops.log_softmax(logits, axis=1), axis=1)
