"""What the shallow hash functions take."""

import numpy as np


def check_features(features, width=None):
    """Checks a matrix of features.

    Args:
        features: Real `[n, d]`, at least one row and column.
        width: Int, the d that was fitted, or None for any.

    Returns:
        float64 `[n, d]`, or float32 if that is what came.

    Raises:
        ValueError: If `features` has another shape or holds NaN or infinity.

    Example:

    >>> from hashnet_tf.baselines.features import check_features
    >>> check_features([[1, 2]], width=2)
    array([[1., 2.]])
    """
    features = np.asarray(features)
    if features.ndim != 2 or features.size == 0:
        raise ValueError(
            "`features` must be of shape [n, dimensions] and not empty."
            f" Received: features.shape={features.shape}"
        )
    if width is not None and features.shape[1] != width:
        raise ValueError(
            f"`features` must have the {width} dimensions that were fitted."
            f" Received: features.shape={features.shape}"
        )
    if features.dtype != np.float32:
        features = features.astype(np.float64)
    finite = np.isfinite(features).all(axis=1)
    if not finite.all():
        rows = np.flatnonzero(~finite)
        raise ValueError(
            "`features` must be finite. Received: NaN or infinity in"
            f" {len(rows)} rows, the first of them {rows[0]}"
        )
    return features


def check_positive(value, name):
    """Checks that a count is a positive integer.

    Args:
        value: Int >= 1.
        name: What to call it in an error.

    Raises:
        ValueError: If it is not.

    Example:

    >>> from hashnet_tf.baselines.features import check_positive
    >>> check_positive(0, "bits")
    Traceback (most recent call last):
        ...
    ValueError: `bits` must be a positive integer. Received: bits=0
    """
    if not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(
            f"`{name}` must be a positive integer. Received: {name}={value!r}"
        )
