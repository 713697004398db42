"""PCA hashing: the signs of the first principal components."""

from typing import Any

import numpy.typing as npt
from sklearn.decomposition import PCA

from hashnet_tf.shallow.hash_function import Floats, LinearHashFunction


class PCAHash(LinearHashFunction):
    """Takes the signs of the first principal components as bits.

    h_k(x) = sgn(<w_k, x - mean>) with w_k the k-th direction of the largest
    variance: the baseline "PCA-direct" of Gong & Lazebnik, "Iterative
    Quantization: A Procrustean Approach to Learning Binary Codes", CVPR 2011.
    `ITQ` is the same, turned. The first components tell far more apart than
    the last ones, each of which nevertheless gets a bit of the same weight:
    that is what a turn mends, and why longer codes gain little here.

    Args:
        bits: Int >= 1, length K of the codes, at most d and n.
        seed: Int, of PCA's solver.

    Attributes:
        mean_: `[d]`, of the features that were fitted.
        projection_: `[d, bits]`, the components w_k.
        n_features_in_: Int d.

    Raises:
        ValueError: By `fit` and `encode`, if `bits` is no positive integer,
            if features are not finite `[n, d]` of the fitted width, or if
            there are fewer dimensions or samples than bits.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.shallow import PCAHash
    >>> features = np.random.default_rng(0).normal(size=(100, 16))
    >>> codes = PCAHash(bits=12).fit(features).encode(features)
    >>> codes.shape, codes.dtype.name
    ((100, 2), 'uint8')
    """

    def __init__(self, bits: int = 48, seed: int = 0) -> None:
        self.bits = bits
        self.seed = seed

    def _learn(self, features: Floats, labels: npt.ArrayLike | None) -> None:
        pca = fit_pca(features, self.bits, self.seed)
        self.mean_ = pca.mean_
        self.projection_ = pca.components_.T


def fit_pca(features: Floats, bits: int, seed: int) -> Any:
    """Fits as many principal components as there are bits.

    Args:
        features: `[n, d]`, checked.
        bits: Int >= 1, at most n and d.
        seed: Int, of the solver.

    Returns:
        `sklearn.decomposition.PCA`, fitted.

    Raises:
        ValueError: If there are fewer dimensions or samples than bits.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.shallow.pca_hash import fit_pca
    >>> along = np.array([[0.0, 0.0], [2.0, 0.0], [4.0, 0.1]])
    >>> np.abs(fit_pca(along, bits=1, seed=0).components_).round(1)
    array([[1., 0.]])
    """
    if bits > min(features.shape):
        raise ValueError(
            "`bits` must not exceed the samples or the dimensions of"
            f" `features`. Received: bits={bits},"
            f" features.shape={features.shape}"
        )
    return PCA(bits, random_state=seed).fit(features)
