import keras
import numpy as np
import pytest
from keras import ops

from hashnet_tf.layers import LocalResponseNormalization

ALEXNET = {"size": 5, "scale": 5e-4, "power": 0.75, "offset": 2.0}


def images(*shape, scale=1.0):
    rng = np.random.default_rng(0)
    return (scale * rng.normal(size=shape)).astype("float32")


def by_loop(a, size=5, scale=1e-4, power=0.75, offset=1.0):
    a = np.asarray(a, "float64")
    b = np.empty_like(a)
    for c in range(a.shape[-1]):
        total = 0.0
        for j in range(c - size // 2, c + size // 2 + 1):
            if 0 <= j < a.shape[-1]:
                total = total + a[..., j] ** 2
        b[..., c] = a[..., c] / (offset + scale / size * total) ** power
    return b


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [{}, ALEXNET])
def test_layer(run_layer_check, arguments):
    inputs = images(2, 3, 4, 6, scale=30.0)
    run_layer_check(LocalResponseNormalization, arguments, inputs, inputs.shape)


@pytest.mark.parametrize("channels", [1, 3, 8])
@pytest.mark.parametrize(
    "arguments",
    [{}, ALEXNET, {"size": 1, "scale": 1.0}, {"size": 9, "scale": 0.5}],
)
def test_against_a_loop(channels, arguments):
    inputs = images(2, 3, 4, channels, scale=20.0)
    np.testing.assert_allclose(
        LocalResponseNormalization(**arguments)(inputs),
        by_loop(inputs, **arguments),
        rtol=2e-6,
    )


def test_one_channel_by_hand():
    layer = LocalResponseNormalization(size=3, scale=3.0, power=1.0, offset=2.0)
    # 2 / (2 + 2^2 + 1^2), 1 / (2 + 2^2 + 1^2 + 3^2), 3 / (2 + 1^2 + 3^2)
    np.testing.assert_allclose(
        layer(np.float32([[[[2, 1, 3]]]])),
        [[[[2 / 7, 1 / 16, 3 / 12]]]],
        rtol=1e-6,
    )


@pytest.mark.parametrize(
    "policy, bits", [("mixed_float16", 11), ("mixed_bfloat16", 8)]
)
@pytest.mark.parametrize("scale", [20.0, 2000.0])
def test_half_precision_neither_overflows_nor_loses_the_sum(
    policy, bits, scale
):
    layer = LocalResponseNormalization(dtype=policy)
    inputs = ops.cast(images(2, 3, 4, 8, scale=scale), layer.compute_dtype)
    outputs = layer(inputs)
    assert keras.backend.standardize_dtype(outputs.dtype) == layer.compute_dtype
    np.testing.assert_allclose(
        ops.convert_to_numpy(ops.cast(outputs, "float32")),
        by_loop(ops.convert_to_numpy(ops.cast(inputs, "float32"))),
        # The rounding of the result is all that is lost.
        rtol=1.01 * 2.0**-bits,
    )


@pytest.mark.parametrize("size", [0, -1, 2, 4])
def test_refuses(size):
    with pytest.raises(ValueError, match=f"Received: size={size}"):
        LocalResponseNormalization(size=size)
