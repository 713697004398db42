"""The nearest codes to queries whose z is not rounded to bits."""

import numpy as np
import numpy.typing as npt

from hashnet_tf.retrieval.codes import Codes, check_codes, check_count
from hashnet_tf.retrieval.hamming import each_query

# Codes that are compared at a time, so that what is made of them is small.
BLOCK = 2**16


def asymmetric_search(
    z: npt.ArrayLike,
    database_codes: Codes,
    k: int,
    threads: int | None = None,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Finds the k database codes nearest to queries that stay real.

    A query's own bits weigh as much as z is far from 0:

        d(z, h) = sum over the bits with sgn(z_k) != h_k of |z_k|
                = (||z||_1 - <z, h>) / 2,    h in {-1, +1}^K,

    which orders items as ||z - h|| does (Gordo, Perronnin, Gong & Lazebnik,
    "Asymmetric Distances for Binary Embeddings", TPAMI 2014). The database
    stays as small as it is and few distances are equal; a search takes several
    times as long as by Hamming distance.

    Args:
        z: Real `[q, K]`, as `HashNet.logits` gives it, or
            x @ kernel + bias of a linear map.
        database_codes: uint8 `[n, ceil(K / 8)]`.
        k: Int >= 1; more than the database holds counts as all of it.
        threads: Positive int, or None for the processor's cores.

    Returns:
        `(distances, indices)`, float32 and int64 `[q, min(k, n)]`, the nearest
        first; items at equal distance by rising index.

    Raises:
        ValueError: If the codes are not packed codes of K bits, z is not finite
            or `k` is no positive integer.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval import asymmetric_search
    >>> codes = np.array([[0b01000000], [0b10000000]], dtype="uint8")
    >>> z = [[3.0, 1.0] + [-2.0] * 6]
    >>> asymmetric_search(z, codes, k=2)
    (array([[1., 3.]], dtype=float32), array([[1, 0]]))
    """
    values = np.asarray(z)
    if (
        values.ndim != 2
        or values.dtype.kind not in "fiu"
        or not np.isfinite(values).all()
    ):
        raise ValueError(
            "`z` must be finite numbers [q, bits]. Received:"
            f" z.shape={values.shape}, z.dtype={values.dtype}"
        )
    codes = check_codes(database_codes, values.shape[1], "database_codes")
    k = min(check_count(k, "k"), len(codes))
    q, bits = values.shape
    distances = np.empty((q, k), np.float32)
    indices = np.empty((q, k), np.int64)
    tables = _tables(values.astype(np.float32))

    def work(query: int) -> None:
        found = np.empty(len(codes), np.float32)
        for start in range(0, len(codes), BLOCK):
            part = np.asarray(codes[start : start + BLOCK])
            total = found[start : start + BLOCK]
            total[:] = 0
            for byte, table in enumerate(tables[query]):
                total += table[part[:, byte]]
        order = _first(found, k)
        indices[query], distances[query] = order, found[order]

    each_query(work, q, threads)
    return distances, indices


def _tables(z: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Returns the distance of each value of each byte, `[q, bytes, 256]`."""
    q, bits = z.shape
    width = -(-bits // 8)
    # Of the bits that only fill the last byte, nothing is apart.
    size = np.zeros((q, 8 * width), np.float32)
    size[:, :bits] = np.abs(z)
    own = np.zeros((q, 8 * width), bool)
    own[:, :bits] = z >= 0
    values = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)
    differ = values[None, None] != own.reshape(q, width, 1, 8)
    return np.einsum("qwvb,qwb->qwv", differ, size.reshape(q, width, 8))


def _first(distances: npt.NDArray[np.float32], k: int) -> npt.NDArray[np.int64]:
    """Returns the places of the k least, rising, equal ones by their place."""
    if k < len(distances):
        kth = np.partition(distances, k - 1)[k - 1]
        near = np.flatnonzero(distances <= kth)
    else:
        near = np.arange(len(distances))
    return near[np.argsort(distances[near], kind="stable")][:k]
