"""The weight of the term that draws real codes to -1 and 1."""


def check_quantization(quantization):
    """Returns the weight of a quantisation term, checked.

    Args:
        quantization: Float, at least 0 and finite.

    Raises:
        ValueError: If it is not.

    Example:

    >>> from hashnet_tf.baselines.deep.quantization import check_quantization
    >>> check_quantization(0.1)
    0.1
    """
    if not 0 <= quantization < float("inf"):
        raise ValueError(
            "`quantization` must be finite and not negative."
            f" Received: quantization={quantization}"
        )
    return quantization
