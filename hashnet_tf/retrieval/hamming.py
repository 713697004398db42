"""Hamming distances between packed codes."""

import concurrent.futures
import os
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from hashnet_tf.retrieval.codes import Codes, check_codes

# Codes whose words stay in the processor's cache while they are compared.
STRETCH = 2**15
# Distances from which on counting them in pairs is worth its larger table.
PAIRED = 2**14


def distances(
    query_codes: Codes, database_codes: Codes
) -> npt.NDArray[np.uint16]:
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
    check_widths(query_codes, database_codes)
    queries, items = code_words(query_codes), code_words(database_codes)
    result = np.empty((len(query_codes), len(database_codes)), np.uint16)
    for query, row in enumerate(result):
        row[:] = word_distances(queries[:, query], items)
    return result


def check_widths(query_codes: Codes, database_codes: Codes) -> None:
    """Checks that two arrays of codes are of one width.

    Args:
        query_codes: uint8 `[q, bytes]`.
        database_codes: uint8 `[n, bytes]`.

    Raises:
        ValueError: If they differ in width or are longer than 65,535 bits,
            more than a distance can count.
    """
    width = query_codes.shape[1]
    if database_codes.shape[1] != width or 8 * width > 65535:
        raise ValueError(
            "`query_codes` and `database_codes` must be of one width, below"
            f" 8192 bytes. Received: query_codes.shape={query_codes.shape},"
            f" database_codes.shape={database_codes.shape}"
        )


def check_pair(
    query_codes: npt.ArrayLike, database_codes: npt.ArrayLike, bits: int | None
) -> tuple[Codes, Codes, int]:
    """Checks the codes of queries and of a database to be measured.

    Args:
        query_codes: uint8 `[q, ceil(bits / 8)]`.
        database_codes: uint8 `[n, ceil(bits / 8)]`.
        bits: Int, the length K of the codes, or None for 8 a byte.

    Returns:
        The codes as arrays, and K.

    Raises:
        ValueError: If one of the two is empty or is not packed codes; without
            `bits`, if there are zeros and ones alone, a byte each.
    """
    query_codes = check_codes(query_codes, bits, "query_codes")
    database_codes = check_codes(database_codes, bits, "database_codes")
    if not len(query_codes) or not len(database_codes):
        raise ValueError(
            "`query_codes` and `database_codes` must not be empty."
            f" Received: query_codes.shape={query_codes.shape},"
            f" database_codes.shape={database_codes.shape}"
        )
    if bits is None:
        _check_packed(query_codes, database_codes)
    width = 8 * query_codes.shape[1] if bits is None else int(bits)
    return query_codes, database_codes, width


def _check_packed(query_codes: Codes, database_codes: Codes) -> None:
    # Seven of eight bits would be 0 in all of them.
    if query_codes.shape[1] > 1 and (
        query_codes.max() == database_codes.max() == 1
    ):
        raise ValueError(
            "Codes must be packed, eight bits a byte, as by"
            " pack(2.0 * codes - 1); if these are, give `bits`. Received: zeros"
            f" and ones alone, database_codes.shape={database_codes.shape}"
        )


def each_query(
    work: Callable[[int], object], q: int, threads: int | None = None
) -> None:
    """Calls `work(query)` for each query of 0..q-1, on some threads.

    Args:
        work: Function of a query's position; what it returns is dropped.
        q: Int, the number of queries.
        threads: Positive int, or None for the processor's cores.

    Raises:
        ValueError: If `threads` is not positive; and what `work` raises.

    Example:

    >>> from hashnet_tf.retrieval.hamming import each_query
    >>> squares = [0] * 4
    >>> each_query(lambda i: squares.__setitem__(i, i * i), 4, threads=2)
    >>> squares
    [0, 1, 4, 9]
    """
    if threads is None:
        threads = (
            len(os.sched_getaffinity(0))
            if hasattr(os, "sched_getaffinity")
            else (os.cpu_count() or 1)
        )
    if threads < 1:
        raise ValueError(
            f"`threads` must be positive. Received: threads={threads}"
        )

    def stretch(first):
        for query in range(first, q, threads):
            work(query)

    if threads == 1:
        stretch(0)
        return
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(stretch, i) for i in range(threads)]:
            done.result()


def code_words(codes: Codes) -> npt.NDArray[np.uint64]:
    """Pads codes with zeros to words of 64 bits.

    Args:
        codes: uint8 `[n, bytes]`.

    Returns:
        uint64 `[ceil(bytes / 8), n]`: each word of all codes lies together.
    """
    n, width = codes.shape
    padded = np.zeros((n, -(-width // 8) * 8), np.uint8)
    padded[:, :width] = codes
    return np.ascontiguousarray(padded.view(np.uint64).T)


def word_distances(
    query: npt.NDArray[np.uint64], items: npt.NDArray[np.uint64]
) -> npt.NDArray[np.unsignedinteger]:
    """Counts the bits in which one code differs from others.

    Args:
        query: uint64 `[words]`, a column of `code_words`.
        items: uint64 `[words, n]`, as `code_words` returns it.

    Returns:
        uint8 `[n]`, or uint16 for codes of more than 192 bits.
    """
    n = items.shape[1]
    # Three words of 64 ones still fit a byte.
    total = np.empty(n, np.uint8 if len(query) < 4 else np.uint16)
    for start in range(0, n, STRETCH):
        part = slice(start, start + STRETCH)
        np.bitwise_count(items[0, part] ^ query[0], out=total[part])
        for word, codes in zip(query[1:], items[1:], strict=True):
            total[part] += np.bitwise_count(codes[part] ^ word)
    return total


def count_distances(
    distances: npt.NDArray[np.unsignedinteger], width: int
) -> npt.NDArray[np.int64]:
    """Counts how often each distance occurs.

    Args:
        distances: uint8 or uint16 `[n]`.
        width: Int, above the largest distance.

    Returns:
        int64 `[width]`.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval.hamming import count_distances
    >>> count_distances(np.array([2, 0, 2], dtype="uint8"), 4).tolist()
    [1, 0, 2, 0]
    """
    if distances.dtype != np.uint8 or len(distances) < PAIRED:
        return np.bincount(distances, minlength=width)
    # Two bytes at a time: half the counting, and a table to sum up both ways.
    even = len(distances) // 2 * 2
    table = np.bincount(
        distances[:even].view(np.uint16), minlength=2**8 * width
    ).reshape(-1, 2**8)[:width]
    counts = table.sum(axis=1) + table.sum(axis=0)[:width]
    if even < len(distances):
        counts[distances[-1]] += 1
    return counts
