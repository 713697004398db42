"""Eight bits a byte, in the graph."""

import typing

import keras

from hashnet_tf._types import Tensor, ops
from hashnet_tf.layers.sign import nonnegative


@keras.saving.register_keras_serializable(package="hashnet_tf")
class PackBits(keras.layers.Layer):
    """Packs the signs of real values into bytes, as `numpy.packbits` does.

    Bit k is 1 iff `z_k >= 0`, where a subnormal value counts as 0; the first
    value is the most significant bit of the first byte and the last byte is
    filled up with zeros.

    Input: real tensor `[..., K]`, K >= 1 and known.
    Output: uint8 tensor `[..., ceil(K / 8)]`.

    Raises:
        ValueError: If the last dimension is unknown or empty.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.layers import PackBits
    >>> z = np.array([[1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, 0.0, 5.0]])
    >>> np.asarray(PackBits()(z)).tolist()
    [[129, 128]]
    """

    def __init__(self, **kwargs: typing.Any) -> None:
        kwargs.pop("autocast", None)
        super().__init__(autocast=False, **kwargs)

    def call(self, inputs: Tensor) -> Tensor:
        bits = _known_bits(inputs.shape)
        width = -(-bits // 8)
        # In integers throughout: a full-int8 LiteRT graph re-quantises a sum
        # of floats by its calibration and gets bits wrong.
        ones = ops.cast(nonnegative(inputs), "int32")
        leading = ops.shape(inputs)[:-1]
        if padding := 8 * width - bits:
            ones = ops.pad(ones, [(0, 0)] * len(leading) + [(0, padding)])
        ones = ops.reshape(ones, (*leading, width, 8))
        places = ops.convert_to_tensor(
            [128, 64, 32, 16, 8, 4, 2, 1], dtype="int32"
        )
        return ops.cast(ops.sum(ones * places, axis=-1), "uint8")

    def compute_output_spec(self, inputs: Tensor) -> keras.KerasTensor:
        width = -(-_known_bits(inputs.shape) // 8)
        return keras.KerasTensor((*inputs.shape[:-1], width), dtype="uint8")


def _known_bits(shape: tuple) -> int:
    if len(shape) == 0 or not shape[-1]:
        raise ValueError(
            "`PackBits` needs a last dimension that is known and not empty."
            f" Received: inputs.shape={tuple(shape)}"
        )
    return shape[-1]
