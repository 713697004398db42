import json

import numpy as np
import pytest
import tensorflow as tf

import hashnet_tf as hn
from hashnet_tf.export._metadata import sealed, unsealed_text
from hashnet_tf.export.freeze import description
from hashnet_tf.models import weights_digest

onnx = pytest.importorskip("onnx", reason="needs the extra [onnx]")
pytest.importorskip("onnxruntime", reason="needs the extra [onnx]")


@pytest.mark.parametrize("name", ["12", "48"])
@pytest.mark.parametrize("n", [0, 1, 32, 70])
def test_encodes_any_number_of_images(name, n, models, onnx_files, images):
    encoder = hn.export.OnnxEncoder(onnx_files[name])
    outputs = encoder.run(images[:n])
    codes = models[name].encode(images[:n])
    assert outputs["codes"].dtype == np.uint8
    np.testing.assert_array_equal(outputs["codes"], codes)
    np.testing.assert_array_equal(encoder.encode(images[:n]), codes)
    signs = hn.retrieval.unpack(codes, models[name].bits)
    np.testing.assert_array_equal(outputs["signs"], signs)


def test_encodes_files(models, onnx_files, images, tmp_path):
    paths = [tmp_path / f"{k}.png" for k in range(3)]
    for path, image in zip(paths, images, strict=False):
        path.write_bytes(tf.io.encode_png(image).numpy())
    encoder = hn.export.OnnxEncoder(onnx_files["12"])
    codes = models["12"].encode(images[:3])
    np.testing.assert_array_equal(encoder.encode_files(paths), codes)
    assert encoder.encode_files([]).shape == (0, 2)


def test_tells_what_the_file_is(models, onnx_files):
    encoder = hn.export.OnnxEncoder(str(onnx_files["12"]))
    assert isinstance(encoder, hn.runs.Encoder)
    assert encoder.description == description(models["12"])
    assert (encoder.bits, encoder.image_size) == (12, (16, 20))
    assert encoder.framing == "whole"
    # Its bits are those of the model.
    assert encoder.model_digest == weights_digest(models["12"])


def test_a_damaged_file_is_refused_with_what_to_do(onnx_files, tmp_path):
    content = onnx_files["12"].read_bytes()
    path = tmp_path / "a.onnx"
    step = len(content) // 20
    damaged = [
        content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        for place in range(0, len(content), step)
    ]
    for wrong in [*damaged, content[:-1], content + b"\0", b"", b"no model"]:
        path.write_bytes(wrong)
        with pytest.raises(ValueError, match="export the model anew .*a.onnx"):
            hn.export.OnnxEncoder(path)


def rewritten(path, to, change):
    """Writes a file anew, its metadata changed, and seals it."""
    model = onnx.load(path)
    told = json.loads(model.metadata_props[0].value)
    text = unsealed_text({**told, **change})
    onnx.helper.set_model_props(model, {"hashnet.json": text})
    to.write_bytes(sealed(model.SerializeToString()))
    return to


@pytest.mark.parametrize(
    "change",
    [
        {"bits": 13},
        {"bits": "12"},
        {"image_size": [20, 16]},
        {"image_size": None},
        {"inputs": [{"name": "x", "shape": [None, 3], "dtype": "float32"}]},
    ],
)
def test_refuses_metadata_that_do_not_fit(change, onnx_files, tmp_path):
    path = rewritten(onnx_files["12"], tmp_path / "a.onnx", change)
    with pytest.raises(ValueError, match="metadata hashnet.json that fit it"):
        hn.export.OnnxEncoder(path)


def test_reads_metadata_written_anew(onnx_files, images, tmp_path):
    # What the other test changes is read if nothing is changed.
    path = rewritten(onnx_files["12"], tmp_path / "a.onnx", {})
    codes = hn.export.OnnxEncoder(path).encode(images)
    expected = hn.export.OnnxEncoder(onnx_files["12"]).encode(images)
    np.testing.assert_array_equal(codes, expected)


def test_refuses_what_the_runtime_cannot_run(tmp_path):
    text = unsealed_text({"bits": 12}).encode()
    path = tmp_path / "a.onnx"
    path.write_bytes(sealed(text))
    with pytest.raises(ValueError, match="Received: .*a.onnx"):
        hn.export.OnnxEncoder(path)


def test_a_file_that_is_not_there_is_said_to_be_so(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"missing.onnx"):
        hn.export.OnnxEncoder(tmp_path / "missing.onnx")
