"""The normalisation of AlexNet, which Keras does not have."""

import typing

import keras

from hashnet_tf._types import Config, Tensor, ops


@keras.saving.register_keras_serializable(package="hashnet_tf")
class LocalResponseNormalization(keras.layers.Layer):
    """Normalisation across neighbouring channels.

    `b_c = a_c / (offset + scale / size * sum of a_j^2 over the size channels
    around c) ^ power`, as in section 3.3 of "ImageNet Classification with Deep
    Convolutional Neural Networks" (Krizhevsky et al., NIPS 2012), with scale
    divided by size as Caffe does. The defaults are those of CaffeNet.

    Args:
        size: Odd int, how many channels a sum spans.
        scale: Float, alpha of the equation.
        power: Float, beta of the equation.
        offset: Float, k of the equation.
        **kwargs: Arguments of `keras.layers.Layer`.

    Input and output: float tensor `[n, height, width, channels]`. The sums
    are taken in float32 under half-precision policies too.

    Raises:
        ValueError: If `size` is not odd and positive.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.layers import LocalResponseNormalization
    >>> LocalResponseNormalization()(np.ones((1, 2, 2, 8))).shape
    TensorShape([1, 2, 2, 8])
    """

    def __init__(
        self,
        size: int = 5,
        scale: float = 1e-4,
        power: float = 0.75,
        offset: float = 1.0,
        **kwargs: typing.Any,
    ) -> None:
        super().__init__(**kwargs)
        if size < 1 or size % 2 == 0:
            raise ValueError(
                f"`size` must be odd and positive. Received: size={size}"
            )
        self.size = size
        self.scale = scale
        self.power = power
        self.offset = offset

    def call(self, inputs: Tensor) -> Tensor:
        channels = inputs.shape[-1]
        half = self.size // 2
        # The square of an activation above 255 leaves float16, and next to
        # `offset` small sums vanish in bfloat16.
        a = ops.cast(inputs, keras.backend.result_type(inputs.dtype, "float32"))
        squares = ops.pad(ops.square(a), [(0, 0)] * 3 + [(half, half)])
        total = sum(
            squares[..., shift : shift + channels] for shift in range(self.size)
        )
        base = self.offset + self.scale / self.size * total
        return ops.cast(a / ops.power(base, self.power), self.compute_dtype)

    def compute_output_shape(
        self, input_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "size": self.size,
            "scale": self.scale,
            "power": self.power,
            "offset": self.offset,
        }
