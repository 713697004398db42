"""Checks that losses share."""

import numpy as np
import numpy.typing as npt


def check_quantization(quantization: float) -> float:
    """Returns the weight of a quantisation term, checked.

    Args:
        quantization: Float, at least 0 and finite.

    Raises:
        ValueError: If it is not.

    Example:

    >>> from hashnet_tf.losses._checks import check_quantization
    >>> check_quantization(0.1)
    0.1
    """
    if not 0 <= quantization < float("inf"):
        raise ValueError(
            "`quantization` must be finite and not negative."
            f" Received: quantization={quantization}"
        )
    return quantization


def check_signs(codes: npt.ArrayLike, name: str) -> np.ndarray:
    """Checks a matrix of codes, one a row.

    Args:
        codes: Real `[rows, K]` of -1 and +1, at least one of each.
        name: What to call it in an error.

    Returns:
        int8 `[rows, K]`.

    Raises:
        ValueError: If it is none.

    Example:

    >>> from hashnet_tf.losses._checks import check_signs
    >>> check_signs([[1, -1]], "centers")
    array([[ 1, -1]], dtype=int8)
    """
    codes = np.asarray(codes)
    if codes.ndim != 2 or codes.size == 0:
        raise ValueError(
            f"`{name}` must have the shape [rows, bits]."
            f" Received: {name}.shape={codes.shape}"
        )
    wrong = codes[(codes != 1) & (codes != -1)]
    if len(wrong):
        raise ValueError(
            f"`{name}` must hold -1 and +1 only."
            f" Received: {wrong[0]} among {len(wrong)} others"
        )
    return codes.astype(np.int8)
