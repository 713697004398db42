"""The loss of HashNet over given pairs, with the batch as their negatives."""

import keras
import numpy as np

from hashnet_tf._types import Tensor, ops
from hashnet_tf.losses._labels import read_labels, read_similarities
from hashnet_tf.losses._likelihood_loss import LikelihoodLoss
from hashnet_tf.losses._pairs import (
    ClassWeights,
    check_pair_outputs,
    differ,
    pair_weights,
    pairs_of,
    row_scale,
)
from hashnet_tf.losses._row_loss import LOOKED_AT

# What is said of two items; of several sayings the last of these holds.
NOTHING, DISSIMILAR, UNKNOWN, SIMILAR = range(4)


@keras.saving.register_keras_serializable(package="hashnet_tf")
class InBatchPairsLoss(LikelihoodLoss):
    """Weighted maximum likelihood over all items of a batch of pairs.

    For data without labels that say what belongs together and never what does
    not, such as clicks: the 2n items of n pairs (i, j) are compared with each
    other, and what nobody gave as similar is dissimilar. Eq. 4 of HashNet
    (ICCV 2017) as `WeightedPairwiseLoss` has it,

        1 / |S| * sum over (a, b) in S of
            w_ab * (log(1 + exp(theta_ab)) - s_ab theta_ab)

    over ordered pairs of the items, where

        s_ab = 1        if a pair of the batch gives a and b as similar,
        s_ab unknown    else, if one gives their similarity as unknown,
        s_ab = 0        else, if one gives them as dissimilar,
        s_ab unknown    else, if a and b are both similar to a third item,
        s_ab = 0        else,

    and S is those whose s_ab is known and whose ids differ: an item is no
    negative of itself nor of its duplicate. Items are known by their ids, so
    that the partners of one query in several pairs are all similar to it. Of
    each other these are not known: two answers to "jaguar" may be a car and a
    cat, yet are alike more often than two items by chance, so they count
    neither as similar nor as dissimilar. Trains the model that
    `hashnet_tf.models.PairModel` makes of a HashNet.

    Items that meet in a batch by chance are called dissimilar though they may
    not be, the oftener the fewer the topics. A row's value is n / |S| times the
    sum over both its items, so that Keras' mean is the loss above.

    Args:
        alpha: Positive float; None is 5 / K, as in
            `WeightedPairwiseLoss`.
        class_weights: "batch", `(w1, w0)` or None, as in
            `WeightedPairwiseLoss`.
        likelihood: "logistic" or "radius", as in `WeightedPairwiseLoss`.
        radius: Positive float or None, as there.
        power: Positive float or None, as there.
        name: Optional name.
        reduction: As in `keras.losses.Loss`.

    Call arguments:
        y_true: `[n, 2]`, the ids of the two items of each pair, which are
            similar then; or `[n, 3]`, with s_ij behind: 1 similar, 0
            dissimilar, -1 unknown; between 0 and 1 it is similar from .5 on.
            Ids are whole numbers: integers of any size (of 32 bits under JAX),
            or floats below 2^24. An item with an id below 0 is in no pair. A
            row with a `sample_weight` of 0 is not there, nor are its items.
        y_pred: Float `[n, 2, K]`, g_i and g_j.

    Raises:
        ValueError: If an argument, a shape, an id or a similarity is none of
            these, in a graph as with `WeightedPairwiseLoss`.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.losses import InBatchPairsLoss
    >>> loss = InBatchPairsLoss()
    >>> clicks = np.array([[7, 1], [7, 2], [8, 3]])  # query, item
    >>> round(float(loss(clicks, np.zeros((3, 2, 48)))), 4)
    1.3863
    """

    def __init__(
        self,
        alpha: float | None = None,
        class_weights: ClassWeights = "batch",
        name: str = "in_batch_pairs_loss",
        reduction: str = "sum_over_batch_size",
        likelihood: str = "logistic",
        radius: float | None = None,
        power: float | None = None,
    ) -> None:
        super().__init__(
            name, reduction, alpha, class_weights, likelihood, radius, power
        )

    def read(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        check_pair_outputs(y_pred)
        shape = tuple(y_true.shape)
        if (
            len(shape) != 2
            or shape[1] not in (2, 3)
            or differ(shape[0], y_pred.shape[0])
        ):
            raise ValueError(
                "`y_true` must hold the ids of the two items of each pair,"
                " [n, 2], or these and their similarity, [n, 3], of as many"
                " pairs as `y_pred`. Received:"
                f" y_true.shape={shape}, y_pred.shape={tuple(y_pred.shape)}"
            )
        return _read_pairs(y_true, "y_true")

    def tells_apart(self, labels: Tensor, name: str = "y") -> bool:
        labels = np.asarray(labels)
        if labels.ndim != 2 or labels.shape[1] not in (2, 3):
            # The shape is refused with that of the outputs.
            return True
        # Looks at all ids, of which some may be wrong.
        if not super().tells_apart(labels[:, :2].reshape(-1), name):
            return False
        some = labels[:: -(-len(labels) // LOOKED_AT) or 1]
        pairs = _read_pairs(some, name)
        similar, counted = _compare(pairs, ops.ones(len(some)))
        apart = ops.logical_and(counted, ops.logical_not(similar))
        return bool(ops.convert_to_numpy(apart).any())

    def rows(self, labels: Tensor, outputs: Tensor, present: Tensor) -> Tensor:
        bits = outputs.shape[-1]
        items = ops.reshape(outputs, (-1, bits))
        similar, counted = _compare(labels, present)
        losses = self._likelihood.losses(
            ops.matmul(items, ops.transpose(items)), similar, bits, counted
        )
        weights = pair_weights(similar, counted, self.class_weights)
        of_items = ops.sum(weights * losses, axis=1)
        of_pairs = ops.sum(ops.reshape(of_items, (-1, 2)), axis=1)
        return of_pairs * row_scale(counted, present)


def _read_pairs(pairs, name):
    """Returns float32 `[n, 3]`: numbers of the batch, or -1, and s_ij."""
    ids = read_labels(ops.reshape(pairs[:, :2], (-1,)), name)
    ids = ops.reshape(ids, (-1, 2))
    if pairs.shape[1] == 2:
        given = ops.ones_like(ids[:, :1])
    else:
        given = read_similarities(pairs[:, 2:], name)
    return ops.concatenate([ids, given], axis=1)


def _compare(pairs, present):
    """Compares the two items of every pair with those of every other.

    Args:
        pairs: As `_read_pairs` returns it.
        present: Float32 `[n]`, 0 where a row is not there.

    Returns:
        Two boolean tensors `[2n, 2n]` of the items, those of a pair next to
        each other: s_ab, and which are in S.
    """
    # Where NaN stands for what was refused, the outputs are NaN already.
    pairs = ops.where(ops.isnan(pairs), -1.0, pairs)
    given = pairs[:, 2]
    said = ops.where(
        given > 0, SIMILAR, ops.where(given < 0, UNKNOWN, DISSIMILAR)
    )
    there = ops.logical_and(present > 0, ops.all(pairs[:, :2] >= 0, axis=1))
    said = ops.where(there, said, NOTHING)

    ids = ops.cast(ops.maximum(pairs[:, :2], 0.0), "int32")
    total = 2 * ops.shape(pairs)[0]
    # Either way round, in one list of all pairs of numbers.
    places = ops.concatenate(
        [ids[:, 0] * total + ids[:, 1], ids[:, 1] * total + ids[:, 0]], axis=0
    )
    table = ops.segment_max(
        ops.concatenate([said, said], axis=0), places, total * total
    )
    # Of places that nobody names it gives the least integer.
    table = ops.reshape(ops.maximum(table, NOTHING), (total, total))
    numbers = ops.reshape(ids, (-1,))
    said = ops.take(ops.take(table, numbers, axis=0), numbers, axis=1)

    similar = ops.equal(said, SIMILAR)
    linked = ops.cast(similar, "float32")
    share_partner = ops.matmul(linked, linked) > 0
    known = ops.where(
        ops.equal(said, NOTHING),
        ops.logical_not(share_partner),
        ops.not_equal(said, UNKNOWN),
    )
    others = ops.not_equal(numbers[:, None], numbers[None, :])
    named = ops.reshape(pairs[:, :2], (-1,)) >= 0
    items = ops.cast(named, "float32") * ops.repeat(present, 2)
    counted = ops.logical_and(ops.logical_and(known, others), pairs_of(items))
    return similar, counted
