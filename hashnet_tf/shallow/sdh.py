"""Supervised discrete hashing: codes from which labels are regressed."""

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.preprocessing import normalize

from hashnet_tf.retrieval.codes import check_count
from hashnet_tf.shallow.hash_function import (
    Floats,
    HashFunction,
    check_supervision,
)

# Of the regression of codes on the kernel, as in the authors' code.
RIDGE = 1e-2
SWEEPS = 10


class SDH(HashFunction):
    """Learns codes that are good features for a linear classifier.

    With Y `[n, L]` the zero-or-one labels, B `[n, K]` the codes, W `[K, L]`
    the classifier and F = Phi P the hash function before its sign, it lowers

        ||Y - B W||^2 + lam ||W||^2 + nu (||B - Phi P||^2 + delta ||P||^2)

    over B in {-1, +1}, W and P by turns (Shen, Shen, Liu & Shen, "Supervised
    Discrete Hashing", CVPR 2015, with the squared loss). W and P are ridge
    regressions. B is found a column at a time, the others held: with w the row
    of W for bit k, and W' and B' the rest,

        b = sgn((Y W^T + nu F)_k - B' W' w)

    which is the best b exactly ("discrete cyclic coordinate descent"). So the
    objective never rises. Phi holds exp(-||x - a||^2 / (2 sigma^2)) to anchors
    a drawn from the training set, all features scaled to unit length, and a
    column of ones. New features get sgn(Phi P).

    The defaults and the ones are those of the authors' code (lam, nu, 1,000
    anchors and 5 rounds also of the paper). It forgets B before each turn of
    B, so that its objective can rise; here B is improved from where it stands.

    Args:
        bits: Int >= 1, length K of the codes.
        anchors: Int >= 1; where there are fewer labelled items, all of them.
        rounds: Int >= 1, of a turn each of B, W and P.
        sigma: Float > 0, width of the kernel.
        lam: Float > 0, lambda of the paper.
        nu: Float > 0.
        seed: Int, of the anchors and of the codes to begin with.

    Attributes:
        anchors_: `[m, d]`, of unit length.
        projection_: float64 `[m + 1, bits]`, P.
        objectives_: float64 `[rounds + 1]`, of codes by chance and then after
            each round.
        n_features_in_: Int d.

    Raises:
        ValueError: As `HashFunction`; by `fit`, if `anchors` or `rounds` is no
            positive integer, if `sigma`, `lam` or `nu` is not positive, or as
            `check_supervision`.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.shallow import SDH
    >>> features = np.random.default_rng(0).normal(size=(100, 16))
    >>> sdh = SDH(bits=12, anchors=30).fit(features, np.arange(100) % 3)
    >>> sdh.encode(features).shape
    (100, 2)
    >>> bool((np.diff(sdh.objectives_) <= 0).all())
    True
    """

    def __init__(
        self,
        bits: int = 48,
        anchors: int = 1000,
        rounds: int = 5,
        sigma: float = 0.4,
        lam: float = 1.0,
        nu: float = 1e-5,
        seed: int = 0,
    ) -> None:
        self.bits = bits
        self.anchors = anchors
        self.rounds = rounds
        self.sigma = sigma
        self.lam = lam
        self.nu = nu
        self.seed = seed

    def _learn(self, features: Floats, labels: npt.ArrayLike | None) -> None:
        check_count(self.anchors, "anchors")
        check_count(self.rounds, "rounds")
        for name in ("sigma", "lam", "nu"):
            if not getattr(self, name) > 0:
                raise ValueError(
                    f"`{name}` must be positive."
                    f" Received: {name}={getattr(self, name)!r}"
                )
        features, y = check_supervision(features, labels)
        rng = np.random.default_rng(self.seed)
        chosen = rng.permutation(len(features))[: self.anchors]
        self.anchors_ = normalize(features[chosen])
        phi = self._kernel(features)
        ridge = cho_factor(phi.T @ phi + RIDGE * np.eye(phi.shape[1]))
        b = rng.choice([-1.0, 1.0], size=(len(y), self.bits))
        w, p = self._classifier(b, y), cho_solve(ridge, phi.T @ b)
        self.objectives_ = np.empty(self.rounds + 1)
        self.objectives_[0] = self._objective(y, phi, b, w, p)
        for i in range(self.rounds):
            b = improve_codes(b, y @ w.T + self.nu * (phi @ p), w)
            w, p = self._classifier(b, y), cho_solve(ridge, phi.T @ b)
            self.objectives_[i + 1] = self._objective(y, phi, b, w, p)
        self.projection_ = p

    def _objective(self, y, phi, b, w, p):
        return (
            np.sum((y - b @ w) ** 2)
            + self.lam * np.sum(w**2)
            + self.nu * np.sum((b - phi @ p) ** 2)
            + self.nu * RIDGE * np.sum(p**2)
        )

    def _kernel(self, features):
        near = rbf_kernel(
            normalize(features), self.anchors_, gamma=0.5 / self.sigma**2
        )
        return np.hstack([near, np.ones((len(near), 1))])

    def _classifier(self, b, y):
        gram = b.T @ b + self.lam * np.eye(self.bits)
        return cho_solve(cho_factor(gram), b.T @ y)

    def _values(self, features: Floats) -> Floats:
        return self._kernel(features) @ self.projection_


def improve_codes(
    b: npt.NDArray[np.float64],
    q: npt.NDArray[np.float64],
    w: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Lowers ||B W||^2 - 2 <B, Q> a column of B at a time.

    Args:
        b: float64 `[n, K]` of -1 and +1, B to begin with.
        q: float64 `[n, K]`, Q.
        w: float64 `[K, L]`, W.

    Returns:
        B, like `b`, which no change of a single column improves, or the best
        after 10 sweeps over the columns.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.shallow.sdh import improve_codes
    >>> q, w = np.array([[3.0, 1.0]]), np.ones((2, 1))
    >>> improve_codes(np.array([[-1.0, 1.0]]), q, w)
    array([[1., 1.]])
    """
    b = b.copy()
    gram = w @ w.T
    for _ in range(SWEEPS):
        before = b.copy()
        for k in range(b.shape[1]):
            others = b @ gram[:, k] - b[:, k] * gram[k, k]
            b[:, k] = np.where(q[:, k] - others >= 0, 1.0, -1.0)
        if (b == before).all():
            break
    return b
