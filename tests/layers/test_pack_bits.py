import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from hashnet_tf.layers import PackBits
from hashnet_tf.retrieval import pack

LENGTHS = [1, 7, 8, 12, 48, 64]


def values(*shape):
    z = np.random.default_rng(shape).normal(size=shape).astype("float32")
    z[0] = 0.0
    z[1] = -0.0
    return z


@pytest.mark.parametrize("bits", [8, 12])
def test_layer(run_layer_check, bits):
    run_layer_check(
        PackBits,
        {},
        values(4, bits),
        (4, -(-bits // 8)),
        dtype="uint8",
        differentiable=False,
    )


@pytest.mark.parametrize("bits", LENGTHS)
def test_is_packbits(bits):
    z = values(9, bits)
    codes = ops.convert_to_numpy(PackBits()(z))
    assert codes.dtype == np.uint8
    np.testing.assert_array_equal(codes, np.packbits(z >= 0, axis=1))
    np.testing.assert_array_equal(codes, pack(z))


@pytest.mark.parametrize("bits", LENGTHS)
@pytest.mark.parametrize("leading", [1, 2])
def test_in_a_graph_of_unknown_batch(bits, leading):
    layer = PackBits()
    traces = []

    @tf.function(
        input_signature=[tf.TensorSpec([None] * leading + [bits], tf.float32)]
    )
    def packed(z):
        traces.append(z.shape)
        return layer(z)

    for n in (1, 2, 5):
        z = np.random.default_rng(n).normal(size=(n, 3, bits)[-leading - 1 :])
        np.testing.assert_array_equal(
            packed(z.astype("float32")), np.packbits(z >= 0, axis=-1)
        )
    assert len(traces) == 1
    assert packed(tf.zeros([0] * leading + [bits])).shape[-1] == -(-bits // 8)


def test_in_a_functional_model():
    inputs = keras.Input((None, 12))
    model = keras.Model(inputs, PackBits()(inputs))
    z = values(2, 5, 12)
    np.testing.assert_array_equal(
        model.predict_on_batch(z), np.packbits(z >= 0, axis=-1)
    )


def test_without_a_batch():
    assert ops.convert_to_numpy(
        PackBits()(np.float32([-1, 1, -1]))
    ).tolist() == [64]


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_nan_and_what_half_precision_would_round_to_zero(policy):
    z = np.float32([[np.nan, -1e-30, 1e-30, -np.inf, np.inf, -0.0, -1, 1]])
    codes = ops.convert_to_numpy(PackBits(dtype=policy)(z))
    assert codes.tolist() == [[0b00101101]]


@pytest.mark.parametrize("dtype", ["float64", "float16", "int32", "int8"])
def test_takes_other_dtypes_as_they_come(dtype):
    codes = PackBits()(np.array([[-2, 0, 3]]).astype(dtype))
    assert ops.convert_to_numpy(codes).tolist() == [[0b01100000]]


@pytest.mark.parametrize("shape", [(), (2, 0)])
def test_refuses(shape):
    with pytest.raises(ValueError, match=r"Received: inputs.shape=\("):
        PackBits()(np.zeros(shape, "float32"))


def test_refuses_an_unknown_number_of_bits():
    with pytest.raises(
        ValueError, match=r"Received: inputs.shape=\(None, None\)"
    ):
        PackBits()(keras.Input((None,)))
