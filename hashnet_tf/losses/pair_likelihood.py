"""The equation: the negative log-likelihood of one pair."""

from keras import ops


def pair_negative_log_likelihood(inner_products, similar, alpha):
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
