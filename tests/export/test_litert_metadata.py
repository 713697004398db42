import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from hashnet_tf.export._litert_file import read_metadata, with_metadata
from hashnet_tf.export.litert_conversion import litert_content

VALUES = {"name": "Füchse", "sizes": [1, 2], "none": None}


@pytest.fixture(scope="module")
def content(models):
    """A file without this metadata."""
    return litert_content(models["48"], lambda z, bits: bits, None, None, None)


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
