"""DCH: Cauchy cross-entropy and a Cauchy quantisation term."""

import keras

from hashnet_tf._types import Config, Tensor, ops
from hashnet_tf.losses._checks import check_quantization
from hashnet_tf.losses._pairs import (
    label_pairs,
    pair_weights,
    pairs_of,
    row_scale,
)
from hashnet_tf.losses._row_loss import RowLoss
from hashnet_tf.losses.likelihoods import RadiusLikelihood


@keras.saving.register_keras_serializable(package="hashnet_tf")
class DCHLoss(RowLoss):
    """Weighted likelihood of all pairs by the Cauchy law of their distance.

    "Deep Cauchy Hashing for Hamming Space Retrieval" (Cao et al., CVPR 2018),
    on g = tanh(z), with the distance of the directions alone,

        d_ij = K / 2 (1 - cos(g_i, g_j)),   P(s_ij = 1) = gamma / (gamma + d_ij)

    which is `RadiusLikelihood` of a radius gamma and a power of 1:

        mean over pairs of
            w_ij * (s_ij log(d_ij / gamma) + log(1 + gamma / d_ij))
        + quantization * mean over images of log(1 + d(|g_i|, 1) / gamma)

    with w_ij as in `WeightedPairwiseLoss`, and d_ij .001 larger, for its
    logarithm.

    The authors' code (thulab/DeepHash) differs: its weights are |S| / |S1| for
    similar and 1 for dissimilar pairs, it adds K / 2 times 1e-6 to the distance
    and takes the mean of (|g| - 1)^2 for the second term, with lambda 0 by
    default. gamma is 20 by default there, for 64 bits; the paper cross-
    validates lambda; 0.1 is that of the port in swuxyj/DeepHash-pytorch.

    It returns one value a row, whose mean over the batch is the loss above, in
    float32 under every dtype policy.

    Args:
        gamma: Positive float, in bits, the distance at even odds.
        quantization: Float >= 0, lambda.
        name: Optional name.
        reduction: As in `keras.losses.Loss`.

    Call arguments:
        y_true: Labels, as `WeightedPairwiseLoss` takes them.
        y_pred: Float `[n, K]`, g.

    Raises:
        ValueError: If an argument or a shape is none of these.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.losses import DCHLoss
    >>> g = np.array([[1.0, 1.0], [1.0, 1.0], [1.0, -1.0]])
    >>> round(float(DCHLoss(gamma=1.0)(np.array([0, 0, 1]), g)), 4)
    0.6936
    """

    def __init__(
        self,
        gamma: float = 20.0,
        quantization: float = 0.1,
        name: str = "dch_loss",
        reduction: str = "sum_over_batch_size",
    ) -> None:
        super().__init__(name, reduction)
        if not 0 < gamma < float("inf"):
            raise ValueError(
                f"`gamma` must be positive and finite. Received: gamma={gamma}"
            )
        self._likelihood = RadiusLikelihood(radius=gamma, power=1.0)
        self.gamma = gamma
        self.quantization = check_quantization(quantization)

    def rows(self, labels: Tensor, outputs: Tensor, present: Tensor) -> Tensor:
        bits = outputs.shape[-1]
        squares = ops.sum(ops.square(outputs), axis=1, keepdims=True)
        # All of one length, that of a binary code.
        codes = outputs * ops.sqrt(bits / ops.maximum(squares, 1e-12))
        similar, known, _ = label_pairs(labels, overlap=False)
        counted = ops.logical_and(known, pairs_of(present))
        losses = self._likelihood.losses(
            ops.matmul(codes, ops.transpose(codes)), similar, bits
        )
        weights = pair_weights(similar, counted, "batch")
        sums = ops.sum(weights * losses, axis=1)
        likelihood = sums * row_scale(counted, present)
        off = (bits - ops.sum(ops.abs(codes), axis=1)) / 2
        return likelihood + self.quantization * ops.log1p(
            ops.maximum(off, 0.0) / self.gamma
        )

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "gamma": self.gamma,
            "quantization": self.quantization,
        }
