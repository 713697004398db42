"""What docs/deploying.md shows for networks on other inputs than images."""

import pathlib
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

import hashnet_tf as hn

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "deploying.md"


@pytest.fixture
def program():
    blocks = re.findall(
        r"^```python\n(.*?)^```$", PAGE.read_text(), re.S | re.M
    )
    (found,) = [block for block in blocks if "PackBits" in block]
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    "shape",
    [(8,), pytest.param((6, 6, 13), marks=pytest.mark.slow)],
)
def test_codes_of_keras_own_exporter(shape, program, tmp_path, monkeypatch):
    keras.utils.set_random_seed(0)
    inputs = keras.Input(shape)
    x = keras.layers.Flatten()(inputs)
    backbone = keras.Model(inputs, keras.layers.Dense(16)(x))
    layer = keras.layers.Dense(12, name="hash")
    model = hn.HashNet(backbone, 12, hash_layer=layer)
    x = np.random.default_rng(0).normal(size=(21, *shape)).astype("float32")
    expected = model.encode(x)
    assert len(np.unique(expected, axis=0)) > 10
    monkeypatch.chdir(tmp_path)
    exec(program, {"model": model, "keras": keras, "hn": hn})
    loaded = tf.saved_model.load("encoder")
    np.testing.assert_array_equal(loaded.serve(x), expected)
    runner = Interpreter(model_path="encoder.tflite").get_signature_runner()
    (name,) = runner.get_input_details()
    (codes,) = runner(**{name: x}).values()
    np.testing.assert_array_equal(codes, expected)
