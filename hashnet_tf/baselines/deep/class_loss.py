"""What the losses share that look at each image and its classes."""

import abc

import keras
from keras import ops

from hashnet_tf.baselines.deep.classes import class_membership
from hashnet_tf.losses.batch_shapes import check_batch, differ


class ClassLoss(keras.losses.Loss, abc.ABC):
    """A loss over the images of a batch that have a known class.

    Abstract: a subclass gives the loss of every image by `images`. An image
    without a known class contributes nothing, and the mean is over the others.
    It returns one value a row, whose mean over the batch is that mean, in
    float32 under every dtype policy.

    Args:
        classes: Int C.
        width: Int, what `y_pred` is wide.
        name: Str.
        reduction: As in `keras.losses.Loss`.

    Call arguments:
        y_true: Class ids `[n]` or `[n, 1]` below C, or a zero-or-one matrix
            `[n, C]`; -1 where a label is unknown.
        y_pred: Float `[n, width]`.

    Raises:
        ValueError: If a shape is none of these.
    """

    def __init__(self, classes, width, name, reduction):
        super().__init__(name=name, reduction=reduction, dtype="float32")
        self.classes = classes
        self.width = width

    @abc.abstractmethod
    def images(self, membership, outputs):
        """Returns the loss of each image.

        Args:
            membership: Float32 `[n, C]`, 1 where the image has the class.
            outputs: Float32 `[n, width]`.

        Returns:
            Float32 `[n]`; any finite value where no class is known.
        """

    def call(self, y_true, y_pred):
        y_true = ops.convert_to_tensor(y_true)
        outputs = ops.cast(y_pred, "float32")
        check_batch(y_true, outputs)
        if differ(outputs.shape[1], self.width):
            raise ValueError(
                f"`y_pred` must have the shape [n, {self.width}]."
                f" Received: y_pred.shape={tuple(outputs.shape)}"
            )
        membership = class_membership(y_true, self.classes)
        counted = ops.max(membership, axis=1)
        n = ops.cast(ops.shape(outputs)[0], "float32")
        scale = n / ops.maximum(ops.sum(counted), 1.0)
        return scale * counted * self.images(membership, outputs)


def shared_cross_entropy(logits, membership):
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
    >>> from hashnet_tf.baselines.deep.class_loss import shared_cross_entropy
    >>> membership = np.float32([[1, 1, 0, 0]])
    >>> losses = shared_cross_entropy(np.zeros((1, 4), "float32"), membership)
    >>> round(float(losses[0]), 4)
    1.3863
    """
    counts = ops.sum(membership, axis=1, keepdims=True)
    target = membership / ops.maximum(counts, 1.0)
    return -ops.sum(target * ops.log_softmax(logits, axis=1), axis=1)
