"""CSQ: each bit to the bit of the image's hash centre."""

import typing

import keras
import numpy as np
import numpy.typing as npt

from hashnet_tf._types import Config, Tensor, ops
from hashnet_tf.losses._checks import check_quantization, check_signs
from hashnet_tf.losses.centers import hash_centers
from hashnet_tf.losses.class_loss import ClassLoss, class_count


@keras.saving.register_keras_serializable(package="hashnet_tf")
class CSQLoss(ClassLoss):
    """Cross-entropy of the bits with those of a centre given to each class.

    "Central Similarity Quantization for Efficient Image and Video Retrieval"
    (Yuan et al., CVPR 2020), with h = (1 + tanh(z)) / 2 and the bits c_ik in
    {0, 1} of the centre of image i:

        mean over images and bits of
            -(c_ik log h_ik + (1 - c_ik) log(1 - h_ik))
        + quantization * mean over images and bits of (|tanh(z_ik)| - 1)^2

    The centre of an image of several classes takes the bit that most of their
    centres have; where as many have the other, that of one code drawn by the
    seed, the same for all images. From z, h needs no clipping: it is the
    sigmoid of 2 z.

    The second term and its 0.05 are those of the authors' code
    (yuanli2333/Hadamard-Matrix-for-hashing); the paper has the
    log cosh of DHN there. That code adds 0.2 of a loss over pairs, which is
    not in the paper and is left out. Port swuxyj/DeepHash-pytorch takes 1e-4.

    Args:
        centers: `[C, K]` of -1 and +1, as `hash_centers` gives.
        quantization: Float >= 0.
        seed: Int, of the code that breaks ties.
        name: Optional name.
        reduction: As in `keras.losses.Loss`.

    Call arguments:
        y_true: As `ClassLoss` takes them.
        y_pred: Float `[n, K]`, z; `hashnet_tf.models.LogitsModel` gives it.

    Raises:
        ValueError: If an argument or a shape is none of these.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.losses import CSQLoss, hash_centers
    >>> loss = CSQLoss(hash_centers(classes=10, bits=16))
    >>> round(float(loss(np.array([0, 3, 9]), np.zeros((3, 16)))), 4)
    0.7431
    """

    def __init__(
        self,
        centers: npt.ArrayLike,
        quantization: float = 0.05,
        seed: int = 0,
        name: str = "csq_loss",
        reduction: str = "sum_over_batch_size",
    ) -> None:
        centers = check_signs(centers, "centers")
        classes, width = centers.shape
        super().__init__(classes, width, name, reduction)
        self.centers = centers
        self.quantization = check_quantization(quantization)
        self.seed = seed
        rng = np.random.default_rng(seed)
        self._ties = rng.choice([-1.0, 1.0], centers.shape[1])

    @classmethod
    def for_labels(
        cls,
        labels: npt.ArrayLike,
        bits: int,
        seed: int = 0,
        **arguments: typing.Any,
    ) -> "CSQLoss":
        """Returns the loss with `hash_centers` of the classes."""
        centers = hash_centers(class_count(labels), bits, seed)
        return cls(centers, seed=seed, **arguments)

    def images(self, membership: Tensor, outputs: Tensor) -> Tensor:
        votes = ops.matmul(membership, ops.cast(self.centers, "float32"))
        votes = ops.where(
            ops.equal(votes, 0), ops.cast(self._ties, "float32"), votes
        )
        logits = 2.0 * outputs
        # Softplus of the wrong direction is -log of the sigmoid of the right.
        center = ops.mean(
            ops.softplus(ops.where(ops.greater(votes, 0), -logits, logits)),
            axis=1,
        )
        off = ops.mean(ops.square(ops.abs(ops.tanh(outputs)) - 1.0), axis=1)
        return center + self.quantization * off

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "centers": self.centers.tolist(),
            "quantization": self.quantization,
            "seed": self.seed,
        }
