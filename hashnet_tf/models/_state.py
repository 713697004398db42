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


class NetworkState:
    """What a traced function of some layers depends on.

    Not a list: Keras would save and load the layers in it once more.

    Args:
        *models: `keras.layers.Layer`, with all that is inside.

    Example:

    >>> import hashnet_tf as hn
    >>> from hashnet_tf.models._state import NetworkState
    >>> net = hn.models.backbone("small_cnn", (16, 16, 3))
    >>> NetworkState(net).same_as(NetworkState(net))
    True
    """

    def __init__(self, *models: keras.layers.Layer):
        self._found: list[typing.Any] = []
        for model in models:
            for layer in model._flatten_layers():
                policy = getattr(layer, "dtype_policy", None)
                self._found += [layer, getattr(policy, "name", None)]
                self._found += [getattr(layer, "lora_enabled", None)]
                self._found += layer.variables

    def same_as(self, other: "NetworkState | None") -> bool:
        """Tells whether the network was the same at the other moment."""
        # Variables compare by value, element by element.
        return (
            other is not None
            and len(self._found) == len(other._found)
            and all(
                a == b if isinstance(a, str | bool) else a is b
                for a, b in zip(self._found, other._found, strict=True)
            )
        )
