"""What a bit is, on every runtime."""

import keras
from keras import ops

# The float32 and bfloat16 next to zero that no runtime takes for zero.
SMALLEST_NORMAL = 2.0**-126


def nonnegative(z):
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
    >>> from hashnet_tf.layers.nonnegative import nonnegative
    >>> z = np.float32([-1e-30, -1e-40, -0.0, 1.0, np.nan])
    >>> np.asarray(nonnegative(z)).tolist()
    [False, True, True, True, False]
    """
    if keras.backend.standardize_dtype(z.dtype) in ("float32", "bfloat16"):
        return ops.greater(z, -SMALLEST_NORMAL)
    return ops.greater_equal(z, 0)
