"""Iterative quantization: PCA, turned so that signs cost least."""

import numpy as np
import numpy.typing as npt

from hashnet_tf.retrieval.codes import check_count
from hashnet_tf.shallow.hash_function import Floats, LinearHashFunction
from hashnet_tf.shallow.pca_hash import fit_pca


class ITQ(LinearHashFunction):
    """Rotates the first principal components towards the corners of a cube.

    With V `[n, K]` the centred data on its first K components, the bits are
    sgn(V R), where the rotation R lowers ||sgn(V R) - V R||_F^2 (Gong &
    Lazebnik, "Iterative Quantization: A Procrustean Approach to Learning
    Binary Codes", CVPR 2011); see `learn_rotation`.

    Args:
        bits: Int >= 1, length K of the codes, at most d and n.
        rounds: Int >= 1; the authors take 50.
        seed: Int, of the rotation to begin with, and of PCA's solver.

    Attributes:
        mean_: `[d]`, of the features that were fitted.
        rotation_: float64 `[bits, bits]`, R.
        projection_: `[d, bits]`, the components turned by R.
        quantization_losses_: float64 `[rounds]`, Q after each round.
        n_features_in_: Int d.

    Raises:
        ValueError: By `fit` and `encode`, if `bits` or `rounds` is no positive
            integer, if features are not finite `[n, d]` of the fitted width,
            or if there are fewer dimensions or samples than bits.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.shallow import ITQ
    >>> features = np.random.default_rng(0).normal(size=(100, 16))
    >>> itq = ITQ(bits=12).fit(features)
    >>> itq.encode(features).shape
    (100, 2)
    >>> bool(itq.quantization_losses_[-1] < itq.quantization_losses_[0])
    True
    """

    def __init__(self, bits: int = 48, rounds: int = 50, seed: int = 0) -> None:
        self.bits = bits
        self.rounds = rounds
        self.seed = seed

    def _learn(self, features: Floats, labels: npt.ArrayLike | None) -> None:
        check_count(self.rounds, "rounds")
        pca = fit_pca(features, self.bits, self.seed)
        v = pca.transform(features).astype(np.float64)
        self.rotation_, self.quantization_losses_ = learn_rotation(
            v, self.rounds, self.seed
        )
        self.mean_ = pca.mean_
        self.projection_ = pca.components_.T @ self.rotation_


def learn_rotation(
    v: npt.NDArray[np.float64], rounds: int, seed: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
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
    >>> from hashnet_tf.shallow.itq import learn_rotation
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
