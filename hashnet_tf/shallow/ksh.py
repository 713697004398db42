"""Supervised hashing with kernels: one greedy bit after the other."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import cholesky, eigh, solve_triangular
from sklearn.metrics.pairwise import euclidean_distances, rbf_kernel
from threadpoolctl import threadpool_limits

from hashnet_tf.retrieval.codes import check_count
from hashnet_tf.shallow.hash_function import (
    Floats,
    HashFunction,
    check_supervision,
)

# Of the authors' code: the most steps, and the gain an item that ends them.
STEPS = 500
GAIN = 1e-2
HALVINGS = 51
# Times the mean of the diagonal of K^T K, which need not have full rank.
JITTER = 1e-6


class KSH(HashFunction):
    """Fits inner products of codes to pairs of items, bit by bit.

    With S `[l, l]` of +1 where two of l labelled items share a label and -1
    where they do not, and codes y_k = sgn(K a_k) in {-1, +1}^l, it lowers

        ||S - (1 / r) sum_k y_k y_k^T||_F^2,  k = 1..r

    (Liu, Wang, Ji, Jiang & Chang, "Supervised Hashing with Kernels", CVPR
    2012). K holds exp(-||x - c||^2 / (2 s)) to anchors c drawn from the
    training set, minus its mean over that set; s is the mean of ||x - c||^2.
    Bit k raises y^T R y for what the bits before left,
    R = r S - sum_{j < k} y_j y_j^T, in two steps:

    1. without the sign: the first solution of K^T R K a = lambda K^T K a,
       scaled to ||K a||^2 = l;
    2. from there, tanh(K a / 2) for the sign, by Nesterov's method.

    The better of both under the sign is kept. No step promises that the
    objective falls with each bit, but it does in practice.

    The defaults are those of the authors' code: 300 anchors and 2,000 labelled
    items (the paper: 1,000 on CIFAR-10), 500 steps at most. It has no jitter
    on K^T K and fails where that has not full rank. The paper pairs class ids;
    pairs of several labels are HashNet's.

    Args:
        bits: Int >= 1, length r of the codes.
        anchors: Int >= 1; where there are fewer labelled items, all of them.
        samples: Int >= 2, l, the labelled items that are paired; likewise.
        seed: Int, of the anchors and of these items.

    Attributes:
        anchors_: `[m, d]`.
        gamma_: Float, 1 / (2 s).
        kernel_mean_: `[m]`.
        projection_: float64 `[m, bits]`, the a_k.
        objectives_: float64 `[bits + 1]`, a pair (divided by l^2), of no bit
            and then after each.
        n_features_in_: Int d.

    Raises:
        ValueError: As `HashFunction`; by `fit`, if `anchors` or `samples` is
            no positive integer, if all features are the same, if no pair is
            dissimilar, or as `check_supervision`.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.shallow import KSH
    >>> features = np.random.default_rng(0).normal(size=(100, 16))
    >>> ksh = KSH(bits=12, anchors=30).fit(features, np.arange(100) % 3)
    >>> ksh.encode(features).shape
    (100, 2)
    >>> bool(ksh.objectives_[-1] < ksh.objectives_[0])
    True
    """

    def __init__(
        self,
        bits: int = 48,
        anchors: int = 300,
        samples: int = 2000,
        seed: int = 0,
    ) -> None:
        self.bits = bits
        self.anchors = anchors
        self.samples = samples
        self.seed = seed

    def _learn(self, features: Floats, labels: npt.ArrayLike | None) -> None:
        check_count(self.anchors, "anchors")
        check_count(self.samples, "samples")
        features, y = check_supervision(features, labels)
        rng = np.random.default_rng(self.seed)
        self.anchors_ = features[rng.permutation(len(y))[: self.anchors]]
        scale = euclidean_distances(features, self.anchors_, squared=True).mean(
            dtype=np.float64
        )
        if not scale > 0:
            raise ValueError(
                "`features` must differ from one another for a kernel."
                f" Received: the same row {len(features)} times"
            )
        self.gamma_ = 0.5 / scale
        near = rbf_kernel(features, self.anchors_, gamma=self.gamma_)
        self.kernel_mean_ = near.mean(axis=0, dtype=np.float64)
        chosen = rng.permutation(len(y))[: self.samples]
        rest = PairResidual(y[chosen], self.bits)
        if rest.similar:
            raise ValueError(
                "`labels` must make some pairs dissimilar. Received: labels"
                f" of which {len(chosen)} were drawn, all of them similar"
            )
        # Its products are so many and short that threads wait for one another:
        # one alone is several times as fast.
        with threadpool_limits(1, "blas"):
            self._learn_bits(near[chosen] - self.kernel_mean_, rest)

    def _learn_bits(self, kernel, rest):
        gram = kernel.T @ kernel
        gram += JITTER * gram.trace() / len(gram) * np.eye(len(gram))
        # K^T K = L L^T makes it an ordinary problem, in b = L^T a.
        root = cholesky(gram, lower=True)
        white = solve_triangular(root, kernel.T, lower=True)
        pulled = white @ (rest @ white.T)
        self.projection_ = np.empty((kernel.shape[1], self.bits))
        self.objectives_ = np.empty(self.bits + 1)
        self.objectives_[0] = rest.objective
        for k in range(self.bits):
            last = len(gram) - 1
            _, b = eigh(pulled, subset_by_index=[last, last])
            a = solve_triangular(root, b[:, 0], trans=1, lower=True)
            a *= np.sqrt(len(kernel)) / np.linalg.norm(kernel @ a)
            found = []
            for candidate in (a, smooth(a, kernel, rest)):
                y = np.where(kernel @ candidate >= 0, 1.0, -1.0)
                found.append((y @ (rest @ y), y, candidate))
            _, y, self.projection_[:, k] = max(found, key=lambda one: one[0])
            rest.take(y)
            pulled -= np.outer(white @ y, white @ y)
            self.objectives_[k + 1] = rest.objective

    def _values(self, features: Floats) -> Floats:
        near = rbf_kernel(features, self.anchors_, gamma=self.gamma_)
        return (near - self.kernel_mean_) @ self.projection_


class PairResidual:
    """R = r S - sum_j y_j y_j^T, never written out.

    S `[l, l]` is +1 where two items share a label and -1 elsewhere. Items that
    share with the same others have the same row in it: those of one class, of
    the same labels, or where one label always comes with another. So S takes
    only its values between the distinct rows, of which there are m; a product
    with R costs m^2 + l (2 r + 1) instead of l^2 operations for each column.

    Args:
        labels: Zero-or-one matrix, float `[l, L]`, no row all zeros.
        bits: Int >= 1, r.

    Attributes:
        similar: Boolean, whether every pair is similar.
        bits: Int, r.
        codes: float64 `[l, k]`, the k bits y_j so far.
        objective: Float, ||R||_F^2 / (r l)^2.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.shallow.ksh import PairResidual
    >>> rest = PairResidual(np.array([[1, 0], [0, 1], [1, 0]]), bits=4)
    >>> rest.take(np.array([1.0, -1.0, 1.0]))
    >>> (rest @ np.eye(3)).tolist()
    [[3.0, -3.0, 3.0], [-3.0, 3.0, -3.0], [3.0, -3.0, 3.0]]
    >>> rest.objective
    0.5625
    """

    def __init__(self, labels: npt.NDArray[np.float64], bits: int) -> None:
        n = len(labels)
        labels, of_labels = np.unique(labels, axis=0, return_inverse=True)
        similarity = np.where(labels @ labels.T > 0, 1.0, -1.0)
        _, first, kind = np.unique(
            similarity, axis=0, return_index=True, return_inverse=True
        )
        self._similarity = similarity[np.ix_(first, first)]
        self._kind = kind.reshape(-1)[of_labels.reshape(n)]
        self._order = np.argsort(self._kind, kind="stable")
        self._starts = np.searchsorted(
            self._kind[self._order], np.arange(len(first))
        )
        self.similar = bool((self._similarity > 0).all())
        self.bits = bits
        self.codes = np.empty((n, 0))
        self.objective = 1.0

    def __matmul__(self, y: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        of_kinds = np.add.reduceat(y[self._order], self._starts, axis=0)
        shared = (self.bits * (self._similarity @ of_kinds))[self._kind]
        return shared - self.codes @ (self.codes.T @ y)

    def take(self, y: npt.NDArray[np.float64]) -> None:
        """Takes y y^T away, of the next bit y, float64 `[l]` of -1 and +1."""
        gain = len(y) ** 2 - 2 * (y @ (self @ y))
        self.objective += float(gain) / (self.bits * len(y)) ** 2
        self.codes = np.column_stack([self.codes, y])


def smooth(
    a: npt.NDArray[np.float64], kernel: npt.NDArray[np.float64], rest: Any
) -> npt.NDArray[np.float64]:
    """Lowers -y^T R y with y = tanh(K a / 2) by Nesterov's method.

    The step is halved until the loss falls as much as it would on a parabola
    of that step, and stays so small. It ends as the authors' code does: after
    500 steps, or once a step gains no more than 0.01 an item.

    Args:
        a: float64 `[m]`, to begin with.
        kernel: float64 `[l, m]`, K.
        rest: R, a symmetric `[l, l]` that multiplies vectors by `@`.

    Returns:
        a, float64 `[m]`.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.shallow.ksh import smooth
    >>> rest = 9 * np.array([[1.0, -1.0], [-1.0, 1.0]])
    >>> np.sign(smooth(np.array([0.1, 0.0]), np.eye(2), rest)).tolist()
    [1.0, -1.0]
    """
    # With each a goes K a, so that a try of a step needs no product with K.
    now = np.concatenate([a, kernel @ a])
    m = len(a)
    earlier, (value, _) = now, smoothed_loss(now[m:], rest)
    rate, weight, next_weight = 1.0, 0.0, 1.0
    for _ in range(STEPS):
        probe = now + (weight - 1) / next_weight * (now - earlier)
        at_probe, slope = smoothed_loss(probe[m:], rest)
        gradient = kernel.T @ slope
        down = np.concatenate([gradient, kernel @ gradient])
        for _ in range(HALVINGS):
            stepped = probe - rate * down
            reached, _ = smoothed_loss(stepped[m:], rest)
            if reached <= at_probe - rate / 2 * gradient @ gradient:
                break
            rate /= 2
        else:
            break
        earlier, now = now, stepped
        weight, next_weight = (
            next_weight,
            (1 + np.sqrt(1 + 4 * next_weight**2)) / 2,
        )
        gain, value = abs(reached - value), reached
        if gain <= GAIN * len(kernel):
            break
    return now[:m]


def smoothed_loss(
    u: npt.NDArray[np.float64], rest: Any
) -> tuple[float, npt.NDArray[np.float64]]:
    """Returns -y^T R y for y = tanh(u / 2), and its gradient in u.

    Args:
        u: float64 `[l]`.
        rest: R, a symmetric `[l, l]` that multiplies vectors by `@`.

    Returns:
        Float, and float64 `[l]`.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.shallow.ksh import smoothed_loss
    >>> value, gradient = smoothed_loss(np.array([-1.0, 1.0]), np.eye(2))
    >>> round(float(value), 3), gradient.round(3).tolist()
    (-0.427, [0.363, -0.363])
    """
    y = np.tanh(u / 2)
    pulled = rest @ y
    return -y @ pulled, -pulled * (1 - y**2)
