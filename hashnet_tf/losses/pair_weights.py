"""The class balance w_ij of Eq. 2, without c_ij."""

from keras import ops


def check_class_weights(class_weights):
    """Returns `class_weights` in its one stored form.

    Args:
        class_weights: "batch", None, or two non-negative finite numbers
            `(w1, w0)`, the weights of similar and of dissimilar pairs.

    Raises:
        ValueError: If it is something else.
    """
    if class_weights is None:
        return None
    similar = dissimilar = float("nan")
    if isinstance(class_weights, str):
        if class_weights == "batch":
            return class_weights
    else:
        try:
            similar, dissimilar = (float(weight) for weight in class_weights)
        except (TypeError, ValueError):
            pass
    if not (0 <= similar < float("inf") and 0 <= dissimilar < float("inf")):
        raise ValueError(
            '`class_weights` must be "batch", None or two non-negative numbers'
            " (w1, w0) for similar and dissimilar pairs."
            f" Received: class_weights={class_weights!r}"
        )
    return (similar, dissimilar)


def pair_weights(similar, counted, class_weights):
    """Returns the weight of each pair for being similar or dissimilar.

    Eq. 2 of HashNet (ICCV 2017): |S| / |S1| for similar and |S| / |S0| for
    dissimilar pairs, counted in the batch ("batch"), given (`(w1, w0)`), or 1.

    Args:
        similar: Boolean tensor of any shape, s_ij.
        counted: Boolean tensor of that shape: False for i = j and for pairs
            whose similarity is not known.
        class_weights: As `check_class_weights` returns it.

    Returns:
        Float32 tensor of that shape, 0 where a pair is not counted. A batch
        without similar, or without dissimilar, pairs has no such weights
        and stays finite.
    """
    ones = ops.cast(ops.logical_and(counted, similar), "float32")
    zeros = ops.cast(
        ops.logical_and(counted, ops.logical_not(similar)), "float32"
    )
    if class_weights is None:
        return ones + zeros
    if class_weights == "batch":
        n_ones, n_zeros = ops.sum(ones), ops.sum(zeros)
        weight_ones = (n_ones + n_zeros) / ops.maximum(n_ones, 1.0)
        weight_zeros = (n_ones + n_zeros) / ops.maximum(n_zeros, 1.0)
    else:
        weight_ones, weight_zeros = class_weights
    return weight_ones * ones + weight_zeros * zeros
