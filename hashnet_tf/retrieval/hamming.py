"""Hamming distances between packed codes."""

import numpy as np

from hashnet_tf.retrieval.codes import check_codes


def distances(query_codes, database_codes):
    """Counts the bits in which codes differ.

    For codes h in {-1, +1}^K this is (K - <h_i, h_j>) / 2 (HashNet, ICCV
    2017, section 3), here the number of ones in the XOR of the bytes.

    Args:
        query_codes: uint8 `[q, bytes]`.
        database_codes: uint8 `[n, bytes]`.

    Returns:
        uint16 `[q, n]`. The whole matrix: for large sets use `search` or
        `histograms`, which work in blocks.

    Raises:
        ValueError: If one of the arrays is not packed codes, if they differ
            in width or if they are longer than 65,535 bits.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval import distances
    >>> queries = np.array([[0b10100000]], dtype="uint8")
    >>> distances(queries, np.array([[0], [255]], dtype="uint8"))
    array([[2, 6]], dtype=uint16)
    """
    query_codes = check_codes(query_codes, name="query_codes")
    database_codes = check_codes(database_codes, name="database_codes")
    width = query_codes.shape[1]
    if database_codes.shape[1] != width or 8 * width > 65535:
        raise ValueError(
            "`query_codes` and `database_codes` must be of one width, below"
            f" 8192 bytes. Received: query_codes.shape={query_codes.shape},"
            f" database_codes.shape={database_codes.shape}"
        )
    queries, items = _words(query_codes), _words(database_codes)
    result = np.zeros((len(query_codes), len(database_codes)), np.uint16)
    # Strips this small keep the words of a block in the processor's cache.
    step = max(1, 2**16 // max(1, len(database_codes)))
    for start in range(0, len(query_codes), step):
        strip = slice(start, start + step)
        for left, right in zip(queries, items, strict=True):
            result[strip] += np.bitwise_count(left[strip, None] ^ right)
    return result


def _words(codes):
    """Pads codes with zeros to 64-bit words, uint64 `[words, n]`."""
    n, width = codes.shape
    padded = np.zeros((n, -(-width // 8) * 8), np.uint8)
    padded[:, :width] = codes
    return np.ascontiguousarray(padded.view(np.uint64).T)
