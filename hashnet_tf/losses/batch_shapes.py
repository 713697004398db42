"""What the losses take: labels and outputs of the same images."""


def check_batch(y_true, y_pred):
    """Checks the shapes of the labels and the outputs of a batch.

    Args:
        y_true: Tensor, class ids `[n]` or `[n, 1]`, or a zero-or-one matrix
            `[n, L]`.
        y_pred: Tensor, `[n, bits]`.

    Raises:
        ValueError: If the shapes are others or n differs; what is unknown
            while a graph is traced is let through.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.losses.batch_shapes import check_batch
    >>> check_batch(np.zeros(3), np.zeros((3, 48)))
    """
    if len(y_pred.shape) != 2:
        raise ValueError(
            "`y_pred` must have the shape [n, bits]."
            f" Received: y_pred.shape={tuple(y_pred.shape)}"
        )
    if len(y_true.shape) not in (1, 2) or differ(
        y_true.shape[0], y_pred.shape[0]
    ):
        raise ValueError(
            "`y_true` must hold class ids [n] or a zero-or-one matrix"
            " [n, labels] of as many rows as `y_pred`. Received:"
            f" y_true.shape={tuple(y_true.shape)},"
            f" y_pred.shape={tuple(y_pred.shape)}"
        )


def differ(a, b):
    """Returns whether two sizes are known and differ.

    Example:

    >>> from hashnet_tf.losses.batch_shapes import differ
    >>> differ(3, 4), differ(3, None)
    (True, False)
    """
    return a is not None and b is not None and a != b
