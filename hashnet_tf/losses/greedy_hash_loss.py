"""GreedyHash: classification through the sign."""

import typing

import keras
import numpy.typing as npt

from hashnet_tf._types import Config, Tensor, ops
from hashnet_tf.losses._checks import check_quantization
from hashnet_tf.losses.class_loss import (
    ClassLoss,
    class_count,
    shared_cross_entropy,
)


@keras.saving.register_keras_serializable(package="hashnet_tf")
class GreedyHashLoss(ClassLoss):
    """Cross-entropy of a classifier on the signs, and z drawn to them.

    "Greedy Hash: Towards Fast Optimization for Accurate Hash Coding in CNN"
    (Su et al., NeurIPS 2018), with the logits of a linear classifier that sees
    h = sgn(z), whose gradient by h is handed on to z:

        mean over images of cross-entropy(logits, class)
        + quantization * mean over images and bits of | |z_ik| - 1 |^3

    The authors' code (ssppp/GreedyHash) does the same, with alpha 0.1 on
    CIFAR-10 and 1 on ImageNet. It knows images of one class; one of several
    shares its target among them here. Its sign of 0 is 0, here +1.

    Args:
        classes: Int C.
        bits: Int K.
        quantization: Float >= 0, alpha.
        name: Optional name.
        reduction: As in `keras.losses.Loss`.

    Call arguments:
        y_true: As `ClassLoss` takes them.
        y_pred: Float `[n, C + K]`, the logits and behind them z;
            `hashnet_tf.models.ClassifiedModel` gives it.

    Raises:
        ValueError: If an argument or a shape is none of these.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.losses import GreedyHashLoss
    >>> loss = GreedyHashLoss(classes=4, bits=2)
    >>> round(float(loss(np.array([0, 3, 1]), np.zeros((3, 6)))), 4)
    1.4863
    """

    def __init__(
        self,
        classes: int,
        bits: int,
        quantization: float = 0.1,
        name: str = "greedy_hash_loss",
        reduction: str = "sum_over_batch_size",
    ) -> None:
        if not (classes > 0 and bits > 0):
            raise ValueError(
                "`classes` and `bits` must be positive."
                f" Received: classes={classes}, bits={bits}"
            )
        super().__init__(classes, classes + bits, name, reduction)
        self.bits = bits
        self.quantization = check_quantization(quantization)

    @classmethod
    def for_labels(
        cls,
        labels: npt.ArrayLike,
        bits: int,
        seed: int = 0,
        **arguments: typing.Any,
    ) -> "GreedyHashLoss":
        """Returns the loss over the classes that the labels speak of."""
        return cls(class_count(labels), bits, **arguments)

    def images(self, membership: Tensor, outputs: Tensor) -> Tensor:
        logits, z = outputs[:, : self.classes], outputs[:, self.classes :]
        distances = ops.abs(ops.abs(z) - 1.0)
        off = ops.mean(distances * distances * distances, axis=1)
        return (
            shared_cross_entropy(logits, membership) + self.quantization * off
        )

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "classes": self.classes,
            "bits": self.bits,
            "quantization": self.quantization,
        }
