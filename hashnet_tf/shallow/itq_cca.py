"""Iterative quantization of what correlates with the labels."""

import numpy as np
import numpy.typing as npt
from scipy.linalg import cholesky, solve_triangular

from hashnet_tf.retrieval.codes import check_count
from hashnet_tf.shallow.hash_function import (
    Floats,
    LinearHashFunction,
    check_supervision,
)
from hashnet_tf.shallow.itq import learn_rotation

REGULARIZATION = 1e-4


class ITQCCA(LinearHashFunction):
    """Rotates canonical directions towards the corners of a cube.

    ITQ with canonical correlation analysis in the place of PCA (Gong,
    Lazebnik, Gordo & Perronnin, "Iterative Quantization: A Procrustean
    Approach to Learning Binary Codes for Large-Scale Image Retrieval", TPAMI
    2013). With C the covariances of features x and of the zero-or-one matrix
    of labels y, the directions w_k and their correlations r_k solve

        C_xy (C_yy + rho I)^-1 C_yx w = r^2 (C_xx + rho I) w

    with w^T (C_xx + rho I) w = 1 and rho = 1e-4. Each is scaled by its
    correlation, V = X W diag(r), and V is turned as in `learn_rotation`.

    L labels correlate with at most L directions (L - 1 if each item has one
    label); the others have r = 0. Codes that are longer than that are
    nevertheless what the authors' code gives, and what 64 bits for 10 classes
    need: V is filled up with zeros, which take part in the rotation, so K bits
    are K hyperplanes in a space of L dimensions. Here these zeros are exact,
    there they are of the size of rounding errors. Otherwise this is the
    authors' code, rho on the scale of the features included.

    Args:
        bits: Int >= 1, length K of the codes, at most d.
        rounds: Int >= 1; the authors take 50.
        seed: Int, of the rotation to begin with.

    Attributes:
        mean_: `[d]`, of the labelled features.
        correlations_: float64 `[min(d, L)]`, r, falling.
        rotation_: float64 `[bits, bits]`, R.
        projection_: `[d, bits]`, W diag(r) turned by R.
        quantization_losses_: float64 `[rounds]`, as `ITQ`.
        n_features_in_: Int d.

    Raises:
        ValueError: As `HashFunction`; by `fit`, if `rounds` is no positive
            integer, if there are fewer dimensions than bits, or as
            `check_supervision`.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.shallow import ITQCCA
    >>> features = np.random.default_rng(0).normal(size=(100, 16))
    >>> hashing = ITQCCA(bits=12).fit(features, labels=np.arange(100) % 3)
    >>> hashing.encode(features).shape, hashing.correlations_.shape
    ((100, 2), (3,))
    """

    def __init__(self, bits: int = 48, rounds: int = 50, seed: int = 0) -> None:
        self.bits = bits
        self.rounds = rounds
        self.seed = seed

    def _learn(self, features: Floats, labels: npt.ArrayLike | None) -> None:
        check_count(self.rounds, "rounds")
        x, y = check_supervision(features, labels)
        if self.bits > x.shape[1]:
            raise ValueError(
                "`bits` must not exceed the dimensions of `features`."
                f" Received: bits={self.bits},"
                f" features.shape={features.shape}"
            )
        self.mean_ = x.mean(axis=0, dtype=np.float64)
        x = x - self.mean_
        directions, self.correlations_ = canonical_directions(
            x, y - y.mean(axis=0)
        )
        scaled = np.zeros((x.shape[1], self.bits))
        rank = min(self.bits, len(self.correlations_))
        scaled[:, :rank] = (directions * self.correlations_)[:, :rank]
        self.rotation_, self.quantization_losses_ = learn_rotation(
            x @ scaled, self.rounds, self.seed
        )
        self.projection_ = scaled @ self.rotation_


def canonical_directions(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Solves the regularized correlation analysis of `ITQCCA`.

    Args:
        x: float64 `[n, d]`, centred.
        y: float64 `[n, L]`, centred.

    Returns:
        W, float64 `[d, min(d, L)]`, and r, float64 `[min(d, L)]`, falling.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.shallow.itq_cca import canonical_directions
    >>> x = np.array([[3.0, 1.0], [3.0, -1.0], [-3.0, 1.0], [-3.0, -1.0]])
    >>> canonical_directions(x, x[:, :1])[1].round(3).tolist()
    [1.0]
    """
    left, right = (
        cholesky(
            part.T @ part / (len(part) - 1)
            + REGULARIZATION * np.eye(part.shape[1]),
            lower=True,
        )
        for part in (x, y)
    )
    # (C_xx + rho I)^(-1/2) C_xy (C_yy + rho I)^(-1/2): the squares of its
    # singular values are the r^2.
    whitened = solve_triangular(left, x.T @ y / (len(x) - 1), lower=True)
    whitened = solve_triangular(right, whitened.T, lower=True).T
    u, correlations, _ = np.linalg.svd(whitened, full_matrices=False)
    return solve_triangular(left, u, lower=True, trans=1), correlations
