"""The loss of HashNet over pairs that come as triples."""

import keras
import numpy as np

from hashnet_tf._types import Tensor, ops
from hashnet_tf.losses._labels import read_similarities
from hashnet_tf.losses._likelihood_loss import LikelihoodLoss
from hashnet_tf.losses._pairs import (
    ClassWeights,
    check_pair_outputs,
    differ,
    pair_weights,
    row_scale,
)


@keras.saving.register_keras_serializable(package="hashnet_tf")
class GivenPairsLoss(LikelihoodLoss):
    """Weighted maximum likelihood over triples (x_i, x_j, s_ij).

    The same Eq. 4 of HashNet (ICCV 2017) as `WeightedPairwiseLoss`, for data
    without labels, such as clicks: each row of the batch is one pair and S is
    the rows whose s_ij is known. Trains the model that
    `hashnet_tf.models.PairModel` makes of a HashNet.

    Pairs of both kinds are needed. `InBatchPairsLoss` needs similar ones alone:
    it compares all items of a batch, and learned more of clicks
    (`benchmarks/pairs.py`).

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
        y_true: `[n]` or `[n, 1]`, s_ij: 1 similar, 0 dissimilar, -1 unknown;
            between 0 and 1 it is similar from .5 on. A pair with a
            `sample_weight` of 0 is not there.
        y_pred: Float `[n, 2, K]`, g_i and g_j.

    Raises:
        ValueError: If an argument, a shape or a similarity is none of these,
            in a graph as with `WeightedPairwiseLoss`.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.losses import GivenPairsLoss
    >>> loss = GivenPairsLoss()
    >>> round(float(loss(np.array([1, 0, 0]), np.zeros((3, 2, 48)))), 4)
    1.3863
    """

    def __init__(
        self,
        alpha: float | None = None,
        class_weights: ClassWeights = "batch",
        name: str = "given_pairs_loss",
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
            len(shape) not in (1, 2)
            or shape[1:] not in ((), (1,), (None,))
            or differ(shape[0], y_pred.shape[0])
        ):
            raise ValueError(
                "`y_true` must hold one similarity a pair, [n] or [n, 1], of"
                " as many pairs as `y_pred`. Received:"
                f" y_true.shape={shape}, y_pred.shape={tuple(y_pred.shape)}"
            )
        return ops.reshape(read_similarities(y_true), (-1,))

    def tells_apart(self, labels: Tensor, name: str = "y") -> bool:
        given = ops.convert_to_numpy(
            read_similarities(np.asarray(labels), name)
        )
        return bool((given == 0).any())

    def rows(self, labels: Tensor, outputs: Tensor, present: Tensor) -> Tensor:
        similar = ops.greater(labels, 0)
        counted = ops.logical_and(
            ops.greater_equal(labels, 0), ops.greater(present, 0)
        )
        losses = self._likelihood.losses(
            ops.sum(outputs[:, 0] * outputs[:, 1], axis=-1),
            similar,
            outputs.shape[-1],
            counted,
        )
        weights = pair_weights(similar, counted, self.class_weights)
        return weights * losses * row_scale(counted, present)
