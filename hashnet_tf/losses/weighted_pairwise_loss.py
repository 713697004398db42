"""The loss of HashNet over the pairs of a batch."""

import keras
import numpy as np

from hashnet_tf._types import Config, Tensor, ops
from hashnet_tf.losses._labels import read_similarities
from hashnet_tf.losses._likelihood_loss import LikelihoodLoss
from hashnet_tf.losses._pairs import (
    ClassWeights,
    differ,
    label_pairs,
    pair_weights,
    pairs_of,
    row_scale,
)
from hashnet_tf.methods import SIMILARITIES

# Those of labels, and a matrix of its own.
ALL_SIMILARITIES = (*SIMILARITIES, "given")


@keras.saving.register_keras_serializable(package="hashnet_tf")
class WeightedPairwiseLoss(LikelihoodLoss):
    """Weighted maximum likelihood over all pairs of a batch.

    Eq. 4 of "Deep Learning to Hash by Continuation" (Cao et al., ICCV 2017)
    as a mean:

        1 / |S| * sum over i != j of
            w_ij * (log(1 + exp(theta_ij)) - s_ij theta_ij)

    with S the pairs whose similarity is known, s_ij = 1 for similar pairs,
    and w_ij = c_ij |S| / |S1| for the |S1| similar and |S| / |S0| for the
    |S0| dissimilar pairs. theta_ij = alpha <g_i, g_j> is the paper's; at g = 0
    the loss is 2 log 2 then (log 2 without weights). likelihood="radius" takes
    -p log(d_ij / r) of the distance d_ij = (K - <g_i, g_j>) / 2, which draws
    similar pairs to within r bits; `hashnet_tf.losses.likelihoods` tells why.

    It returns one value a row, `n / |S|` times the row's sum, so that Keras'
    mean over the batch is the loss above, computed in float32 under every
    dtype policy. `sample_weight` scales the rows; a row of weight 0 is not
    there, neither trained nor a partner nor counted, as -1 for a label has it.

    The pairs are those of a batch. So the value of `evaluate` depends on the
    batch size and the order, and is 0 where each batch holds one class, as
    sorted data do: shuffle, or draw by class with
    `hashnet_tf.datasets.PairSampler`.

    Args:
        alpha: Positive float, the slope of the sigmoid; None is 5 / K, half
            of the released code's (`LogisticLikelihood` tells why).
        class_weights: "batch" counts |S1| and |S0| in each batch; `(w1, w0)`
            are fixed weights of similar and dissimilar pairs, such as
            `hashnet_tf.losses.count_pairs(labels).weights` gives for a whole
            data set (the paper's reading); None weights all pairs alike (the
            paper's HashNet-W).
        similarity: "shared": similar if a label is shared, c_ij = 1;
            "jaccard": the same, with c_ij the overlap of the labels (the
            paper's HashNet+C); "given": `y_true` is the matrix s_ij.
        likelihood: "logistic", theta = alpha <g_i, g_j>, or "radius".
        radius: Positive float, r in bits, of likelihood="radius"; None is the
            lesser of 8 and K / 2.
        power: Positive float, p, of likelihood="radius"; None is 3.
        name: Optional name.
        reduction: As in `keras.losses.Loss`.

    Call arguments:
        y_true: Class ids `[n]` or `[n, 1]`, or labels from 0 to 1 `[n, L]`,
            L > 1, -1 where unknown; with "given", s_ij `[n, n]` likewise.
            One column is a column of ids, of zeros and ones too. Integer ids
            are compared as such (JAX makes 32 bits of them in `fit`), floats
            must stay below 2^24, where float32 ends to count in ones. Soft
            labels (smoothing, MixUp, CutMix) count from .5 on; where a row
            that adds up to 1 has none, its largest do, unless all are equal.
        y_pred: Float `[n, K]`, g = tanh(beta z).

    Raises:
        ValueError: If an argument, a shape or a label is none of these. A
            graph ends with `tf.errors.InvalidArgumentError` for labels that
            are none; where XLA or JAX compiled it, the loss is NaN instead,
            and nothing is learned.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.losses import WeightedPairwiseLoss
    >>> loss = WeightedPairwiseLoss()
    >>> round(float(loss(np.array([0, 0, 1]), np.zeros((3, 48)))), 4)
    1.3863
    """

    def __init__(
        self,
        alpha: float | None = None,
        class_weights: ClassWeights = "batch",
        similarity: str = "shared",
        name: str = "weighted_pairwise_loss",
        reduction: str = "sum_over_batch_size",
        likelihood: str = "logistic",
        radius: float | None = None,
        power: float | None = None,
    ) -> None:
        super().__init__(
            name, reduction, alpha, class_weights, likelihood, radius, power
        )
        if similarity not in ALL_SIMILARITIES:
            raise ValueError(
                f"`similarity` must be one of {ALL_SIMILARITIES}."
                f" Received: similarity={similarity!r}"
            )
        self.similarity = similarity

    def tells_apart(self, labels: Tensor, name: str = "y") -> bool:
        if self.similarity != "given":
            return super().tells_apart(labels, name)
        given = ops.convert_to_numpy(
            read_similarities(np.asarray(labels), name)
        )
        return bool((given == 0).any())

    def rows(self, labels: Tensor, outputs: Tensor, present: Tensor) -> Tensor:
        similar, known, continuous = self._pairs(labels)
        counted = ops.logical_and(known, pairs_of(present))
        losses = self._likelihood.losses(
            ops.matmul(outputs, ops.transpose(outputs)),
            similar,
            outputs.shape[-1],
            counted,
        )
        weights = continuous * pair_weights(
            similar, counted, self.class_weights
        )
        sums = ops.sum(weights * losses, axis=1)
        return sums * row_scale(counted, present)

    def _pairs(self, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        if self.similarity != "given":
            return label_pairs(labels, overlap=self.similarity == "jaccard")
        similar = ops.greater(labels, 0)
        known = ops.greater_equal(labels, 0)
        return similar, known, ops.ones_like(labels)

    def read(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        if self.similarity != "given":
            return super().read(y_true, y_pred)
        if (
            len(y_pred.shape) != 2
            or len(y_true.shape) != 2
            or differ(*y_true.shape)
            or differ(y_true.shape[0], y_pred.shape[0])
        ):
            raise ValueError(
                'With similarity="given", `y_true` must be the matrix of the'
                " batch, [n, n], with as many rows as `y_pred`, [n, bits]."
                f" Received: y_true.shape={tuple(y_true.shape)},"
                f" y_pred.shape={tuple(y_pred.shape)}"
            )
        return read_similarities(y_true)

    def get_config(self) -> Config:
        return {**super().get_config(), "similarity": self.similarity}
