"""From labels to pairs: which are similar, and their weights."""

import collections.abc
import typing

from hashnet_tf._types import Tensor, ops

# "batch", None, or the weights of similar and of dissimilar pairs.
ClassWeights: typing.TypeAlias = str | collections.abc.Iterable[float] | None


def check_batch(y_true: Tensor, y_pred: Tensor) -> None:
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
    >>> from hashnet_tf.losses._pairs import check_batch
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


def check_pair_outputs(y_pred: Tensor) -> None:
    """Checks the shape of the outputs of a batch of pairs.

    Args:
        y_pred: Tensor, `[n, 2, bits]`.

    Raises:
        ValueError: If the shape is another.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.losses._pairs import check_pair_outputs
    >>> check_pair_outputs(np.zeros((3, 2, 48)))
    """
    if len(y_pred.shape) != 3 or y_pred.shape[1] != 2:
        raise ValueError(
            "`y_pred` must hold the two codes of each pair, [n, 2, bits]."
            f" Received: y_pred.shape={tuple(y_pred.shape)}"
        )


def differ(a: int | None, b: int | None) -> bool:
    """Returns whether two sizes are known and differ.

    Example:

    >>> from hashnet_tf.losses._pairs import differ
    >>> differ(3, 4), differ(3, None)
    (True, False)
    """
    return a is not None and b is not None and a != b


def label_pairs(labels: Tensor, overlap: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Compares every item of a batch with every other.

    Two items are similar if they share a label. An entry below zero is an
    unknown label: it can make a pair neither similar nor dissimilar, so a pair
    that shares no known label but could share an unknown one is not known.

    Args:
        labels: Class ids `[n]`, or a matrix `[n, L]` of 1, 0 and -1, as
            `read_labels` returns them; -1 where unknown.
        overlap: Whether c_ij is the Jaccard overlap of the labels.

    Returns:
        Three tensors `[n, n]`: `similar` (boolean), `known` (boolean) and
        `continuous` (float32): c_ij is 1, or, with `overlap`, the number of
        shared labels divided by the number of labels that either has, on
        similar pairs only. Taken on dissimilar pairs too, as Eq. 2's wording
        has it, it would be 0 and remove every one of them from the loss.
    """
    if len(labels.shape) == 1:
        return _pairs_of_ids(labels)
    positive = ops.cast(ops.greater(labels, 0), "float32")
    possible = ops.cast(ops.not_equal(labels, 0), "float32")
    shared = ops.matmul(positive, ops.transpose(positive))
    sharable = ops.matmul(possible, ops.transpose(possible))
    similar = ops.greater(shared, 0)
    known = ops.logical_or(similar, ops.equal(sharable, 0))
    if not overlap:
        return similar, known, ops.ones_like(shared)
    sizes = ops.sum(positive, axis=1)
    either = sizes[:, None] + sizes[None, :] - shared
    continuous = ops.where(similar, shared / ops.maximum(either, 1.0), 1.0)
    return similar, known, continuous


def _pairs_of_ids(ids):
    known = ops.greater_equal(ids, 0)
    known = ops.logical_and(known[:, None], known[None, :])
    similar = ops.logical_and(ops.equal(ids[:, None], ids[None, :]), known)
    return similar, known, ops.ones_like(similar, dtype="float32")


def pairs_of(present: Tensor) -> Tensor:
    """Returns which pairs of a batch there are.

    Args:
        present: Float32 tensor `[n]`, 0 where a row is not there.

    Returns:
        Boolean tensor `[n, n]`, False for i = j too.
    """
    there = ops.greater(present, 0)
    others = ops.logical_not(ops.eye(ops.shape(present)[0], dtype="bool"))
    return ops.logical_and(
        ops.logical_and(there[:, None], there[None, :]), others
    )


def row_scale(counted: Tensor, present: Tensor) -> Tensor:
    """Returns what makes a mean over rows of sums over pairs.

    Args:
        counted: Boolean tensor of any shape, as `pair_weights` takes it.
        present: Float tensor `[n]`, 1 where a row is there, 0 elsewhere.

    Returns:
        Float32 scalar: times it, the sums of the rows' weighted pairs have as
        their mean over the present rows the mean over the counted pairs.
    """
    total = ops.maximum(ops.sum(ops.cast(counted, "float32")), 1.0)
    return ops.sum(present) / total


def check_class_weights(
    class_weights: ClassWeights,
) -> str | tuple[float, float] | None:
    """Returns `class_weights` in its one stored form.

    Args:
        class_weights: "batch", None, or two non-negative finite numbers
            `(w1, w0)`, the weights of similar and of dissimilar pairs.

    Raises:
        ValueError: If it is something else.
    """
    if class_weights is None:
        return None
    similar = dissimilar = float("nan")
    if isinstance(class_weights, str):
        if class_weights == "batch":
            return class_weights
    else:
        try:
            similar, dissimilar = (float(weight) for weight in class_weights)
        except (TypeError, ValueError):
            pass
    if not (0 <= similar < float("inf") and 0 <= dissimilar < float("inf")):
        raise ValueError(
            '`class_weights` must be "batch", None or two non-negative numbers'
            " (w1, w0) for similar and dissimilar pairs."
            f" Received: class_weights={class_weights!r}"
        )
    return (similar, dissimilar)


def pair_weights(
    similar: Tensor,
    counted: Tensor,
    class_weights: str | tuple[float, float] | None,
) -> Tensor:
    """Returns the weight of each pair for being similar or dissimilar.

    Eq. 2 of HashNet (ICCV 2017): |S| / |S1| for similar and |S| / |S0| for
    dissimilar pairs, counted in the batch ("batch"), given (`(w1, w0)`), or 1.

    Args:
        similar: Boolean tensor of any shape, s_ij.
        counted: Boolean tensor of that shape: False for i = j, for pairs
            whose similarity is not known and for rows that are not there.
        class_weights: As `check_class_weights` returns it.

    Returns:
        Float32 tensor of that shape, 0 where a pair is not counted. A batch
        without similar, or without dissimilar, pairs has no such weights
        and stays finite.
    """
    ones = ops.cast(ops.logical_and(counted, similar), "float32")
    zeros = ops.cast(
        ops.logical_and(counted, ops.logical_not(similar)), "float32"
    )
    if class_weights is None:
        return ones + zeros
    if class_weights == "batch":
        n_ones, n_zeros = ops.sum(ones), ops.sum(zeros)
        weight_ones = (n_ones + n_zeros) / ops.maximum(n_ones, 1.0)
        weight_zeros = (n_ones + n_zeros) / ops.maximum(n_zeros, 1.0)
    else:
        weight_ones, weight_zeros = class_weights
    return weight_ones * ones + weight_zeros * zeros
