"""The likelihood of a pair's similarity, Eq. 3 and 4."""

from hashnet_tf._types import Tensor, ops

# Of 16 to 64 bits on two data sets, the best on validation lay from 3 to 6.
LOGIT = 5.0


def check_alpha(alpha: float | None) -> None:
    """Raises a ValueError unless `alpha` is None or a positive number."""
    if alpha is not None and not alpha > 0:
        raise ValueError(
            f"`alpha` must be positive, or None for {LOGIT:g} / bits."
            f" Received: alpha={alpha}"
        )


def slope(alpha: float | None, bits: int) -> float:
    """Returns alpha of Eq. 3 of HashNet (ICCV 2017).

    The paper asks for alpha < 1; the released code takes 10 / K. alpha K is
    the logit of a pair at distance 0. At 10, a pair at a distance of K / 4 is
    all but surely similar and comes no nearer, and few lie within radius 2;
    from 3 down, the ranking of CIFAR-10's classes was seen to fall.

    Args:
        alpha: Positive float, or None for 5 / K.
        bits: Int, K.

    Example:

    >>> from hashnet_tf.losses._likelihoods import slope
    >>> slope(None, 50), slope(0.25, 50)
    (0.1, 0.25)
    """
    return LOGIT / bits if alpha is None else alpha


def pair_negative_log_likelihood(
    inner_products: Tensor, similar: Tensor, alpha: float
) -> Tensor:
    """Returns `log(1 + exp(alpha <g_i, g_j>)) - alpha s_ij <g_i, g_j>`.

    This is -log P(s_ij | g_i, g_j) of Eq. 3 of HashNet (ICCV 2017) and the
    term that Eq. 4 weights and sums. As s_ij is 0 or 1 it equals
    softplus of -alpha <g_i, g_j> for similar and of alpha <g_i, g_j> for
    dissimilar pairs, which neither overflows nor cancels.

    Args:
        inner_products: Float tensor of any shape, `<g_i, g_j>`.
        similar: Boolean tensor of that shape, s_ij.
        alpha: Positive float, the slope of the sigmoid.

    Returns:
        Non-negative float tensor of that shape.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.losses import pair_negative_log_likelihood
    >>> products, similar = np.float32([0.0, 900.0]), np.array([True, True])
    >>> losses = pair_negative_log_likelihood(products, similar, alpha=1.0)
    >>> np.round(np.asarray(losses), 4).tolist()
    [0.6930999755859375, 0.0]
    """
    theta = alpha * inner_products
    return ops.softplus(ops.where(similar, -theta, theta))
