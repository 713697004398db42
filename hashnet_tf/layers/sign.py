"""The exact sign that the trained network is frozen with."""

import typing

import keras

from hashnet_tf._types import Tensor, ops

# The float32 and bfloat16 next to zero that no runtime takes for zero.
SMALLEST_NORMAL = 2.0**-126


def nonnegative(z: Tensor) -> Tensor:
    """Returns which values give bit 1: `z >= 0`, subnormal ones counted as 0.

    TensorFlow's threads and LiteRT's XNNPACK flush a subnormal to zero, the
    kernels of LiteRT itself and NumPy do not: a z of -1e-40 is 0 to some and
    negative to others. Here it is 0 to all. NaN is not >= 0.

    Args:
        z: Real tensor of any shape and dtype.

    Returns:
        Bool tensor of that shape.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.layers.sign import nonnegative
    >>> z = np.float32([-1e-30, -1e-40, -0.0, 1.0, np.nan])
    >>> np.asarray(nonnegative(z)).tolist()
    [False, True, True, True, False]
    """
    if keras.backend.standardize_dtype(z.dtype) in ("float32", "bfloat16"):
        return ops.greater(z, -SMALLEST_NORMAL)
    return ops.greater_equal(z, 0)


@keras.saving.register_keras_serializable(package="hashnet_tf")
class Sign(keras.layers.Layer):
    """Sign with `sgn(0) = +1`, the `h = sgn(z)` of Eq. 5 of HashNet.

    `keras.ops.sign` gives 0 at 0, which is not a bit; quantised networks meet
    exact zeros often. Negative zero counts as zero and so do subnormal values,
    which some runtimes flush to it; NaN counts as negative.

    Input: real tensor `[..., K]` of any real dtype, taken as it comes: a cast
    to half precision would round small negative values to zero.
    Output: the same shape in the layer's compute dtype, each -1 or +1.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.layers import Sign
    >>> np.asarray(Sign()(np.array([[-2.0, -0.0, 3.0]]))).tolist()
    [[-1.0, 1.0, 1.0]]
    """

    def __init__(self, **kwargs: typing.Any) -> None:
        kwargs.pop("autocast", None)
        super().__init__(autocast=False, **kwargs)

    def call(self, inputs: Tensor) -> Tensor:
        positive = ops.cast(nonnegative(inputs), self.compute_dtype)
        return 2 * positive - 1

    def compute_output_spec(self, inputs: Tensor) -> keras.KerasTensor:
        return keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)
