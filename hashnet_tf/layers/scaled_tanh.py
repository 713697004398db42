"""The activation that continuation sharpens towards the sign."""

import collections.abc
import math
import typing

import keras

from hashnet_tf._types import Config, Tensor, ops


@keras.saving.register_keras_serializable(package="hashnet_tf")
class ScaledTanh(keras.layers.Layer):
    """Scaled hyperbolic tangent, `g = tanh(beta * z)`.

    As beta grows, tanh(beta z) tends to sgn(z) (Eq. 6 of "Deep Learning to
    Hash by Continuation", Cao et al., ICCV 2017). Beta is a scalar float32
    weight that no optimizer touches: it is saved and restored with the model
    and raised by `hashnet_tf.callbacks.Continuation`.

    Args:
        beta: Positive finite float, the value beta starts from.
        **kwargs: Arguments of `keras.layers.Layer`.

    Input: real tensor of any shape; integers are cast to the layer's compute
    dtype before beta scales them.
    Output: the same shape in the compute dtype, in [-1, 1].

    Raises:
        ValueError: If `beta` is not positive and finite.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.layers import ScaledTanh
    >>> layer = ScaledTanh(beta=2.0)
    >>> np.round(layer(np.array([[-0.5, 0.0, 0.5]])), 4).tolist()
    [[-0.7616000175476074, 0.0, 0.7616000175476074]]
    """

    def __init__(self, beta: float = 1.0, **kwargs: typing.Any) -> None:
        super().__init__(**kwargs)
        if not (math.isfinite(beta) and beta > 0):
            raise ValueError(
                "`beta` must be a positive finite number."
                f" Received: beta={beta}"
            )
        self.initial_beta = float(beta)
        # Under a half-precision policy the weight stays float32 and is cast
        # where it is used, so that small steps of the schedule are not lost.
        self.beta = self.add_weight(
            shape=(),
            initializer=keras.initializers.Constant(self.initial_beta),
            dtype="float32",
            trainable=False,
            name="beta",
        )

    def load_own_variables(
        self, store: collections.abc.Mapping[str, typing.Any]
    ) -> None:
        # Files of version 0.1 hold a second weight, the two numbers by which
        # `StagedBeta` waited for the loss.
        if list(store.keys()) == ["0", "1"]:
            store = {"0": store["0"]}
        super().load_own_variables(store)

    def call(self, inputs: Tensor) -> Tensor:
        # Keras casts floats alone: beta cast to the dtype of integers would
        # lose its fraction.
        z = ops.cast(inputs, self.compute_dtype)
        return ops.tanh(ops.cast(self.beta, z.dtype) * z)

    def compute_output_shape(
        self, input_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> Config:
        return {**super().get_config(), "beta": self.initial_beta}
