"""The rotation of iterative quantization."""

import numpy as np


def learn_rotation(v, rounds, seed):
    """Turns points so that their signs cost least.

    It lowers

        Q(B, R) = ||B - V R||_F^2,  B in {-1, +1}^{n x K},  R^T R = I

    by turns (Gong & Lazebnik, "Iterative Quantization: A Procrustean Approach
    to Learning Binary Codes", CVPR 2011, Eq. 2): B = sgn(V R), the best for
    this R; then R = Y X^T, where B^T V = X D Y^T is the singular value
    decomposition, the best for this B. So Q never rises.

    Args:
        v: float64 `[n, K]`, V, centred.
        rounds: Int >= 1.
        seed: Int, of the rotation to begin with.

    Returns:
        R, float64 `[K, K]`, and Q after each round, float64 `[rounds]`.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.baselines.rotation import learn_rotation
    >>> v = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    >>> rotation, losses = learn_rotation(v, rounds=10, seed=0)
    >>> np.abs(v @ rotation).round(3)[0].tolist()
    [0.707, 0.707]
    """
    bits = v.shape[1]
    rng = np.random.default_rng(seed)
    rotation, _ = np.linalg.qr(rng.normal(size=(bits, bits)))
    losses = np.empty(rounds)
    for i in range(rounds):
        b = np.where(v @ rotation >= 0, 1.0, -1.0)
        x, _, yt = np.linalg.svd(b.T @ v)
        rotation = yt.T @ x.T
        losses[i] = np.sum((b - v @ rotation) ** 2)
    return rotation, losses
