"""The slope of the sigmoid, by the length of the codes."""

# Of 16 to 64 bits on two data sets, the best on validation lay from 3 to 6.
LOGIT = 5.0


def check_alpha(alpha):
    """Raises a ValueError unless `alpha` is None or a positive number."""
    if alpha is not None and not alpha > 0:
        raise ValueError(
            f"`alpha` must be positive, or None for {LOGIT:g} / bits."
            f" Received: alpha={alpha}"
        )


def slope(alpha, bits):
    """Returns alpha of Eq. 3 of HashNet (ICCV 2017).

    The paper asks for alpha < 1; the released code takes 10 / K. alpha K is
    the logit of a pair at distance 0. At 10, a pair at a distance of K / 4 is
    all but surely similar and comes no nearer, and few lie within radius 2;
    from 3 down, the ranking of CIFAR-10's classes was seen to fall.

    Args:
        alpha: Positive float, or None for 5 / K.
        bits: Int, K.

    Example:

    >>> from hashnet_tf.losses.slope import slope
    >>> slope(None, 50), slope(0.25, 50)
    (0.1, 0.25)
    """
    return LOGIT / bits if alpha is None else alpha
