"""What losses of HashNet share: a likelihood of pairs, and their weights."""

from hashnet_tf._types import Config
from hashnet_tf.losses._pairs import ClassWeights, check_class_weights
from hashnet_tf.losses._row_loss import RowLoss
from hashnet_tf.losses.likelihoods import likelihood_of


class LikelihoodLoss(RowLoss):
    """A loss over pairs by a likelihood, weighted by their class (Eq. 2).

    Abstract: a subclass says by `rows` which pairs are compared.

    Args:
        name: As in `RowLoss`.
        reduction: As in `RowLoss`.
        alpha: As in `WeightedPairwiseLoss`, and so the others.
        class_weights: "batch", `(w1, w0)` or None.
        likelihood: "logistic" or "radius".
        radius: Positive float or None.
        power: Positive float or None.
    """

    def __init__(
        self,
        name: str,
        reduction: str,
        alpha: float | None,
        class_weights: ClassWeights,
        likelihood: str,
        radius: float | None,
        power: float | None,
    ) -> None:
        super().__init__(name, reduction)
        self._likelihood = likelihood_of(likelihood, alpha, radius, power)
        self.alpha = alpha
        self.class_weights = check_class_weights(class_weights)
        self.likelihood = likelihood
        self.radius = radius
        self.power = power

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "alpha": self.alpha,
            "class_weights": self.class_weights,
            "likelihood": self.likelihood,
            "radius": self.radius,
            "power": self.power,
        }
