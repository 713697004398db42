"""DHN: pairwise cross-entropy and a quantisation term."""

import keras

from hashnet_tf._types import Config, Tensor, ops
from hashnet_tf.losses._checks import check_quantization
from hashnet_tf.losses._row_loss import RowLoss
from hashnet_tf.losses.weighted_pairwise_loss import WeightedPairwiseLoss


@keras.saving.register_keras_serializable(package="hashnet_tf")
class DHNLoss(RowLoss):
    """Likelihood of all pairs alike, and codes drawn to -1 and 1.

    "Deep Hashing Network for Efficient Similarity Retrieval" (Zhu et al.,
    AAAI 2016), on g = tanh(z):

        mean over pairs of
            log(1 + exp(alpha <g_i, g_j>)) - alpha s_ij <g_i, g_j>
        + quantization * mean over images and bits of log cosh(|g_ik| - 1)

    The second term is the smooth form of the bi-modal Laplacian prior. Pairs
    are not weighted by class, which is what HashNet added, and beta stays 1.
    HashNet's paper measures it, DNNH and CNNH on the AlexNet that it uses too.

    The authors' TensorFlow code (thulab/DeepHash) differs: it weights similar
    pairs by |S| / |S1|, clips <g_i, g_j> at +-15, counts i = j, and takes
    (|g| - 1)^2 for the second term. Its alpha is 1/2 by default, its lambda is
    given on the command line (cross-validated in the paper); 0.1 is that of
    the port in swuxyj/DeepHash-pytorch.

    It returns one value a row, whose mean over the batch is the loss above, in
    float32 under every dtype policy.

    Args:
        alpha: Positive float, the slope of the sigmoid.
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
    >>> from hashnet_tf.losses import DHNLoss
    >>> round(float(DHNLoss()(np.array([0, 0, 1]), np.ones((3, 2)))), 4)
    0.9799
    """

    def __init__(
        self,
        alpha: float = 0.5,
        quantization: float = 0.1,
        name: str = "dhn_loss",
        reduction: str = "sum_over_batch_size",
    ) -> None:
        super().__init__(name, reduction)
        self._pairs = WeightedPairwiseLoss(alpha, class_weights=None)
        self.alpha = alpha
        self.quantization = check_quantization(quantization)

    def rows(self, labels: Tensor, outputs: Tensor, present: Tensor) -> Tensor:
        likelihood = self._pairs.rows(labels, outputs, present)
        off: Tensor = keras.losses.log_cosh(
            ops.ones_like(outputs), ops.abs(outputs)
        )
        return likelihood + self.quantization * off

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "alpha": self.alpha,
            "quantization": self.quantization,
        }
