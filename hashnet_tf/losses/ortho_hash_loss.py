"""OrthoHash: one loss on the angle to a binary code."""

import typing

import keras
import numpy.typing as npt

from hashnet_tf._types import Config, Tensor, ops
from hashnet_tf.losses._checks import check_signs
from hashnet_tf.losses.centers import hash_centers
from hashnet_tf.losses.class_loss import (
    ClassLoss,
    class_count,
    shared_cross_entropy,
)

# A z of zeros has no direction; below this length its cosines tend to 0.
SMALLEST_SQUARE = 1e-12


@keras.saving.register_keras_serializable(package="hashnet_tf")
class OrthoHashLoss(ClassLoss):
    """Cross-entropy of the cosines to the centres of the classes.

    "One Loss for All: Deep Hashing with a Single Cosine Similarity based
    Learning Objective" (Hoe et al., NeurIPS 2021), with the binary centre o_c
    of class c and y_ic = 1 where image i has it:

        logits_ic = scale * (cos(z_i, o_c) - margin * y_ic)
        mean over images of cross-entropy(logits_i, y_i / sum_c y_ic)

    A large cosine to a binary code is a small quantisation error, so there is
    no term for it. Scale 8 and margin 0.2 are those of the authors' code
    (kamwoh/orthohash).

    Two things differ from that code: z there leaves a batch normalisation
    without a bias before it, which balances the bits, and here the hash layer
    of HashNet with its bias; and it draws the centres by fair coins, where
    `hash_centers` takes the rows of a Hadamard matrix if it can.

    Args:
        centers: `[C, K]` of -1 and +1, as `hash_centers` gives.
        margin: Float in [0, 2), by which the cosine must be better.
        scale: Positive float.
        name: Optional name.
        reduction: As in `keras.losses.Loss`.

    Call arguments:
        y_true: As `ClassLoss` takes them.
        y_pred: Float `[n, K]`, z; `hashnet_tf.models.LogitsModel` gives it.

    Raises:
        ValueError: If an argument or a shape is none of these.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.losses import OrthoHashLoss, hash_centers
    >>> centers = hash_centers(classes=4, bits=16)
    >>> round(float(OrthoHashLoss(centers)(np.arange(4), centers)), 4)
    0.005
    """

    def __init__(
        self,
        centers: npt.ArrayLike,
        margin: float = 0.2,
        scale: float = 8.0,
        name: str = "ortho_hash_loss",
        reduction: str = "sum_over_batch_size",
    ) -> None:
        centers = check_signs(centers, "centers")
        classes, width = centers.shape
        super().__init__(classes, width, name, reduction)
        if not 0 <= margin < 2:
            raise ValueError(
                "`margin` must be at least 0 and below 2, as cosines are at"
                f" most 2 apart. Received: margin={margin}"
            )
        if not 0 < scale < float("inf"):
            raise ValueError(
                f"`scale` must be positive and finite. Received: scale={scale}"
            )
        self.centers = centers
        self.margin = margin
        self.scale = scale

    @classmethod
    def for_labels(
        cls,
        labels: npt.ArrayLike,
        bits: int,
        seed: int = 0,
        **arguments: typing.Any,
    ) -> "OrthoHashLoss":
        """Returns the loss with `hash_centers` of the classes."""
        centers = hash_centers(class_count(labels), bits, seed)
        return cls(centers, **arguments)

    def images(self, membership: Tensor, outputs: Tensor) -> Tensor:
        squares = ops.sum(ops.square(outputs), axis=1, keepdims=True)
        directions = outputs * ops.rsqrt(ops.maximum(squares, SMALLEST_SQUARE))
        centers = ops.cast(self.centers, "float32") / self.width**0.5
        cosines = ops.matmul(directions, ops.transpose(centers))
        logits = self.scale * (cosines - self.margin * membership)
        return shared_cross_entropy(logits, membership)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "centers": self.centers.tolist(),
            "margin": self.margin,
            "scale": self.scale,
        }
