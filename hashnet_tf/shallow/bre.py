"""Binary reconstructive embedding: Hamming distances that copy given ones."""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.preprocessing import normalize

from hashnet_tf.retrieval.codes import check_count
from hashnet_tf.shallow.hash_function import (
    Floats,
    LinearHashFunction,
    check_supervision,
)

# Of the items, how many each is paired with, as in the authors' code.
PAIRED = 0.05
FIRST_WEIGHT = 1e-3
GAIN = 1e-6


class BRE(LinearHashFunction):
    """Makes the share of bits that differ the distance of two items.

    With bits h_k(x) = sgn(sum_q W_qk <a_qk, x>) it lowers, over pairs (i, j),

        mean of (d_ij - d'_ij)^2,  d'_ij = share of the bits that differ

    (Kulis & Darrell, "Learning to Hash with Binary Reconstructive Embeddings",
    NIPS 2009). The items are centred and of unit length, the a_qk are training
    items drawn for each bit. With `labels`, d is 0 where two items share one
    and 1 where they do not: the supervised variant, for HashNet's Table 1
    lists BRE among the supervised methods. Without, it is half the squared
    distance, divided by the largest.

    One weight is changed at a time. Each training item turns its bit at one
    value of the weight, so the objective is a staircase in it, and all its
    steps are computed at once: the best one is taken. The objective never
    rises. A round takes a weight by chance from each bit; rounds go on until
    one gains no more than 1e-6 in half the sum over the pairs.

    Defaults and ending are those of the authors' code, as far as others have
    passed it on: 1,000 items, each paired with 5 % of them by chance, 50
    weights a bit, <x, y> as the kernel. Of many classes, few pairs are similar
    then. What differs: centring and unit length, which that code leaves to its
    caller, are part of the method; `rounds` bounds the search; and a weight is
    kept where no step lowers the objective.

    Args:
        bits: Int >= 1, length K of the codes.
        anchors: Int >= 1, weights a bit; where there are fewer items, all.
        samples: Int >= 2; where there are fewer items, all of them.
        rounds: Int >= 1, at most.
        seed: Int, of all that is drawn.

    Attributes:
        mean_: `[d]`, of the (labelled) features that were fitted.
        projection_: float64 `[d, bits]`, sum_q W_qk a_qk.
        objectives_: float64, at the start and after each round.
        n_features_in_: Int d.

    Raises:
        ValueError: As `HashFunction`; by `fit`, if `anchors`, `samples` or
            `rounds` is no positive integer or there is one sample, if all
            features are the same, if no pair is dissimilar, or as
            `check_supervision`.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.shallow import BRE
    >>> features = np.random.default_rng(0).normal(size=(100, 16))
    >>> bre = BRE(bits=12).fit(features)
    >>> bre.encode(features).shape
    (100, 2)
    >>> bool(bre.objectives_[-1] < bre.objectives_[0])
    True
    """

    def __init__(
        self,
        bits: int = 48,
        anchors: int = 50,
        samples: int = 1000,
        rounds: int = 200,
        seed: int = 0,
    ) -> None:
        self.bits = bits
        self.anchors = anchors
        self.samples = samples
        self.rounds = rounds
        self.seed = seed

    def _learn(self, features: Floats, labels: npt.ArrayLike | None) -> None:
        for name in ("anchors", "samples", "rounds"):
            check_count(getattr(self, name), name)
        if self.samples < 2:
            raise ValueError(
                "`samples` must be at least 2, to make a pair."
                f" Received: samples={self.samples}"
            )
        y = None
        if labels is not None:
            features, y = check_supervision(features, labels)
        rng = np.random.default_rng(self.seed)
        self.mean_ = features.mean(axis=0, dtype=np.float64)
        chosen = rng.permutation(len(features))[: self.samples]
        items: Any = normalize(features[chosen] - self.mean_)
        kernel = items @ items.T
        squares = kernel.diagonal()
        wanted = (squares + squares[:, None]) / 2 - kernel
        # Up to rounding, which the unit length makes no larger.
        if wanted.max() < 1e-9:
            raise ValueError(
                "`features` must differ from one another to have distances."
                f" Received: {len(items)} items, all of them alike"
            )
        wanted /= wanted.max()
        if y is not None:
            wanted = 1.0 - (y[chosen] @ y[chosen].T > 0)
        if not wanted.any():
            raise ValueError(
                "`labels` must make some pairs dissimilar. Received: labels"
                f" of which {len(chosen)} were drawn, all of them similar"
            )
        pairs = draw_pairs(len(items), rng)
        self._descend(items, kernel, pairs, wanted[tuple(pairs)], rng)

    def _descend(self, items, kernel, pairs, wanted, rng):
        count = min(self.anchors, len(items))
        anchors = np.array(
            [rng.permutation(len(items))[:count] for _ in range(self.bits)]
        )
        weights = FIRST_WEIGHT * rng.normal(size=anchors.shape)
        values = np.array(
            [kernel[:, a] @ w for a, w in zip(anchors, weights, strict=True)]
        )
        differ = _differ(values, pairs)
        errors = differ.mean(axis=0) - wanted
        objectives = [np.mean(errors**2)]
        for _ in range(self.rounds):
            for k in range(self.bits):
                q = rng.integers(count)
                column = kernel[anchors[k, q]]
                others = errors - differ[k] / self.bits
                shift = best_shift(
                    values[k], column, pairs, 2 * self.bits * others + 1
                )
                moved = values[k] + shift * column
                moved_differ = _differ(moved, pairs)
                moved_errors = others + moved_differ / self.bits
                # A step between two items that turn at all but the same
                # weight can miss it by rounding.
                if np.sum(moved_errors**2) < np.sum(errors**2):
                    weights[k, q] += shift
                    values[k], differ[k] = moved, moved_differ
                    errors = moved_errors
            objectives.append(np.mean(errors**2))
            gain = (objectives[-2] - objectives[-1]) * len(wanted) / 2
            if gain <= GAIN:
                break
        self.objectives_ = np.array(objectives)
        self.projection_ = np.column_stack(
            [items[a].T @ w for a, w in zip(anchors, weights, strict=True)]
        )


def _differ(values, pairs):
    bits = values >= 0
    return (bits[..., pairs[0]] != bits[..., pairs[1]]).astype(np.float64)


def draw_pairs(n: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Draws for each item the items that it is compared with.

    Args:
        n: Int >= 2, the number of items.
        rng: numpy Generator.

    Returns:
        Int `[2, n * m]`, where m is 5 % of n, at least 1. No item is paired
        with itself, nor twice with the same by its own draw.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.shallow.bre import draw_pairs
    >>> draw_pairs(2, np.random.default_rng(0)).tolist()
    [[0, 1], [1, 0]]
    """
    count = max(1, int(PAIRED * n))
    first = np.repeat(np.arange(n), count)
    further = rng.permuted(np.tile(np.arange(1, n), (n, 1)), axis=1)
    return np.stack([first, (first + further[:, :count].ravel()) % n])


def best_shift(
    values: npt.NDArray[np.float64],
    column: npt.NDArray[np.float64],
    pairs: npt.NDArray[np.int64],
    gains: npt.NDArray[np.float64],
) -> float:
    """Finds the step along a column after which the signs cost least.

    A pair whose signs differ costs its gain, any other nothing; the cost of
    the signs of `values + shift * column` is a staircase in the shift, with a
    step where an item turns its sign.

    Args:
        values: float64 `[n]`.
        column: float64 `[n]`.
        pairs: Int `[2, m]`, of items.
        gains: float64 `[m]`.

    Returns:
        Float, the middle of the best stretch between two turns. Before the
        first and behind the last turn, 1 away from it; 0.0 if nothing turns.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.shallow.bre import best_shift
    >>> pairs = np.array([[0], [1]])
    >>> best_shift(np.array([1.0, 3.0]), np.ones(2), pairs, np.array([-1.0]))
    -2.0
    """
    turning = np.flatnonzero(column)
    if len(turning) == 0:
        return 0.0
    turns = -values[turning] / column[turning]
    order = np.argsort(turns, kind="stable")
    turns, turning = turns[order], turning[order]
    n = len(turning)
    place = np.full(len(values), n)
    place[turning] = np.arange(n)
    # Far to the left, every item that turns has the sign against its column.
    signs = np.where(values >= 0, 1.0, -1.0)
    signs[turning] = -np.sign(column[turning])
    # When one of a pair has turned and the other has not, the pair differs
    # where it was the same, and the other way round.
    change = gains * signs[pairs[0]] * signs[pairs[1]]
    early = np.minimum(place[pairs[0]], place[pairs[1]])
    late = np.maximum(place[pairs[0]], place[pairs[1]])
    steps = np.bincount(early, change, n + 1) - np.bincount(late, change, n + 1)
    costs = np.concatenate([[0.0], np.cumsum(steps[:n])])
    ends = np.concatenate([[turns[0] - 2], turns, [turns[-1] + 2]])
    best = np.argmin(costs)
    return float((ends[best] + ends[best + 1]) / 2)
