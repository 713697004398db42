"""Ranking by the signs of all features, a bit a dimension."""

import typing

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from hashnet_tf.retrieval import hamming
from hashnet_tf.shallow.hash_function import Floats
from hashnet_tf.shallow.vectors import VectorRanking


@typing.final
class SignRanking(VectorRanking):
    """Ranks by the signs of all centred features, a bit a dimension.

        h_k(x) = sgn(x_k - mean_k),  k = 1 to d

    and the Hamming distance. Agrawal, Girshick & Malik, "Analyzing the
    Performance of Multilayer Neural Networks for Object Recognition", ECCV
    2014, found that little is lost where of a feature it is kept only whether
    it is above zero; the mean in the place of zero makes both signs common.

    Attributes:
        mean_: `[d]`, of the features that were fitted.
        n_features_in_: Int d.

    Example:

    >>> from hashnet_tf.shallow import SignRanking
    >>> ranking = SignRanking().fit([[0.0, 1.0], [2.0, 3.0]])
    >>> kept = ranking.encode([[5.0, 1.0], [0.0, 1.0], [3.0, 2.5]])
    >>> ranking.distances([[3.0, 9.0]], kept).tolist()
    [[1.0, 2.0, 0.0]]
    """

    def dense_weights(self) -> tuple[Floats, Floats]:
        """Returns the map as a Dense layer has it: x W + b, W = I, b = -mean.

        Returns:
            `(kernel, bias)`, float32 `[d, d]` and `[d]`.

        Raises:
            sklearn.exceptions.NotFittedError: If it is not fitted.
        """
        check_is_fitted(self, "n_features_in_")
        eye = np.eye(self.n_features_in_, dtype=np.float32)
        return eye, -self.mean_.astype(np.float32)

    def _learn(self, centred: Floats) -> None:
        pass

    def _kept(self, centred: Floats) -> npt.NDArray:
        return np.packbits(centred >= 0, axis=1)

    def _distances(self, centred: Floats, kept: npt.NDArray) -> npt.NDArray:
        return hamming.distances(self._kept(centred), kept)
