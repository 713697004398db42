"""How likely a pair is similar, given the distance of its codes.

With g in [-1, 1]^K the distance of a pair is d_ij = (K - <g_i, g_j>) / 2, the
Hamming distance where g is binary. Every likelihood here is

    P(s_ij = 1 | d_ij) = 1 / (1 + exp(-theta_ij))

and they are two members of one family, in which P is 1/2 at a distance of r:

    theta = p (1 - (d / r)^q) / q

q = 1 with r = K / 2 and p = alpha K is Eq. 3 of HashNet (ICCV 2017), and q -> 0
is `RadiusLikelihood`. What counts is r: a likelihood whose middle is K / 2 is
content with a similar pair that is somewhat nearer than that, so few items lie
within two bits of a query, the fewer the longer the codes.
"""

import abc
import pkgutil
import typing

from hashnet_tf._types import Tensor, ops
from hashnet_tf.methods import LIKELIHOODS

# Of 16 to 64 bits on two data sets, the best on validation lay from 3 to 6.
LOGIT = 5.0
# In bits. The slope of theta at d = 0 is POWER / NEAR, not infinite.
NEAR = 1e-3
RADIUS = 8.0
POWER = 3.0


class Likelihood(abc.ABC):
    """P(s_ij = 1) as a falling function of the distance of two codes.

    Abstract: a subclass gives `logits`.
    """

    @abc.abstractmethod
    def logits(self, inner_products: Tensor, bits: int) -> Tensor:
        """Returns theta_ij, of which the sigmoid is P(s_ij = 1).

        Args:
            inner_products: Float tensor of any shape, `<g_i, g_j>`.
            bits: Int, K.

        Returns:
            Float tensor of that shape and dtype.
        """

    def batch_logits(
        self, inner_products: Tensor, bits: int, drawn: Tensor
    ) -> Tensor:
        """Returns theta_ij of the pairs of a batch that is trained on.

        Args:
            inner_products: As in `logits`.
            bits: Int, K.
            drawn: Boolean tensor of the shape of `inner_products`, the similar
                pairs that count.

        Returns:
            As `logits`, which it is unless a likelihood heeds the batch.
        """
        return self.logits(inner_products, bits)

    def losses(
        self,
        inner_products: Tensor,
        similar: Tensor,
        bits: int,
        counted: Tensor | None = None,
    ) -> Tensor:
        """Returns `log(1 + exp(theta_ij)) - s_ij theta_ij`.

        This is -log P(s_ij | g_i, g_j), the term that Eq. 4 of HashNet (ICCV
        2017) weights and sums. As s_ij is 0 or 1 it equals softplus of -theta
        for similar and of theta for dissimilar pairs, which neither overflows
        nor cancels.

        Args:
            inner_products: Float tensor of any shape, `<g_i, g_j>`.
            similar: Boolean tensor of that shape, s_ij.
            bits: Int, K.
            counted: Boolean tensor of that shape, the pairs of a batch that
                count: theta is that of `batch_logits`. None: of `logits`.

        Returns:
            Non-negative float tensor of that shape and dtype.
        """
        if counted is None:
            theta = self.logits(inner_products, bits)
        else:
            drawn = ops.logical_and(similar, counted)
            theta = self.batch_logits(inner_products, bits, drawn)
        return ops.softplus(ops.where(similar, -theta, theta))


@typing.final
class LogisticLikelihood(Likelihood):
    """The paper's: theta = alpha <g_i, g_j>, the middle at half of the bits.

    Eq. 3 of HashNet (ICCV 2017). It assumes nothing of the codes, not even
    that they are bounded. The paper asks for alpha < 1; the released code takes
    10 / K. alpha K is the logit of a pair at distance 0. At 10, a pair at a
    distance of K / 4 is all but surely similar and comes no nearer, and few lie
    within radius 2; from 3 down, the ranking of CIFAR-10's classes was seen to
    fall.

    Args:
        alpha: Positive float, the slope of the sigmoid, or None for 5 / K.

    Raises:
        ValueError: If `alpha` is something else.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.losses import LogisticLikelihood
    >>> products, similar = np.float32([0.0, 900.0]), np.array([True, True])
    >>> losses = LogisticLikelihood(alpha=1.0).losses(products, similar, 900)
    >>> [round(float(loss), 4) for loss in losses]
    [0.6931, 0.0]
    """

    def __init__(self, alpha: float | None = None) -> None:
        if alpha is not None and not 0 < alpha < float("inf"):
            raise ValueError(
                "`alpha` must be positive and finite, or None for"
                f" {LOGIT:g} / bits. Received: alpha={alpha}"
            )
        self.alpha = alpha

    def logits(self, inner_products: Tensor, bits: int) -> Tensor:
        alpha = LOGIT / bits if self.alpha is None else self.alpha
        return alpha * inner_products


@typing.final
class RadiusLikelihood(Likelihood):
    """The middle at a radius: P(s_ij = 1) = 1 / (1 + (d_ij / r)^p).

    So theta = -p log((d_ij + eps) / r) with eps = .001, and pairs of one class
    are drawn to within r bits of each other, whatever the length of the codes.
    The power is that of "Deep Cauchy Hashing for Hamming Space Retrieval" (Cao
    et al., CVPR 2018) where p = 1 and the codes are of one length: there P =
    r / (r + d).

    A network that begins has all pairs at K / 2. With the middle at r it would
    be paid for drawing similar pairs together and for nothing else, and may
    give one code to all. So in a batch the middle is the mean distance of its
    similar pairs, of which no gradient is taken, until that is below r:
    `batch_logits`.

    It assumes that g is bounded by -1 and 1, as tanh is: then d_ij >= 0. What
    rounding brings below 0 counts as 0.

    Args:
        radius: Positive float, r in bits, or None for the lesser of 8 and
            K / 2.
        power: Positive float, p, or None for 3.

    Raises:
        ValueError: If an argument is something else.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.losses import RadiusLikelihood
    >>> likelihood = RadiusLikelihood(radius=12.0)
    >>> products = np.float32([48.0, 24.0, -48.0])  # at 0, 12 and 48 bits
    >>> [round(float(t), 3) for t in likelihood.logits(products, 48)]
    [28.178, -0.0, -4.159]
    """

    def __init__(
        self, radius: float | None = None, power: float | None = None
    ) -> None:
        for name, value, default in (
            ("radius", radius, f"the lesser of {RADIUS:g} and bits / 2"),
            ("power", power, f"{POWER:g}"),
        ):
            if value is not None and not 0 < value < float("inf"):
                raise ValueError(
                    f"`{name}` must be positive and finite, or None for"
                    f" {default}. Received: {name}={value}"
                )
        self.radius = radius
        self.power = power

    def logits(self, inner_products: Tensor, bits: int) -> Tensor:
        return self._theta(_distances(inner_products, bits), self._middle(bits))

    def batch_logits(
        self, inner_products: Tensor, bits: int, drawn: Tensor
    ) -> Tensor:
        distances = _distances(inner_products, bits)
        # In float16 a sum over the pairs would overflow.
        weights = ops.cast(drawn, "float32")
        total = ops.sum(weights * ops.cast(distances, "float32"))
        mean = total / ops.maximum(ops.sum(weights), 1.0)
        middle = ops.stop_gradient(ops.maximum(mean, self._middle(bits)))
        return self._theta(distances, ops.cast(middle, distances.dtype))

    def _middle(self, bits: int) -> float:
        return min(RADIUS, bits / 2) if self.radius is None else self.radius

    def _theta(self, distances: Tensor, middle: float | Tensor) -> Tensor:
        power = POWER if self.power is None else self.power
        return -power * ops.log((distances + NEAR) / middle)


def _distances(inner_products: Tensor, bits: int) -> Tensor:
    distances = (bits - inner_products) / 2
    # A little below 0 by rounding. By `maximum` JAX would halve the gradient
    # at 0 itself.
    return ops.where(
        ops.less(distances, 0), ops.zeros_like(distances), distances
    )


def likelihood_of(
    likelihood: str,
    alpha: float | None = None,
    radius: float | None = None,
    power: float | None = None,
) -> Likelihood:
    """Returns the likelihood that the arguments of a loss name.

    Args:
        likelihood: "logistic" or "radius".
        alpha: As `LogisticLikelihood` takes it.
        radius: As `RadiusLikelihood` takes it.
        power: As `RadiusLikelihood` takes it.

    Raises:
        ValueError: If there is no such likelihood, or an argument is not for
            it or not as it takes it.

    Example:

    >>> from hashnet_tf.losses.likelihoods import likelihood_of
    >>> likelihood_of("radius", power=2.0).power
    2.0
    """
    given = {"alpha": alpha, "radius": radius, "power": power}
    given = {name: value for name, value in given.items() if value is not None}
    if likelihood not in LIKELIHOODS:
        raise ValueError(
            f"`likelihood` must be one of {', '.join(LIKELIHOODS)}."
            f" Received: likelihood={likelihood!r}"
        )
    chosen = LIKELIHOODS[likelihood]
    if unread := [name for name in given if name not in chosen.takes]:
        raise ValueError(
            f"`likelihood` {likelihood} takes {', '.join(chosen.takes)} and"
            f" not `{unread[0]}`. Received: likelihood={likelihood!r},"
            f" {unread[0]}={given[unread[0]]!r}"
        )
    return pkgutil.resolve_name(chosen.learner)(**given)
