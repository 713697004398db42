"""A name for what a model has learnt."""

import hashlib

import keras
import numpy as np


def weights_digest(model):
    """Returns a hex digest of the values of a model's weights, in order.

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
    return digest.hexdigest()
