"""What a search by codes has found, ranked by the vectors themselves."""

import numpy as np
import numpy.typing as npt

from hashnet_tf.retrieval.codes import check_count

Reals = npt.NDArray[np.floating]
# Of an int8, as large on both sides of 0.
LARGEST = 127
# That are made small at a time.
ROWS = 4096


def rerank(
    queries: npt.ArrayLike,
    vectors: npt.NDArray,
    candidates: npt.ArrayLike,
    k: int,
    mean: npt.ArrayLike | None = None,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Ranks the candidates of each query by the cosine of their vectors.

    Codes find the neighbourhood, and few vectors put it in order: with some
    hundred candidates, as `search` finds them, most of the nearest by cosine
    are there.

    Args:
        queries: Real `[q, d]`.
        vectors: Real `[n, d]` of the database, of which only the candidates are
            read: in memory, a memory map, or what `to_int8` has made small.
        candidates: Ints `[q, R]`, rows of `vectors`.
        k: Int >= 1; more than R counts as R.
        mean: Real `[d]`, which is taken off both first, or None. Features of a
            network behind a ReLU have one direction in common.

    Returns:
        `(cosines, indices)`, float32 and int64 `[q, min(k, R)]`, the nearest
        first; equal ones in the order of the candidates. Of a vector of zeros
        all cosines are 0.

    Raises:
        ValueError: If shapes do not fit, a candidate is no row, or `k` is no
            positive integer.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval import rerank
    >>> vectors = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]])
    >>> rerank([[0.0, 1.0]], vectors, [[0, 2, 1]], k=2)[1]
    array([[1, 2]])
    """
    asked = np.asarray(queries, np.float32)
    places = np.asarray(candidates)
    if (
        asked.ndim != 2
        or vectors.ndim != 2
        or asked.shape[1] != vectors.shape[1]
        or places.ndim != 2
        or len(places) != len(asked)
        or places.dtype.kind not in "iu"
    ):
        raise ValueError(
            "`queries` [q, d], `vectors` [n, d] and `candidates` [q, R], whole"
            f" numbers, must fit. Received: queries.shape={asked.shape},"
            f" vectors.shape={vectors.shape},"
            f" candidates.shape={places.shape}, of {places.dtype}"
        )
    if places.size and not 0 <= places.min() <= places.max() < len(vectors):
        raise ValueError(
            f"`candidates` must be rows of the {len(vectors)} vectors."
            f" Received: from {places.min()} to {places.max()}"
        )
    k = min(check_count(k, "k"), places.shape[1])
    centre = np.float32(0) if mean is None else np.asarray(mean, np.float32)
    found = np.empty(places.shape, np.float32)
    for query, (row, some) in enumerate(zip(asked, places, strict=True)):
        near = np.asarray(vectors[some]).astype(np.float32) - centre
        found[query] = cosines(row - centre, near)
    order = np.argsort(-found, axis=1, kind="stable")[:, :k]
    return (
        np.take_along_axis(found, order, axis=1),
        np.take_along_axis(places.astype(np.int64), order, axis=1),
    )


def cosines(query: Reals, vectors: Reals) -> npt.NDArray[np.float32]:
    """Returns the cosine of one vector with others, 0 where one is zero.

    Args:
        query: Real `[d]`.
        vectors: Real `[n, d]`.

    Returns:
        float32 `[n]`, in [-1, 1].
    """
    norms = np.linalg.norm(vectors, axis=1) * np.linalg.norm(query)
    tiny = np.finfo(np.float32).tiny
    return (vectors @ query / np.maximum(norms, tiny)).clip(-1, 1)


def to_int8(
    vectors: npt.NDArray, mean: npt.ArrayLike | None = None
) -> npt.NDArray[np.int8]:
    """Rounds vectors to a byte a dimension, for `rerank`.

    Each is divided by its largest value, which no cosine sees:
    round(127 (x - mean) / max |x - mean|).

    Args:
        vectors: Real `[n, d]`, a memory map among others.
        mean: Real `[d]`, which is taken off first, or None. The queries are
            then given to `rerank` less the mean, and no `mean` with them.

    Returns:
        int8 `[n, d]`.

    Raises:
        ValueError: If the vectors are not finite `[n, d]`.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval import to_int8
    >>> to_int8(np.array([[0.5, -1.0, 0.0]]))
    array([[  64, -127,    0]], dtype=int8)
    """
    if vectors.ndim != 2:
        raise ValueError(
            f"`vectors` must be [n, d]. Received: vectors.shape={vectors.shape}"
        )
    centre = np.float32(0) if mean is None else np.asarray(mean, np.float32)
    small = np.empty(vectors.shape, np.int8)
    for start in range(0, len(vectors), ROWS):
        rows = np.asarray(vectors[start : start + ROWS], np.float32) - centre
        if not np.isfinite(rows).all():
            raise ValueError(
                "`vectors` must be finite. Received: NaN or infinity among rows"
                f" {start} to {start + len(rows) - 1}"
            )
        largest = np.abs(rows).max(axis=1, keepdims=True)
        rows /= np.maximum(largest, np.finfo(np.float32).tiny)
        small[start : start + ROWS] = np.rint(LARGEST * rows)
    return small
