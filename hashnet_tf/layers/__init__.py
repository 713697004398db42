"""Layers: the activation, the exact sign, the packing of bits."""

from hashnet_tf.layers.local_response_normalization import (
    LocalResponseNormalization,
)
from hashnet_tf.layers.pack_bits import PackBits
from hashnet_tf.layers.scaled_tanh import ScaledTanh
from hashnet_tf.layers.sign import Sign

__all__ = ["LocalResponseNormalization", "PackBits", "ScaledTanh", "Sign"]


def __dir__() -> list[str]:
    return __all__
