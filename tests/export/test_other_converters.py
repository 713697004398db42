"""Converters of others take the SavedModel as it is, told nothing but where."""

import sys

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

import hashnet_tf as hn


@pytest.fixture(scope="module")
def vectors():
    return np.random.default_rng(0).normal(size=(40, 8)).astype("float32")


@pytest.fixture(scope="module")
def on_vectors(tmp_path_factory):
    """A HashNet on vectors, and the path of its SavedModel."""
    import keras

    keras.utils.set_random_seed(0)
    inputs = keras.Input((8,), name="features")
    x = keras.layers.Dense(16, activation="relu")(inputs)
    model = hn.HashNet(keras.Model(inputs, x), 12)
    path = tmp_path_factory.mktemp("vectors")
    return model, hn.export.to_saved_model(model, path)


@pytest.fixture(params=["images", "vectors"])
def exported(request, models, images, saved_models, on_vectors, vectors):
    """Path of a SavedModel, the name of its input, some, and Keras' codes."""
    if request.param == "images":
        model, path = models["48"], saved_models["48"]
        return path, "images", images, model.encode(images)
    model, path = on_vectors
    return path, "features", vectors, model.encode(vectors)


def check(outputs, codes, bits):
    assert len(np.unique(codes, axis=0)) > 5
    np.testing.assert_array_equal(outputs["codes"], codes)
    signs = hn.retrieval.unpack(codes, bits)
    np.testing.assert_array_equal(outputs["signs"], signs)


def test_tensorflow_lite_s_converter(exported):
    path, name, given, codes = exported
    content = tf.lite.TFLiteConverter.from_saved_model(str(path)).convert()
    interpreter = Interpreter(model_content=content)
    assert list(interpreter.get_signature_list()) == ["serving_default"]
    run = interpreter.get_signature_runner("serving_default")
    bits = hn.export.load_encoder(path).bits
    check(run(**{name: given}), codes, bits)


def test_tf2onnx_s_command(exported, tmp_path, monkeypatch):
    convert = pytest.importorskip(
        "tf2onnx.convert", reason="needs the extra [onnx]"
    )
    runtime = pytest.importorskip("onnxruntime")
    path, name, given, codes = exported
    out = tmp_path / "x.onnx"
    words = ["tf2onnx", "--saved-model", str(path), "--output", str(out)]
    monkeypatch.setattr(sys, "argv", words)
    convert.main()
    session = runtime.InferenceSession(str(out))
    names = [output.name for output in session.get_outputs()]
    outputs = dict(zip(names, session.run(names, {name: given}), strict=True))
    check(outputs, codes, hn.export.load_encoder(path).bits)


def test_keras_own_layer_of_a_saved_model(exported):
    import keras

    path, _, given, codes = exported
    layer = keras.layers.TFSMLayer(str(path))
    np.testing.assert_array_equal(layer(given)["codes"], codes)
