import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from ai_edge_litert.tools import flatbuffer_utils

from hashnet_tf.export._litert_file import (
    check_self_contained,
    read_metadata,
    with_metadata,
)

VALUES = {"name": "Füchse", "sizes": [1, 2], "none": None}


@pytest.fixture(scope="module")
def content(litert_files):
    """A file without this metadata."""
    model = flatbuffer_utils.read_model_from_bytearray(
        litert_files["48"].read_bytes()
    )
    (place,) = (
        place
        for place, entry in enumerate(model.metadata)
        if entry.name == b"hashnet.json"
    )
    # It was the last to be added.
    assert model.metadata[place].buffer == len(model.buffers) - 1
    del model.metadata[place], model.buffers[-1]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def run(content, images):
    interpreter = Interpreter(model_content=content)
    assert interpreter.get_signature_list() == {
        "serving_default": {"inputs": ["images"], "outputs": ["codes", "signs"]}
    }
    return interpreter.get_signature_runner("serving_default")(images=images)


def constants(content):
    """Returns the bytes of each buffer but that of the metadata."""
    model = schema.Model.GetRootAs(content, 0)
    told = {
        model.Metadata(i).Buffer()
        for i in range(model.MetadataLength())
        if model.Metadata(i).Name() == b"hashnet.json"
    }
    return [
        model.Buffers(i).DataAsNumpy().tobytes()
        for i in range(model.BuffersLength())
        if i not in told and model.Buffers(i).DataLength()
    ]


def test_reads_what_was_written(content):
    assert read_metadata(content) is None
    assert read_metadata(with_metadata(content, VALUES)) == VALUES


def test_graph_and_weights_stay(content, images):
    described = with_metadata(content, VALUES)
    assert sorted(constants(described)) == sorted(constants(content))
    before, after = run(content, images), run(described, images)
    for name, array in before.items():
        np.testing.assert_array_equal(after[name], array)


def test_grows_by_the_metadata_alone(content):
    short = with_metadata(content, {"a": ""})
    long = with_metadata(content, {"a": "x" * 1000})
    assert len(long) - len(short) == 1000
    assert len(short) <= len(content) + 256


def test_weights_stay_aligned(content):
    described = with_metadata(content, {"a": "x" * 7})
    start = np.frombuffer(described, dtype=np.uint8).ctypes.data
    model = schema.Model.GetRootAs(described, 0)
    offsets = [
        model.Buffers(i).DataAsNumpy().ctypes.data - start
        for i in range(model.BuffersLength())
        if model.Buffers(i).DataLength()
    ]
    # To a float, as the converter leaves them.
    assert not any(offset % 4 for offset in offsets)


class Careless(tf.Module):
    """A SavedModel's usual beginning, which tracks no Keras 3 variable."""

    def __init__(self):
        super().__init__()
        self.model = keras.Sequential([keras.Input((4,))])
        self.model.add(keras.layers.Dense(2))

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32)])
    def encode(self, x):
        return {"z": self.model(x)}


def test_a_file_without_its_weights_is_refused(tmp_path):
    module = Careless()
    signatures = {"serving_default": module.encode}
    tf.saved_model.save(module, str(tmp_path), signatures=signatures)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path))
    with pytest.raises(RuntimeError, match="VAR_HANDLE"):
        check_self_contained(converter.convert())
