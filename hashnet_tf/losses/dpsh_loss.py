"""DPSH: pairwise likelihood of codes without an activation."""

import keras

from hashnet_tf._types import Config, Tensor, ops
from hashnet_tf.losses._checks import check_quantization
from hashnet_tf.losses._row_loss import RowLoss
from hashnet_tf.losses.weighted_pairwise_loss import WeightedPairwiseLoss


@keras.saving.register_keras_serializable(package="hashnet_tf")
class DPSHLoss(RowLoss):
    """Likelihood of all pairs alike on z, and z drawn to its sign.

    "Feature Learning based Deep Supervised Hashing with Pairwise Labels" (Li
    et al., IJCAI 2016), with theta_ij = <z_i, z_j> / 2:

        mean over pairs of log(1 + exp(theta_ij)) - s_ij theta_ij
        + quantization * mean over images and bits of (sgn(z_ik) - z_ik)^2

    The paper sums both over the training set with eta = 10, which the code of
    an author (jiangqy/DPSH-pytorch) divides by the number of pairs: with N
    images that is `quantization` = eta K / N, about 0.1 at its 5,000 images
    and 48 bits. That code pairs a batch with all training images, whose codes
    it remembers; here a batch is paired with itself, without i = j.

    It returns one value a row, whose mean over the batch is the loss above, in
    float32 under every dtype policy.

    Args:
        quantization: Float >= 0, eta K / N.
        name: Optional name.
        reduction: As in `keras.losses.Loss`.

    Call arguments:
        y_true: Labels, as `WeightedPairwiseLoss` takes them.
        y_pred: Float `[n, K]`, z; `hashnet_tf.models.LogitsModel` gives it.

    Raises:
        ValueError: If an argument or a shape is none of these.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.losses import DPSHLoss
    >>> round(float(DPSHLoss()(np.array([0, 0, 1]), np.zeros((3, 2)))), 4)
    0.7931
    """

    def __init__(
        self,
        quantization: float = 0.1,
        name: str = "dpsh_loss",
        reduction: str = "sum_over_batch_size",
    ) -> None:
        super().__init__(name, reduction)
        self._pairs = WeightedPairwiseLoss(alpha=0.5, class_weights=None)
        self.quantization = check_quantization(quantization)

    def rows(self, labels: Tensor, outputs: Tensor, present: Tensor) -> Tensor:
        likelihood = self._pairs.rows(labels, outputs, present)
        # |z| - 1 is z - sgn(z) up to its sign.
        off = ops.mean(ops.square(ops.abs(outputs) - 1.0), axis=1)
        return likelihood + self.quantization * off

    def get_config(self) -> Config:
        return {**super().get_config(), "quantization": self.quantization}
