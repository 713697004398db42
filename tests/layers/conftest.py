import inspect

import keras
import numpy as np
import pytest

HALF = ["mixed_float16", "mixed_bfloat16"]


def model_with(layer, shape, differentiable):
    """Returns a small network that ends in a scalar, with `layer` inside."""
    inputs = keras.Input(shape)
    x = inputs
    if differentiable:
        x = keras.layers.Dense(shape[-1], name="below")(x)
    x = layer(x)
    x = keras.layers.Rescaling(1.0)(x)
    x = keras.layers.Flatten()(x)
    outputs = keras.layers.Dense(1, name="above")(x)
    return keras.Model(inputs, outputs)


def fit_one_step(model, inputs, **arguments):
    """Trains once; every trainable weight must have moved and be finite."""
    before = [weight.numpy() for weight in model.trainable_weights]
    model.compile("sgd", "mse", **arguments)
    model.fit(inputs, np.ones((len(inputs), 1)), verbose=0)
    for old, weight in zip(before, model.trainable_weights, strict=True):
        new = weight.numpy()
        assert np.isfinite(new).all(), weight.path
        assert (new != old).any(), weight.path


def check(
    layer_class, arguments, inputs, shape, dtype, differentiable, weights, path
):
    layer = layer_class(**arguments, name="checked")

    # Every argument comes back under its own name and makes the same layer.
    config = layer.get_config()
    own = set(inspect.signature(layer_class).parameters) - {"kwargs"}
    assert own <= set(config)
    assert {name: config[name] for name in arguments} == arguments
    twin = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(layer)
    )
    assert type(twin) is layer_class
    assert twin.get_config() == config

    # Built and called on numbers and on symbols, it says the same of itself.
    twin.build(inputs.shape)
    assert twin.built
    assert [weight.name for weight in twin.weights] == weights
    assert twin.trainable_weights == []
    symbol = twin(keras.KerasTensor((None, *inputs.shape[1:])))
    assert symbol.shape == (None, *shape[1:])
    assert symbol.dtype == dtype
    outputs = layer(inputs)
    assert tuple(outputs.shape) == shape
    assert keras.backend.standardize_dtype(outputs.dtype) == dtype

    model = model_with(layer, inputs.shape[1:], differentiable)
    fit_one_step(model, inputs)
    model.save(path)
    loaded = keras.saving.load_model(path)
    assert loaded.get_layer("checked").get_config() == config
    np.testing.assert_array_equal(
        loaded.predict_on_batch(inputs), model.predict_on_batch(inputs)
    )

    for policy in HALF:
        half = layer_class(**arguments, dtype=policy)
        spec = half.compute_output_spec(keras.KerasTensor(inputs.shape))
        outputs = half(inputs)
        assert keras.backend.standardize_dtype(outputs.dtype) == spec.dtype
        expected = dtype if dtype == "uint8" else half.compute_dtype
        assert spec.dtype == expected
        assert {weight.dtype for weight in half.weights} <= {"float32"}
        # The one above was compiled.
        model = model_with(half, inputs.shape[1:], differentiable)
        fit_one_step(model, inputs, run_eagerly=True)


@pytest.fixture
def run_layer_check(tmp_path):
    """The check that each layer must pass, as Keras' `run_layer_test`.

    Configuration, building, calling, a step of `fit`, `.keras` and mixed
    precision. `differentiable` says that gradients pass through the layer;
    `weights` names its weights, none of them trainable.
    """

    def run(layer_class, arguments, inputs, shape, **expected):
        expected = {
            "dtype": "float32",
            "differentiable": True,
            "weights": [],
            **expected,
        }
        keras.utils.set_random_seed(0)
        check(
            layer_class,
            arguments,
            inputs,
            shape,
            path=tmp_path / "model.keras",
            **expected,
        )

    return run
