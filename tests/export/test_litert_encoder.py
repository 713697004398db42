import hashlib

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.tools import flatbuffer_utils

import hashnet_tf as hn
from hashnet_tf.export._litert_file import with_metadata
from hashnet_tf.export.freeze import description
from hashnet_tf.models import weights_digest


@pytest.fixture(scope="module")
def fixed(models, tmp_path_factory):
    """A file that takes 32 images at once and gives z too."""
    path = tmp_path_factory.mktemp("fixed") / "fixed.tflite"
    return hn.export.to_litert(models["48"], path, z=True, batch_size=32)


@pytest.mark.parametrize("name", ["12", "48"])
@pytest.mark.parametrize("n", [0, 1, 32, 70])
def test_encodes_any_number_of_images(name, n, models, litert_files, images):
    encoder = hn.export.LiteRTEncoder(litert_files[name])
    codes = encoder.encode(images[:n])
    assert codes.dtype == np.uint8
    np.testing.assert_array_equal(codes, models[name].encode(images[:n]))


@pytest.mark.parametrize("n", [0, 1, 32, 70])
def test_fills_up_a_fixed_batch(n, models, fixed, images):
    encoder = hn.export.LiteRTEncoder(fixed)
    assert encoder.batch_size == 32
    expected = models["48"].encode(images[:n])
    outputs = encoder.run(images[:n])
    assert outputs.keys() == {"codes", "signs", "z"}
    np.testing.assert_array_equal(encoder.encode(images[:n]), expected)
    np.testing.assert_array_equal(outputs["codes"], expected)
    np.testing.assert_array_equal(
        outputs["signs"], hn.retrieval.unpack(expected, 48)
    )


@pytest.mark.parametrize("n", [0, 70])
def test_embed_gives_z(n, models, fixed, images):
    z = hn.export.LiteRTEncoder(fixed).embed(images[:n])
    assert z.dtype == np.float32 and z.shape == (n, 48)
    expected = models["48"].logits(images, training=False)[:n]
    np.testing.assert_allclose(z, expected, atol=1e-6)


def test_embed_needs_z(litert_files, images):
    encoder = hn.export.LiteRTEncoder(litert_files["12"])
    with pytest.raises(ValueError, match="Received: a file with codes, signs"):
        encoder.embed(images)


def test_tells_what_the_file_is(models, litert_files):
    encoder = hn.export.LiteRTEncoder(litert_files["12"])
    assert encoder.description == {
        **description(models["12"]),
        "quantize": None,
    }
    assert encoder.bits == 12
    assert encoder.image_size == (16, 20)
    assert encoder.batch_size is None
    assert encoder.quantize is None
    # Its bits are those of the model.
    assert encoder.model_digest == weights_digest(models["12"])


def test_a_quantized_file_has_a_digest_of_its_own(models, quantized_files):
    path = quantized_files["float16"]
    encoder = hn.export.LiteRTEncoder(path)
    assert encoder.quantize == "float16"
    assert encoder.model_digest == (
        hashlib.sha256(path.read_bytes()).hexdigest()
    )
    model_digest = encoder.description["model_digest"]
    assert model_digest == weights_digest(models["12"])


@pytest.mark.parametrize(
    "wrong, message",
    [
        (np.zeros((2, 20, 20, 3), np.uint8), r"images.shape=\(2, 20, 20, 3\)"),
        (np.zeros((16, 20, 3), np.uint8), r"images.shape=\(16, 20, 3\)"),
        (np.zeros((2, 16, 20, 3), int), "images.dtype=int64"),
    ],
)
def test_refuses_other_images(wrong, message, litert_files):
    encoder = hn.export.LiteRTEncoder(str(litert_files["12"]))
    with pytest.raises(ValueError, match=message):
        encoder.encode(wrong)


def test_refuses_a_file_of_something_else(tmp_path):
    double = tf.function(lambda x: 2 * x, [tf.TensorSpec([1], tf.float32)])
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [double.get_concrete_function()], double
    )
    path = tmp_path / "double.tflite"
    path.write_bytes(converter.convert())
    with pytest.raises(ValueError, match="Received: .*double.tflite"):
        hn.export.LiteRTEncoder(path)


def test_refuses_what_is_no_litert_file(tmp_path):
    path = tmp_path / "text.tflite"
    path.write_text("no model at all")
    with pytest.raises(ValueError, match="Received: .*text.tflite"):
        hn.export.LiteRTEncoder(path)


def without_metadata(path):
    model = flatbuffer_utils.read_model_from_bytearray(path.read_bytes())
    model.metadata = [m for m in model.metadata if m.name != b"hashnet.json"]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


@pytest.mark.parametrize(
    "changed",
    [
        None,
        {"bits": 11},
        {"bits": "12"},
        {"image_size": [20, 16]},
        {"image_size": None},
    ],
)
def test_refuses_metadata_that_do_not_fit(
    changed, models, litert_files, tmp_path
):
    content = without_metadata(litert_files["12"])
    if changed is not None:
        told = {**description(models["12"]), "quantize": None}
        content = with_metadata(content, {**told, **changed})
    path = tmp_path / "changed.tflite"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="Received: .*changed.tflite with"):
        hn.export.LiteRTEncoder(path)


def test_reads_metadata_written_anew(models, litert_files, tmp_path):
    # What the other tests here change is read if nothing is changed.
    content = without_metadata(litert_files["12"])
    told = {**description(models["12"]), "quantize": None}
    path = tmp_path / "same.tflite"
    path.write_bytes(with_metadata(content, told))
    assert hn.export.LiteRTEncoder(path).description == told


def test_refuses_a_file_that_has_changed(litert_files, tmp_path):
    content = litert_files["12"].read_bytes()
    path = tmp_path / "changed.tflite"
    for place in range(len(content) // 20, len(content), len(content) // 20):
        changed = bytearray(content)
        changed[place] ^= 1
        path.write_bytes(changed)
        with pytest.raises(ValueError, match="Received: .*changed.tflite with"):
            hn.export.LiteRTEncoder(path)


def test_a_file_that_is_not_there_is_said_to_be_so(tmp_path):
    with pytest.raises(FileNotFoundError, match="missing.tflite"):
        hn.export.LiteRTEncoder(tmp_path / "missing.tflite")
