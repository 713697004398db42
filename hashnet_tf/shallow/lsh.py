"""Locality-sensitive hashing: random hyperplanes."""

import numpy as np
import numpy.typing as npt

from hashnet_tf.shallow.hash_function import Floats, LinearHashFunction


class LSH(LinearHashFunction):
    """Takes the sides of random hyperplanes through the mean as bits.

    h_k(x) = sgn(<w_k, x - mean>) with w_k ~ N(0, I). Two vectors at an angle
    theta differ in a bit with probability theta / pi (Charikar, "Similarity
    estimation techniques from rounding algorithms", STOC 2002). Centring
    makes the angles between features that are never negative, such as those
    behind a ReLU, wide enough to tell them apart.

    Args:
        bits: Int >= 1, length K of the codes.
        seed: Int, of the hyperplanes.

    Attributes:
        mean_: `[d]`, of the features that were fitted.
        projection_: `[d, bits]`, the normals w_k.
        n_features_in_: Int d.

    Raises:
        ValueError: By `fit` and `encode`, if `bits` is no positive integer,
            or features are not finite `[n, d]` of the fitted width.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.shallow import LSH
    >>> features = np.random.default_rng(0).normal(size=(100, 16))
    >>> codes = LSH(bits=12).fit(features).encode(features)
    >>> codes.shape, codes.dtype.name
    ((100, 2), 'uint8')
    """

    def __init__(self, bits: int = 48, seed: int = 0) -> None:
        self.bits = bits
        self.seed = seed

    def _learn(self, features: Floats, labels: npt.ArrayLike | None) -> None:
        rng = np.random.default_rng(self.seed)
        self.mean_ = features.mean(axis=0, dtype=np.float64)
        self.projection_ = rng.normal(size=(features.shape[1], self.bits))
