"""A name for what a model has learnt."""

import hashlib

import keras
import numpy as np


def weights_digest(model):
    """Returns a hex digest of the values of a model's weights, in order.

    The framing of a `HashNet` counts as learnt too, if it is not the default:
    with another one the same image has other bits.

    Example:

    >>> import hashnet_tf as hn
    >>> net = hn.models.backbone("small_cnn", (16, 16, 3))
    >>> len(hn.models.weights_digest(net))
    64
    """
    digest = hashlib.sha256()
    for weight in model.weights:
        value = keras.ops.convert_to_numpy(weight.value)
        digest.update(f"{value.shape} {value.dtype}\n".encode())
        digest.update(np.ascontiguousarray(value))
    framing = getattr(model, "framing", "whole")
    if framing != "whole":
        digest.update(framing.encode())
    return digest.hexdigest()
