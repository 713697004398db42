"""Binary codes as an argument that is stored with a loss."""

import numpy as np


def check_signs(codes, name):
    """Checks a matrix of codes, one a row.

    Args:
        codes: Real `[rows, K]` of -1 and +1, at least one of each.
        name: What to call it in an error.

    Returns:
        int8 `[rows, K]`.

    Raises:
        ValueError: If it is none.

    Example:

    >>> from hashnet_tf.baselines.deep.signs import check_signs
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
