"""What a network is at a moment: its layers and the values of its weights."""

import hashlib
import typing

import keras
import numpy as np

from hashnet_tf._types import ops
from hashnet_tf.layers.scaled_tanh import ScaledTanh

# A second weight that `ScaledTanh` had in version 0.1, as it came.
_PLATEAU = np.array([np.inf, 0.0], np.float32)


def weights_digest(model: keras.Model) -> str:
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
    betas = {
        id(layer.beta)
        for layer in model._flatten_layers()
        if isinstance(layer, ScaledTanh)
    }
    for weight in model.weights:
        values = [ops.convert_to_numpy(weight.value)]
        if id(weight) in betas:
            # So that codes made by version 0.1 are still those of their model.
            values.append(_PLATEAU)
        for value in values:
            digest.update(f"{value.shape} {value.dtype}\n".encode())
            digest.update(np.ascontiguousarray(value).data)
    framing = getattr(model, "framing", "whole")
    if framing != "whole":
        digest.update(framing.encode())
    return digest.hexdigest()


def network_state(*models: keras.layers.Layer) -> list[typing.Any]:
    """Returns what a traced function of some layers depends on.

    Args:
        *models: `keras.layers.Layer`, with all that is inside.

    Example:

    >>> import hashnet_tf as hn
    >>> from hashnet_tf.models._state import network_state, same_state
    >>> net = hn.models.backbone("small_cnn", (16, 16, 3))
    >>> same_state(network_state(net), network_state(net))
    True
    """
    found = []
    for model in models:
        for layer in model._flatten_layers():
            policy = getattr(layer, "dtype_policy", None)
            found += [layer, getattr(policy, "name", None)]
            found += [getattr(layer, "lora_enabled", None), *layer.variables]
    return found


def same_state(ones: list[typing.Any], others: list[typing.Any]) -> bool:
    """Tells whether two results of `network_state` are of one network."""
    # Variables compare by value, element by element.
    return len(ones) == len(others) and all(
        a == b if isinstance(a, str | bool) else a is b
        for a, b in zip(ones, others, strict=True)
    )
