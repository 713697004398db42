import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from hashnet_tf.layers import Sign


def test_layer(run_layer_check):
    inputs = np.random.default_rng(0).normal(size=(4, 6)).astype("float32")
    run_layer_check(Sign, {}, inputs, (4, 6), differentiable=False)


EDGES = np.float32([-np.inf, -3, -2e-38, -0.0, 0.0, 2e-38, np.inf, np.nan])
SIGNS = [-1, -1, -1, 1, 1, 1, 1, -1]


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(
    "policy", ["float32", "mixed_float16", "mixed_bfloat16"]
)
def test_every_value_has_a_sign(policy, compiled):
    # Under a policy of half precision too: -2e-38 is 0 in float16.
    layer = Sign(dtype=policy)
    call = tf.function(layer) if compiled else layer
    signs = call(tf.constant(EDGES))
    assert signs.dtype == layer.compute_dtype
    assert ops.convert_to_numpy(ops.cast(signs, "int32")).tolist() == SIGNS


@pytest.mark.parametrize("dtype", ["float64", "float16", "int32", "int8"])
def test_takes_other_dtypes_as_they_come(dtype):
    signs = Sign()(np.array([-2, 0, 3]).astype(dtype))
    assert signs.dtype == "float32"
    assert ops.convert_to_numpy(signs).tolist() == [-1, 1, 1]


def test_double_precision_keeps_its_sign():
    # 0 as float32.
    z = np.array([-1e-300, 1e-300])
    assert ops.convert_to_numpy(Sign()(z)).tolist() == [-1, 1]
