import keras
import numpy as np
import pytest
from keras import ops

from hashnet_tf.layers import ScaledTanh


def values(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.parametrize(
    "arguments, shape", [({}, (4, 6)), ({"beta": 2.5}, (2, 3, 5))]
)
def test_layer(run_layer_check, arguments, shape):
    run_layer_check(
        ScaledTanh,
        arguments,
        values(*shape),
        shape,
        weights=["beta"],
    )


@pytest.mark.parametrize("beta", [0.5, 1.0, 7.071, 1000.0])
def test_equation(beta):
    z = values(5, 12)
    g = ops.convert_to_numpy(ScaledTanh(beta)(z))
    np.testing.assert_allclose(
        g, np.tanh(np.float64(np.float32(beta)) * z), rtol=2e-6, atol=1e-7
    )
    assert np.abs(g).max() <= 1


def test_integers_are_scaled_by_the_whole_of_beta():
    g = ScaledTanh(0.25)(np.array([[-1, 0, 2]]))
    np.testing.assert_allclose(g, np.tanh([[-0.25, 0.0, 0.5]]), rtol=1e-6)


def test_infinite_values_are_signs():
    assert ops.convert_to_numpy(
        ScaledTanh(3.0)(np.float32([-np.inf, np.inf]))
    ).tolist() == [-1, 1]


def test_beta_is_the_weight_and_not_the_argument():
    layer = ScaledTanh(1.0)
    z = values(3, 4)
    layer.beta.assign(4.0)
    np.testing.assert_array_equal(layer(z), ScaledTanh(4.0)(z))
    # A layer made anew from the configuration starts again.
    assert layer.get_config()["beta"] == 1.0
    assert float(ScaledTanh.from_config(layer.get_config()).beta) == 1.0


def test_beta_is_a_float32_scalar_that_is_not_trained():
    for policy in ("float32", "mixed_float16", "mixed_bfloat16", "float16"):
        layer = ScaledTanh(7.071, dtype=policy)
        assert layer.beta.shape == ()
        assert layer.beta.dtype == "float32"
        assert not layer.beta.trainable
        assert layer.trainable_weights == []
        assert float(layer.beta) == np.float32(7.071)


def test_no_optimizer_moves_beta():
    inputs = keras.Input((4,))
    layer = ScaledTanh(1.5)
    model = keras.Model(inputs, layer(keras.layers.Dense(3)(inputs)))
    model.compile(keras.optimizers.SGD(1.0, weight_decay=0.1), "mse")
    model.fit(values(8, 4), np.ones((8, 3)), epochs=2, verbose=0)
    assert float(layer.beta) == 1.5


@pytest.mark.parametrize("form", ["model.keras", "model.weights.h5"])
def test_raised_beta_is_saved_and_restored(tmp_path, form):
    def build():
        inputs = keras.Input((4,))
        return keras.Model(inputs, ScaledTanh(1.0, name="tanh")(inputs))

    model = build()
    model.get_layer("tanh").beta.assign(5.568)
    if form == "model.keras":
        model.save(tmp_path / form)
        loaded = keras.saving.load_model(tmp_path / form)
    else:
        model.save_weights(tmp_path / form)
        loaded = build()
        loaded.load_weights(tmp_path / form)
    layer = loaded.get_layer("tanh")
    assert float(layer.beta) == np.float32(5.568)
    z = values(3, 4)
    np.testing.assert_array_equal(
        loaded.predict_on_batch(z), model.predict_on_batch(z)
    )


@pytest.mark.parametrize("form", ["model.keras", "model.weights.h5"])
def test_reads_the_second_weight_of_version_0_1(tmp_path, form):
    class Old(ScaledTanh):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.plateau = self.add_weight((2,), trainable=False)

    # A file names what it holds by the class.
    Old.__name__ = "ScaledTanh"

    def build(layer):
        inputs = keras.Input((4,))
        return keras.Model(inputs, layer(inputs))

    old, new = build(Old(name="tanh")), build(ScaledTanh(name="tanh"))
    old.get_layer("tanh").beta.assign(5.5)
    if form == "model.keras":
        old.save(tmp_path / form)
        custom = {"ScaledTanh": ScaledTanh}
        new = keras.saving.load_model(tmp_path / form, custom_objects=custom)
    else:
        old.save_weights(tmp_path / form)
        new.load_weights(tmp_path / form)
    assert float(new.get_layer("tanh").beta) == 5.5


@pytest.mark.parametrize(
    "policy, dtype", [("mixed_float16", "float16"), ("bfloat16", "bfloat16")]
)
def test_beta_is_cast_under_half_precision(policy, dtype):
    beta, z = 3.3166, values(5, 8)
    g = ScaledTanh(beta, dtype=policy)(z)
    assert keras.backend.standardize_dtype(g.dtype) == dtype

    def rounded(x):
        return ops.convert_to_numpy(
            ops.cast(ops.cast(x, dtype), "float32")
        ).astype("float64")

    product = rounded(np.float32(rounded(beta) * rounded(z)))
    np.testing.assert_allclose(
        ops.convert_to_numpy(ops.cast(g, "float32")),
        np.tanh(product),
        # Of one rounding of the result: 11 and 8 bits of significand.
        rtol={"float16": 2**-10, "bfloat16": 2**-7}[dtype],
    )


@pytest.mark.parametrize("beta", [0, -1.0, np.inf, np.nan])
def test_refuses(beta):
    with pytest.raises(ValueError, match=f"Received: beta={beta}"):
        ScaledTanh(beta)
