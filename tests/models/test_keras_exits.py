"""Keras' own ways out of a model: export, SavedModel, LiteRT, ONNX."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

import hashnet_tf as hn
from hashnet_tf.models import ClassifiedModel, LogitsModel, PairModel

MODELS = {
    "HashNet": lambda hashnet: hashnet,
    "LogitsModel": LogitsModel,
    "ClassifiedModel": functools.partial(ClassifiedModel, classes=3),
    "PairModel": PairModel,
}
X = np.random.default_rng(0).normal(size=(21, 8)).astype("float32")

# A file of LiteRT is written for any number of items and run here on one.
ONE = X[:1]


STATES = [(name, "made") for name in MODELS]
STATES += [("HashNet", "fitted")]
STATES += [(name, "loaded") for name in ("HashNet", "PairModel")]


@pytest.fixture(params=STATES, ids="-".join)
def model(request, tmp_path):
    name, state = request.param
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8,))
    features = keras.layers.Dense(16, activation="relu")(inputs)
    hashnet = hn.HashNet(keras.Model(inputs, features), bits=12)
    model = MODELS[name](hashnet)
    if state == "fitted":
        model.compile("adam", "mse")
        model.fit(X, np.zeros((21, 12)), verbose=0)
    if state == "loaded":
        model.save(tmp_path / "model.keras")
        model = keras.saving.load_model(tmp_path / "model.keras")
    return model


def given(model, x):
    return (x, x[::-1]) if isinstance(model, PairModel) else x


def expected(model, x):
    return model.predict_on_batch(given(model, x))


def test_the_inputs_are_known(model):
    pair = isinstance(model, PairModel)
    shapes = [(None, 8)] * (1 + pair)
    assert model.input_shape == (shapes if pair else shapes[0])
    assert [tensor.shape for tensor in model.inputs] == shapes
    # A functional model on them is the same model.
    twin = keras.Model(model.input, model(model.input))
    np.testing.assert_allclose(
        twin.predict_on_batch(list(given(model, X)) if pair else X),
        expected(model, X),
        rtol=1e-5,
    )


@pytest.mark.parametrize("model", STATES[:1], indirect=True)
def test_export_of_what_was_never_called(model, tmp_path):
    check_export(model, tmp_path)


@pytest.mark.slow
def test_export(model, tmp_path):
    check_export(model, tmp_path)


def check_export(model, folder):
    model.export(folder / "saved", verbose=False)
    loaded = tf.saved_model.load(str(folder / "saved"))
    values = given(model, X)
    if isinstance(model, PairModel):
        values = [tf.constant(value) for value in values]
    np.testing.assert_allclose(
        loaded.serve(values), expected(model, X), rtol=1e-5, atol=1e-6
    )


@pytest.mark.slow
def test_saved_model(model, tmp_path):
    tf.saved_model.save(model, str(tmp_path / "saved"))
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    signature = loaded.signatures["serving_default"]
    names = sorted(signature.structured_input_signature[1])
    values = given(model, X)
    values = values if isinstance(values, tuple) else (values,)
    # Keras calls the second of a pair "inputs_1".
    inputs = dict(zip(names, map(tf.constant, values), strict=True))
    (found,) = signature(**inputs).values()
    np.testing.assert_allclose(found, expected(model, X), rtol=1e-5, atol=1e-6)


def check_litert(content, model):
    runner = Interpreter(model_content=content).get_signature_runner()
    names = sorted(runner.get_input_details())
    values = given(model, ONE)
    values = values if isinstance(values, tuple) else (values,)
    (found,) = runner(**dict(zip(names, values, strict=True))).values()
    np.testing.assert_allclose(
        found, expected(model, ONE), rtol=1e-4, atol=1e-6
    )


@pytest.mark.slow
def test_the_converter_to_litert(model):
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    check_litert(converter.convert(), model)


@pytest.mark.slow
def test_export_to_litert(model, tmp_path):
    path = tmp_path / "model.tflite"
    try:
        model.export(path, format="litert", verbose=False)
    except ValueError as error:
        if "Unrecognized format" not in str(error):
            raise
        pytest.skip("this Keras writes no LiteRT")
    check_litert(path.read_bytes(), model)


@pytest.mark.slow
# tf2onnx asks NumPy for names that it no longer has.
@pytest.mark.filterwarnings("ignore:In the future `np:FutureWarning")
def test_export_to_onnx(model, tmp_path):
    pytest.importorskip("tf2onnx")
    runtime = pytest.importorskip("onnxruntime")
    path = tmp_path / "model.onnx"
    model.export(path, format="onnx", verbose=False)
    session = runtime.InferenceSession(str(path))
    names = [value.name for value in session.get_inputs()]
    values = given(model, X)
    values = values if isinstance(values, tuple) else (values,)
    (found,) = session.run(None, dict(zip(names, values, strict=True)))
    np.testing.assert_allclose(found, expected(model, X), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("model", STATES[:1], indirect=True)
def test_a_subclass_adds_layers_and_any_may_be_exchanged(model):
    class Mine(hn.HashNet):
        def __init__(self, *args):
            super().__init__(*args)
            self.scale = keras.layers.Rescaling(2.0)

        def call(self, inputs, training=None):
            return self.scale(super().call(inputs, training=training))

    mine = Mine(model.backbone, 12)
    mine.hash_layer = model.hash_layer
    mine.scaled_tanh = model.scaled_tanh
    np.testing.assert_allclose(
        mine.predict_on_batch(X), 2 * model.predict_on_batch(X), rtol=1e-5
    )
