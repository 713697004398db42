"""The activation that continuation sharpens towards the sign."""

import math

import keras
from keras import ops


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

    def __init__(self, beta=1.0, **kwargs):
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
        # Where `StagedBeta` waits for the loss: the lowest loss of the stage
        # and the epochs since. Kept here because every kind of checkpoint
        # saves a layer's weights and none saves a callback.
        self.plateau = self.add_weight(
            shape=(2,),
            initializer=lambda shape, dtype: ops.convert_to_tensor(
                [float("inf"), 0.0], dtype=dtype
            ),
            dtype="float32",
            trainable=False,
            name="plateau",
        )

    def call(self, inputs):
        # Keras casts floats alone: beta cast to the dtype of integers would
        # lose its fraction.
        z = ops.cast(inputs, self.compute_dtype)
        return ops.tanh(ops.cast(self.beta, z.dtype) * z)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "beta": self.initial_beta}
