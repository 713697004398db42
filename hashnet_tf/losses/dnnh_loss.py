"""DNNH: a hinge on the triplets of a batch."""

import keras

from hashnet_tf._types import Config, Tensor, ops
from hashnet_tf.losses._pairs import label_pairs, pairs_of
from hashnet_tf.losses._row_loss import RowLoss


@keras.saving.register_keras_serializable(package="hashnet_tf")
class DNNHLoss(RowLoss):
    """A similar image nearer than a dissimilar one, by a margin.

    "Simultaneous Feature Learning and Hash Coding with Deep Neural Networks"
    (Lai et al., CVPR 2015), on h = (1 + g) / 2 in [0, 1], where squared
    distances of bits are Hamming distances:

        mean over triplets of max(0, margin + |h_i - h_j|^2 - |h_i - h_k|^2)

    over all i, j similar and i, k dissimilar of the batch. The paper's margin
    is 1; it draws triplets beforehand. Its network is left out, so that every
    method has the same: a divide-and-encode module, which computes each bit
    from a slice of the features of its own, with a sigmoid that is cut to 0
    and 1 away from 1/2. With g = tanh(z), h is the sigmoid of 2 z.

    It returns one value a row, that of the triplets of which the row is i,
    whose mean over the batch is the loss above, in float32 under every dtype
    policy. It holds a few tensors of n^3 floats: 67 MB each at n = 256.

    Args:
        margin: Positive float.
        name: Optional name.
        reduction: As in `keras.losses.Loss`.

    Call arguments:
        y_true: Labels, as `WeightedPairwiseLoss` takes them.
        y_pred: Float `[n, K]`, g.

    Raises:
        ValueError: If an argument or a shape is none of these.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.losses import DNNHLoss
    >>> float(DNNHLoss()(np.array([0, 0, 1]), np.zeros((3, 48))))
    1.0
    """

    def __init__(
        self,
        margin: float = 1.0,
        name: str = "dnnh_loss",
        reduction: str = "sum_over_batch_size",
    ) -> None:
        super().__init__(name, reduction)
        if not 0 < margin < float("inf"):
            raise ValueError(
                "`margin` must be positive and finite."
                f" Received: margin={margin}"
            )
        self.margin = margin

    def rows(self, labels: Tensor, outputs: Tensor, present: Tensor) -> Tensor:
        h = (1.0 + outputs) / 2.0
        similar, known, _ = label_pairs(labels, overlap=False)
        counted = ops.logical_and(known, pairs_of(present))
        near = ops.cast(ops.logical_and(counted, similar), "float32")
        far = ops.cast(
            ops.logical_and(counted, ops.logical_not(similar)), "float32"
        )
        squares = ops.sum(ops.square(h), axis=1)
        distances = (
            squares[:, None]
            + squares[None, :]
            - 2.0 * ops.matmul(h, ops.transpose(h))
        )
        hinges = ops.relu(
            self.margin + distances[:, :, None] - distances[:, None, :]
        )
        rows = ops.sum(
            near * ops.squeeze(ops.matmul(hinges, far[:, :, None]), axis=2),
            axis=1,
        )
        triplets = ops.sum(ops.sum(near, axis=1) * ops.sum(far, axis=1))
        return rows * (ops.sum(present) / ops.maximum(triplets, 1.0))

    def get_config(self) -> Config:
        return {**super().get_config(), "margin": self.margin}
