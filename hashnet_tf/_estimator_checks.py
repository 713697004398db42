"""Which vectors, labels and pairs `HashEncoder` takes, and what it reads."""

import typing
import warnings

import numpy as np
import numpy.typing as npt
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import type_of_target

from hashnet_tf.retrieval.labels import check_labels

# Of float32, in a deviation.
STEPS_TOLD = 16
TINY = np.finfo(np.float32).tiny


def read_labels(y: typing.Any, n: int, method: str) -> npt.NDArray:
    """Turns labels as scikit-learn's users have them into those of a loss.

    Args:
        y: Array-like `[n]` of integers, negative where unlabelled, of whole
            floats or of strings; or zeros and ones `[n, L]`, sparse perhaps.
        n: Int, how many there must be.
        method: Str, what asks for them.

    Returns:
        Class ids from 0, int64 `[n]`, -1 where unlabelled; or uint8 `[n, L]`.

    Raises:
        ValueError: If they are none of these.

    Example:

    >>> from hashnet_tf._estimator_checks import read_labels
    >>> read_labels(["cat", "dog", "cat"], 3, "hashnet-r")
    array([0, 1, 0])
    """
    if y is None:
        raise ValueError(
            f"`method` {method} requires y to be passed, but the target y is"
            " None. Or pairs; itq, pca, lsh and sign need neither. Received:"
            " y=None"
        )
    if hasattr(y, "toarray"):
        y = y.toarray()
    labels = np.asarray(y)
    if labels.ndim == 2 and labels.shape[1] > 1:
        return check_labels(labels, n, "y")
    labels = column_or_1d(labels, warn=True)
    kind = type_of_target(labels, raise_unknown=True)
    if kind not in ("binary", "multiclass"):
        raise ValueError(
            "`y` must be classes, integers or strings, or a zero-or-one matrix"
            f" [n, L]. Received: y of {kind!r}, y.dtype={labels.dtype}"
        )
    names, ids = np.unique(labels, return_inverse=True)
    if names.dtype.kind in "if":
        # Equal ones alike, and small ones, whatever the numbers are.
        ids = np.where(labels < 0, -1, ids - np.searchsorted(names, 0))
    return check_labels(ids, n, "y")


def read_pairs(pairs: typing.Any, n: int) -> npt.NDArray[np.int64]:
    """Checks pairs of rows.

    Args:
        pairs: Array-like of integers, `[m, 2]`, or `[m, 3]` with 1 or 0 behind;
            m >= 2.
        n: Int, the rows that there are.

    Returns:
        int64 of that shape.

    Raises:
        ValueError: If they are none of these, or name another row.

    Example:

    >>> from hashnet_tf._estimator_checks import read_pairs
    >>> read_pairs([[0, 2], [1, 3]], n=4).shape
    (2, 2)
    """
    checked = np.asarray(pairs)
    if checked.ndim != 2 or checked.shape[1] not in (2, 3) or len(checked) < 2:
        raise ValueError(
            "`pairs` must be at least two, [m, 2], or [m, 3] with what is"
            f" similar. Received: pairs.shape={checked.shape}"
        )
    if checked.dtype.kind not in "iu":
        raise ValueError(
            f"`pairs` must be integers. Received: pairs.dtype={checked.dtype}"
        )
    rows, similar = checked[:, :2], checked[:, 2:]
    wrong = (rows < 0) | (rows >= n)
    if wrong.any():
        raise ValueError(
            f"`pairs` must name rows of `X`, from 0 to {n - 1}."
            f" Received: {rows[wrong][0]}"
        )
    if not np.isin(similar, (0, 1)).all():
        raise ValueError(
            "`pairs` must have 1 or 0 in their third column, similar or not."
            f" Received: {similar[~np.isin(similar, (0, 1))][0]}"
        )
    return checked.astype(np.int64)


def check_features(
    vectors: npt.NDArray[np.float32],
    mean: npt.NDArray[np.float32],
    variance: npt.NDArray[np.float32],
) -> None:
    """Refuses vectors that are all one, and tells of features that are lost.

    Args:
        vectors: float32 `[n, d]`.
        mean: float32 `[d]`, of the features.
        variance: float32 `[d]`, of the features.

    Raises:
        ValueError: If no feature varies.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf._estimator_checks import check_features
    >>> x = np.float32([[0, 1], [2, 1]])
    >>> check_features(x, x.mean(axis=0), x.var(axis=0))
    """
    varying = vectors.max(axis=0) > vectors.min(axis=0)
    if not varying.any():
        raise ValueError(
            "`X` must hold vectors that differ. Received:"
            f" {len(vectors)} that are one"
        )
    steps = np.sqrt(variance) / np.maximum(np.spacing(abs(mean)), TINY)
    lost = (steps < STEPS_TOLD) & varying
    if lost.any():
        place = np.flatnonzero(lost)[0]
        warnings.warn(
            f"{lost.sum()} features of `X` vary by little more than float32"
            " tells so far from 0: subtract their mean before."
            f" Received: feature {place} of mean {mean[place]:g} and deviation"
            f" {variance[place] ** 0.5:g}",
            # Where `fit` was called.
            stacklevel=5,
        )
