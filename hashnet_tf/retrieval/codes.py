"""Packed codes: eight bits a byte, the first bit in the highest place."""

import warnings

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.uint8]

# numpy's name for it: the first bit in the highest place of the first byte.
BIT_ORDER = "big"
# So many values of one sign are no chance.
SURELY_BOTH = 64
SMALLEST_NORMAL = np.finfo(np.float32).smallest_normal


def pack(values: npt.ArrayLike) -> Codes:
    """Packs the signs of real values into bytes.

    Bit k is 1 iff `values[:, k] >= 0`, so sgn(0) = +1 as in HashNet (ICCV
    2017, Eq. 5). A subnormal float32 counts as 0, as it does in the encoders,
    some of whose runtimes know none. The first bit is the most significant of
    the first byte and the last byte is filled up with zeros, as by
    `numpy.packbits`.

    Args:
        values: Signed integers or floats `[n, K]`, K >= 1: z, g = tanh(beta z)
            or signs. Zeros and ones are refused unless signed: every one of
            them is >= 0. Where none of 64 values or more is below 0, as of a
            sigmoid, a warning tells.

    Returns:
        Codes, uint8 `[n, ceil(K / 8)]`.

    Raises:
        ValueError: If `values` has another shape or dtype, or holds NaN.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval import pack
    >>> pack(np.array([[0.5, -2.0, 0.0, -1.0, -1.0, -1.0, -1.0, -1.0, 3.0]]))
    array([[160, 128]], dtype=uint8)
    """
    values = np.asarray(values)
    if values.ndim != 2 or values.shape[1] == 0:
        raise ValueError(
            "`values` must be of shape [n, bits], with at least one bit."
            f" Received: values.shape={values.shape}"
        )
    if values.dtype.kind not in "fi":
        raise ValueError(
            "`values` must be floats or signed integers, whose sign is the"
            f" bit. Received: values.dtype={values.dtype}"
        )
    if np.isnan(values).any():
        rows = np.flatnonzero(np.isnan(values).any(axis=1))
        raise ValueError(
            "`values` must not hold NaN, which has no sign."
            f" Received: NaN in {len(rows)} rows, the first of them {rows[0]}"
        )
    if values.size >= SURELY_BOTH and 0 <= values.min() < values.max():
        warnings.warn(
            "None of `values` is below 0, so that every bit is 1. Outputs of a"
            " sigmoid, or zeros and ones, have their middle at .5: pack"
            " `values - 0.5`.",
            stacklevel=2,
        )
    if values.dtype == np.float32:
        return np.packbits(values > -SMALLEST_NORMAL, axis=1)
    return np.packbits(values >= 0, axis=1)


def unpack(codes: Codes, bits: int) -> npt.NDArray[np.int8]:
    """Turns packed codes back into signs.

    Args:
        codes: uint8 `[n, ceil(bits / 8)]`.
        bits: Int >= 1, the length K of the codes.

    Returns:
        Signs -1 and +1, int8 `[n, bits]`.

    Raises:
        ValueError: As `check_codes`.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval import unpack
    >>> unpack(np.array([[160]], dtype="uint8"), bits=4)
    array([[ 1, -1,  1, -1]], dtype=int8)
    """
    codes = check_codes(codes, bits, "codes")
    ones = np.unpackbits(codes, axis=1, count=bits).astype(np.int8)
    return 2 * ones - 1


def check_codes(
    codes: npt.ArrayLike, bits: int | None = None, name: str = "codes"
) -> Codes:
    """Checks that an array holds packed codes.

    Args:
        codes: uint8 `[n, ceil(bits / 8)]`.
        bits: Int >= 1, or None for every bit of the bytes.
        name: What to call the array in an error.

    Returns:
        `codes` as a numpy array, not copied if it is one (a memory map stays
        on disk).

    Raises:
        ValueError: If `bits` is no positive integer, or if `codes` is not
            2-dimensional uint8, is not ceil(bits / 8) bytes wide or has a one
            behind its last bit.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval.codes import check_codes
    >>> check_codes(np.array([[160, 1]], dtype="uint8"), 12, "codes")
    Traceback (most recent call last):
        ...
    ValueError: `codes` must have zeros behind bit 12. Received: ones there \
in 1 rows, the first of them 0
    """
    codes = np.asarray(codes)
    if codes.ndim != 2 or codes.shape[1] == 0 or codes.dtype != np.uint8:
        raise ValueError(
            f"`{name}` must be packed codes, uint8 of shape [n, bytes]."
            f" Received: {name}.shape={codes.shape},"
            f" {name}.dtype={codes.dtype}"
        )
    if bits is None:
        return codes
    bits = check_count(bits, "bits")
    width = -(-bits // 8)
    if codes.shape[1] != width:
        raise ValueError(
            f"`{name}` of {bits} bits must be {width} bytes wide."
            f" Received: {name}.shape={codes.shape}"
        )
    padding = 8 * width - bits
    wrong = np.flatnonzero(codes[:, -1] & ((1 << padding) - 1))
    if len(wrong):
        raise ValueError(
            f"`{name}` must have zeros behind bit {bits}. Received: ones"
            f" there in {len(wrong)} rows, the first of them {wrong[0]}"
        )
    return codes


def check_count(count: int, name: str) -> int:
    """Checks that a number of bits, ranks, items or the like is one.

    Args:
        count: Int >= 1.
        name: What to call it in an error.

    Returns:
        `count` as a Python int.

    Raises:
        ValueError: If it is no positive integer.

    Example:

    >>> from hashnet_tf.retrieval.codes import check_count
    >>> check_count(0, "at")
    Traceback (most recent call last):
        ...
    ValueError: `at` must be a positive integer. Received: at=0
    """
    if (
        isinstance(count, bool)
        or not isinstance(count, (int, np.integer))
        or count < 1
    ):
        raise ValueError(
            f"`{name}` must be a positive integer. Received: {name}={count!r}"
        )
    return int(count)
