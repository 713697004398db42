"""What labels say, and which say nothing that can be trained on."""

import typing

import keras
import numpy as np

from hashnet_tf._types import Tensor, ops

# Below it a float of this precision holds every whole number.
WHOLE_BELOW = {
    "bfloat16": 2**8,
    "float16": 2**11,
    "float32": 2**24,
    "float64": 2**53,
}
# How far rounding takes sums of labels that were mixed.
ROUNDING = 1e-3
IDS = (
    "must be whole numbers where they are class ids, of floats below 2^24"
    " (float64 2^53, float16 2^11, bfloat16 2^8)"
)
MATRIX = (
    "must hold labels from 0 to 1, or below 0 where unknown, where it is a"
    " matrix; ids of several levels are several losses"
)


def read_labels(
    labels: Tensor, name: str = "y_true", pairs: bool = True
) -> Tensor:
    """Turns the labels of a batch into what they say.

    Ids are compared in the dtype they come in. Of soft labels those from .5
    on count. Where a row of shares, which add up to 1, has none, its largest
    count, unless all are equal.

    Args:
        labels: Class ids `[n]` or `[n, 1]`, or labels from 0 to 1 `[n, L]`
            with L > 1; below zero where unknown.
        name: What to call them in an error.
        pairs: Whether ids may be renamed, equal ones alike.

    Returns:
        float32: ids `[n]`, -1 where unknown, or `[n, L]` of 1, 0 and -1. While
        a graph is traced no value is known: NaN stands there for each that
        would be refused, and TensorFlow's own graphs end with the error.

    Raises:
        ValueError: If the values are no such labels, or the width is unknown
            while a graph is traced.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.losses._labels import read_labels
    >>> soft = np.array([[0.9, 0.05, 0.05], [0.3, 0.4, 0.3]])
    >>> np.asarray(read_labels(soft)).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    values = _values(labels)
    if values is not None:
        found = labels_in_numpy(values, name)
        if pairs and found.ndim == 1:
            # Numbers of the batch, which every backend's integers hold.
            renamed = np.unique(found, return_inverse=True)[1].reshape(-1)
            found = np.where(found < 0, -1, renamed)
        return ops.convert_to_tensor(found, dtype="float32")
    if len(labels.shape) == 2:
        if labels.shape[1] is None:
            raise ValueError(
                f"`{name}` must have a known width while a graph is traced: one"
                " column holds ids, several hold zeros and ones; set it by"
                " `output_signature` or `ensure_shape`. Received:"
                f" {name}.shape={tuple(labels.shape)}"
            )
        if labels.shape[1] > 1:
            return _matrix_in_graph(labels, name)
        labels = ops.squeeze(labels, axis=1)
    return _ids_in_graph(labels, name, pairs)


def read_similarities(similarities: Tensor, name: str = "y_true") -> Tensor:
    """Turns given similarities, of any shape, into 1, 0 and -1.

    As soft labels they count from .5 on, are unknown below zero, and are
    refused above 1; returns and errors are those of `read_labels`.
    """
    values = _values(similarities)
    if values is None:
        return _matrix_in_graph(similarities, name, shares=False)
    _check_values(values, name)
    _refuse(values, _too_large(values), name, MATRIX)
    return ops.convert_to_tensor(_whole(values, np), dtype="float32")


def labels_in_numpy(labels: np.ndarray, name: str = "labels") -> np.ndarray:
    """Does for an array what `read_labels` does for a batch.

    Returns:
        Ids int64 `[n]` as they are, or int8 `[n, L]` of 1, 0 and -1.

    Raises:
        ValueError: If the values are no such labels.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.losses._labels import labels_in_numpy
    >>> labels_in_numpy(np.array([[3.0], [-1.0]])).tolist()
    [3, -1]
    """
    _check_values(labels, name)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2:
        _refuse(labels, _too_large(labels), name, MATRIX)
        return _whole(labels, np, shares=labels.dtype.kind not in "biu")
    if labels.dtype.kind in "bi":
        return labels.astype(np.int64)
    if labels.dtype.kind == "u":
        wrong = labels > np.iinfo(np.int64).max
    else:
        wrong = ~_whole_numbers(labels, labels.dtype.name, np)
    _refuse(labels, wrong, name, IDS)
    return labels.astype(np.int64)


def _values(labels: Tensor) -> np.ndarray | None:
    """Returns the values, or None while a graph is traced."""
    if isinstance(labels, np.ndarray):
        return labels
    try:
        return ops.convert_to_numpy(labels)
    except (NotImplementedError, TypeError):
        return None


def _check_values(labels, name):
    if labels.dtype.kind not in "biuf" and (
        labels.dtype.name not in WHOLE_BELOW
    ):
        raise ValueError(
            f"`{name}` must be numbers. Received: {name}.dtype={labels.dtype}"
        )


def _refuse(labels, wrong, name, wanted):
    if wrong.any():
        place = tuple(np.argwhere(wrong)[0].tolist())
        raise ValueError(
            f"`{name}` {wanted}. Received: {name}{list(place)}={labels[place]}"
        )


def _too_large(labels):
    # Not what is small enough, which NaN is not.
    return ~((labels <= 1 + ROUNDING) & (labels > -np.inf))


def _whole_numbers(ids, dtype, xp):
    # NaN and infinity are neither.
    below = xp.absolute(ids) < WHOLE_BELOW[dtype]
    return xp.logical_and(below, ids == xp.floor(ids))


def _whole(labels: typing.Any, xp: typing.Any, shares: bool = False):
    """Returns 1, 0 or -1 for each; `xp` is NumPy or `keras.ops`."""
    counts = labels >= 0.5
    if shares:
        largest = xp.max(labels, axis=1, keepdims=True)
        least = xp.min(labels, axis=1, keepdims=True)
        total = xp.sum(labels, axis=1, keepdims=True)
        apart = xp.logical_and(
            xp.logical_and(largest < 0.5, largest - least > ROUNDING),
            xp.absolute(total - 1) < 10 * ROUNDING,
        )
        counts = xp.logical_or(
            counts, xp.logical_and(apart, labels > largest - ROUNDING)
        )
    if xp is np:
        return counts.astype(np.int8) - (labels < 0).astype(np.int8)
    return ops.cast(counts, "float32") - ops.cast(labels < 0, "float32")


def _matrix_in_graph(labels, name, shares=True):
    dtype = keras.backend.standardize_dtype(labels.dtype)
    if dtype in WHOLE_BELOW:
        shares = shares and dtype not in ("float16", "bfloat16")
    else:
        shares = False
    values = ops.cast(labels, "float32")
    right = ops.logical_and(values <= 1 + ROUNDING, values > -float("inf"))
    return _right(_whole(values, ops, shares), right, labels, name, MATRIX)


def _ids_in_graph(ids, name, pairs):
    dtype = keras.backend.standardize_dtype(ids.dtype)
    right = None
    if dtype == "bool":
        ids = ops.cast(ids, "int32")
    elif dtype in WHOLE_BELOW:
        right = _whole_numbers(ids, dtype, ops)
    found = ops.cast(ids, "float32")
    if pairs:
        same = ops.cast(ops.equal(ids[:, None], ids[None, :]), "int32")
        found = ops.cast(ops.argmax(same, axis=1), "float32")
    found = ops.where(ops.greater_equal(ids, 0), found, -1.0)
    return found if right is None else _right(found, right, ids, name, IDS)


def _right(found, right, labels, name, wanted):
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        # Where XLA compiles the step, this is left out, and NaN alone tells.
        wrong = ops.logical_not(right)
        tf.debugging.Assert(
            ops.all(right),
            [f"`{name}` {wanted}. Received:", tf.boolean_mask(labels, wrong)],
        )
    return ops.where(right, found, float("nan"))
