import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from hashnet_tf.layers import PackBits, Sign
from hashnet_tf.layers.sign import nonnegative
from hashnet_tf.retrieval import pack

# The last two are the normal numbers next to zero.
SUBNORMAL = np.float32([-1e-45, -1e-40, -1.17e-38, 1e-45, -2e-38, -(2**-126)])
BITS = [True, True, True, True, False, False]


@pytest.mark.parametrize("wrap", [lambda f: f, tf.function])
@pytest.mark.parametrize("jit", [False, True])
def test_a_subnormal_counts_as_zero(wrap, jit):
    function = tf.function(nonnegative, jit_compile=jit) if jit else nonnegative
    assert wrap(function)(tf.constant(SUBNORMAL)).numpy().tolist() == BITS


def test_bfloat16_has_float32s_range():
    z = tf.constant([-1e-40, -2e-38, 0.0, np.nan], tf.bfloat16)
    found = ops.convert_to_numpy(nonnegative(z)).tolist()
    assert found == [True, False, True, False]


def test_the_smallest_half_is_no_zero():
    # A subnormal one, and yet a normal number to the processor.
    z = tf.constant([-6e-8, 6e-8, -0.0], tf.float16)
    assert nonnegative(z).numpy().tolist() == [False, True, True]


def test_layers_and_numpy_agree():
    z = SUBNORMAL[None]
    code = np.packbits([BITS], axis=1)
    np.testing.assert_array_equal(PackBits()(z), code)
    np.testing.assert_array_equal(pack(z), code)
    np.testing.assert_array_equal(Sign()(z)[0] > 0, BITS)
