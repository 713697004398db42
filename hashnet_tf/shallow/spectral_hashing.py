"""Spectral hashing: waves along the principal components."""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA

from hashnet_tf.shallow.hash_function import Floats, HashFunction


class SpectralHashing(HashFunction):
    """Takes the signs of the slowest waves along principal components.

    On data that fill a box evenly, the functions that vary least between
    neighbours are known: along a component that runs over [a, b],

        Phi_m(v) = sin(pi / 2 + (v - a) m pi / (b - a)),  m = 1, 2, ...
        lambda_m = 1 - exp(-(epsilon^2 / 2) (m pi / (b - a))^2)

    (Weiss, Torralba & Fergus, "Spectral Hashing", NIPS 2008). The K of the
    smallest lambda, which for any epsilon are those of the lowest frequency,
    give the bits sgn(Phi). A long component gets several bits, a short one
    none. As in the paper, products of waves along several components are left
    out.

    As in the authors' code, there are min(K, d) components (here no more than
    samples, too), and [a, b] is the whole range of each. Codes may be longer
    than d. Outside [a, b] the waves go on.

    On features that do not fill a box evenly, longer codes can be worse ones.

    Args:
        bits: Int >= 1, length K of the codes.
        seed: Int, of PCA's solver.

    Attributes:
        mean_: `[d]`, of the features that were fitted.
        components_: `[d, min(bits, d, n)]`, the principal components.
        low_: Where each of them begins, a.
        directions_: Int `[bits]`, the component of each bit.
        modes_: Int `[bits]`, the m of each bit.
        frequencies_: float64 `[bits]`, m pi / (b - a), rising.
        n_features_in_: Int d.

    Raises:
        ValueError: As `HashFunction`; by `fit`, if all features are the same.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.shallow import SpectralHashing
    >>> grid = np.array([[x, y] for x in range(9) for y in range(4)])
    >>> hashing = SpectralHashing(bits=4).fit(grid)
    >>> hashing.directions_.tolist(), hashing.modes_.tolist()
    ([0, 0, 1, 0], [1, 2, 1, 3])
    """

    def __init__(self, bits: int = 48, seed: int = 0) -> None:
        self.bits = bits
        self.seed = seed

    def _learn(self, features: Floats, labels: npt.ArrayLike | None) -> None:
        if not np.ptp(features, axis=0).any():
            raise ValueError(
                "`features` must differ from one another for spectral"
                " hashing. Received: the same row"
                f" {len(features)} times"
            )
        pca: Any = PCA(min(self.bits, *features.shape), random_state=self.seed)
        v = pca.fit_transform(features).astype(np.float64)
        self.mean_ = pca.mean_
        self.components_ = pca.components_.T
        self.low_ = v.min(axis=0)
        ranges = v.max(axis=0) - self.low_
        modes = np.arange(1, self.bits + 1)[:, None]
        frequencies = np.full((self.bits, len(ranges)), np.inf)
        # A component that the data do not extend along carries no wave.
        np.divide(modes * np.pi, ranges, out=frequencies, where=ranges > 0)
        slowest = np.argsort(frequencies, axis=None, kind="stable")[: self.bits]
        rows, self.directions_ = np.unravel_index(slowest, frequencies.shape)
        self.modes_ = rows + 1
        self.frequencies_ = frequencies.flat[slowest]

    def _values(self, features: Floats) -> Floats:
        v = (features - self.mean_) @ self.components_ - self.low_
        return np.cos(v[:, self.directions_] * self.frequencies_)
