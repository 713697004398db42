"""Codes that lie far apart, one a class."""

import numpy as np

DRAWS = 100


def hash_centers(classes: int, bits: int, seed: int = 0) -> np.ndarray:
    """Returns one binary code a class, any two about K / 2 bits apart.

    Algorithm 1 of "Central Similarity Quantization" (Yuan et al., CVPR 2020).
    Where K is a power of two, the rows of Sylvester's Hadamard matrix H, which
    are exactly K / 2 apart, for more than K classes those of -H behind them.
    Else, and for more than 2 K classes, distinct codes of fair coins: of 100
    draws the one whose nearest two codes are farthest apart. (The authors'
    notebook fixes the number of ones of each drawn code to K / 2 and draws
    until a given distance is reached.)

    Bit 0 of every row of H is +1: up to K classes leave it the same for all.

    Args:
        classes: Positive int C, at most 2^K.
        bits: Positive int K.
        seed: Int, of the draws.

    Returns:
        int8 `[C, K]` of -1 and +1, no two rows alike.

    Raises:
        ValueError: If there are fewer codes than classes.

    Example:

    >>> from hashnet_tf.losses import hash_centers
    >>> hash_centers(classes=3, bits=4).tolist()
    [[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1]]
    """
    if classes < 1 or bits < 1 or classes > 2**bits:
        raise ValueError(
            "`classes` must be at least 1 and at most the number of codes,"
            f" 2^bits. Received: classes={classes}, bits={bits}"
        )
    if bits & (bits - 1) == 0 and classes <= 2 * bits:
        places = np.arange(bits)
        ones = np.bitwise_count(places[:, None] & places[None, :])
        hadamard = np.where(ones % 2, -1, 1).astype(np.int8)
        return np.concatenate([hadamard, -hadamard])[:classes]
    rng = np.random.default_rng(seed)
    draws = (_distinct_codes(rng, classes, bits) for _ in range(DRAWS))
    return max(draws, key=_least_distance)


def _distinct_codes(
    rng: np.random.Generator, classes: int, bits: int
) -> np.ndarray:
    codes = np.empty((0, bits), np.int8)
    while len(codes) < classes:
        drawn = rng.choice(np.array([-1, 1], np.int8), (classes, bits))
        codes = np.unique(np.concatenate([codes, drawn]), axis=0)
    return rng.permutation(codes)[:classes]


def _least_distance(codes: np.ndarray) -> float:
    products = codes.astype(np.float32) @ codes.T.astype(np.float32)
    np.fill_diagonal(products, -np.inf)
    return -products.max()
