"""Iterative quantization: PCA, turned so that signs cost least."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.utils.validation import check_is_fitted

from hashnet_tf.baselines.features import check_features, check_positive
from hashnet_tf.retrieval.codes import pack


class ITQ(BaseEstimator):
    """Rotates the first principal components towards the corners of a cube.

    With V `[n, K]` the centred data on its first K components, it lowers

        Q(B, R) = ||B - V R||_F^2,  B in {-1, +1}^{n x K},  R^T R = I

    by turns (Gong & Lazebnik, "Iterative Quantization: A Procrustean Approach
    to Learning Binary Codes", CVPR 2011, Eq. 2): B = sgn(V R), the best for
    this R; then R = Y X^T, where B^T V = X D Y^T is the singular value
    decomposition, the best for this B. So Q never rises.

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
    >>> from hashnet_tf.baselines import ITQ
    >>> features = np.random.default_rng(0).normal(size=(100, 16))
    >>> itq = ITQ(bits=12).fit(features)
    >>> itq.encode(features).shape
    (100, 2)
    >>> bool(itq.quantization_losses_[-1] < itq.quantization_losses_[0])
    True
    """

    def __init__(self, bits=48, rounds=50, seed=0):
        self.bits = bits
        self.rounds = rounds
        self.seed = seed

    def fit(self, features, labels=None):
        """Learns from real `[n, d]`; labels are unused."""
        check_positive(self.bits, "bits")
        check_positive(self.rounds, "rounds")
        features = check_features(features)
        if self.bits > min(features.shape):
            raise ValueError(
                "`bits` must not exceed the samples or the dimensions of"
                f" `features`. Received: bits={self.bits},"
                f" features.shape={features.shape}"
            )
        pca = PCA(self.bits, random_state=self.seed).fit(features)
        v = pca.transform(features).astype(np.float64)
        self.rotation_, self.quantization_losses_ = self._rotate(v)
        self.n_features_in_ = features.shape[1]
        self.mean_ = pca.mean_
        self.projection_ = pca.components_.T @ self.rotation_
        return self

    def _rotate(self, v):
        rng = np.random.default_rng(self.seed)
        rotation, _ = np.linalg.qr(rng.normal(size=(self.bits, self.bits)))
        losses = np.empty(self.rounds)
        for i in range(self.rounds):
            b = np.where(v @ rotation >= 0, 1.0, -1.0)
            x, _, yt = np.linalg.svd(b.T @ v)
            rotation = yt.T @ x.T
            losses[i] = np.sum((b - v @ rotation) ** 2)
        return rotation, losses

    def encode(self, features):
        """Encodes real `[n, d]` as packed uint8 `[n, ceil(bits / 8)]`."""
        check_is_fitted(self)
        features = check_features(features, self.n_features_in_)
        return pack((features - self.mean_) @ self.projection_)
