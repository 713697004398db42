"""From labels to the classes that an image is known to have."""

import numpy as np
from keras import ops


def class_count(labels):
    """Returns how many classes the labels of a training set speak of.

    Args:
        labels: Class ids `[n]` or `[n, 1]`, or a zero-or-one matrix `[n, L]`;
            -1 where a label is unknown.

    Returns:
        Int C: one more than the largest id, or L.

    Raises:
        ValueError: If there are no labels of these shapes, or fewer than two
            classes have an image.

    Example:

    >>> from hashnet_tf.baselines.deep.classes import class_count
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
    if array.ndim == 2 and array.shape[1] > 1:
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


def class_membership(labels, classes):
    """Returns which classes each image of a batch is known to have.

    Args:
        labels: Tensor, class ids `[n]` or `[n, 1]`, or a zero-or-one matrix
            `[n, classes]` with more than one column. What is below zero is
            unknown, and an id that is no class names none.
        classes: Int C.

    Returns:
        Float32 tensor `[n, C]` of zeros and ones.

    Raises:
        ValueError: If a matrix has another number of columns.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.baselines.deep.classes import class_membership
    >>> labels = np.array([[0, 1, 1], [1, -1, 0]])
    >>> np.asarray(class_membership(labels, 3)).tolist()
    [[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]]
    """
    if len(labels.shape) == 2 and labels.shape[1] == 1:
        labels = ops.squeeze(labels, axis=1)
    if len(labels.shape) == 1:
        return ops.one_hot(ops.cast(labels, "int32"), classes, dtype="float32")
    if labels.shape[1] not in (classes, None):
        raise ValueError(
            f"`y_true` must have the {classes} columns of the classes."
            f" Received: y_true.shape={tuple(labels.shape)}"
        )
    return ops.cast(ops.greater(labels, 0), "float32")
