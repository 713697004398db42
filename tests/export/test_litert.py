import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from ai_edge_litert.tools import flatbuffer_utils

import hashnet_tf as hn
from hashnet_tf.datasets.pixels.framing import frame_image
from hashnet_tf.export import litert, litert_conversion
from hashnet_tf.export.freeze import exact_bits, inputs_of
from hashnet_tf.export.litert_conversion import representative_inputs


def run(path, images):
    runner = Interpreter(model_path=str(path)).get_signature_runner(
        "serving_default"
    )
    return runner(images=images)


def operators(path):
    interpreter = Interpreter(
        model_path=str(path),
        experimental_op_resolver_type=(
            OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        ),
    )
    return {op["op_name"] for op in interpreter._get_ops_details()}


@pytest.mark.parametrize("name", ["12", "48", "zero"])
def test_gives_the_models_bits(name, models, litert_files, images):
    outputs = run(litert_files[name], images)
    codes, signs = outputs["codes"], outputs["signs"]
    assert codes.dtype == np.uint8 and signs.dtype == np.int8
    np.testing.assert_array_equal(codes, models[name].encode(images))
    np.testing.assert_array_equal(
        signs, hn.retrieval.unpack(codes, models[name].bits)
    )


@pytest.mark.parametrize("quantize", ["float16", "dynamic", "int8"])
def test_quantized_codes_are_their_own_signs(
    quantize, quantized_files, models, images
):
    outputs = run(quantized_files[quantize], images)
    codes, signs = outputs["codes"], outputs["signs"]
    assert codes.dtype == np.uint8 and signs.dtype == np.int8
    assert set(np.unique(signs)) == {-1, 1}
    np.testing.assert_array_equal(codes, np.packbits(signs > 0, axis=1))
    moved = np.unpackbits(codes ^ models["12"].encode(images)).sum()
    assert moved / (12 * len(images)) < 0.02


def test_int8_of_exact_zeros(models, images, tmp_path):
    path = hn.export.to_litert(
        models["zero"], tmp_path / "zero.tflite", "int8", [images]
    )
    assert (run(path, images)["signs"] == 1).all()


@pytest.mark.parametrize(
    "factor", [1e-4, pytest.param(1e5, marks=pytest.mark.slow)]
)
def test_int8_does_not_depend_on_the_scale_of_z(
    factor, models, images, tmp_path
):
    # LiteRT's own comparison of int8 values takes a small z for 0, and long
    # aborted at a large one.
    model = keras.models.clone_model(models["12"])
    model.set_weights(models["12"].get_weights())
    weights = model.hash_layer.get_weights()
    model.hash_layer.set_weights([factor * w for w in weights])
    path = hn.export.to_litert(model, tmp_path / "a.tflite", "int8", [images])
    assert hn.export.check_litert(path, model, images).share < 0.02


def test_int8_computes_in_int8(quantized_files):
    interpreter = Interpreter(model_path=str(quantized_files["int8"]))
    floats = [
        tensor["name"]
        for tensor in interpreter.get_tensor_details()
        if tensor["dtype"] == np.float32
    ]
    # The pixels on their way from uint8; z and its floor on theirs to bits.
    assert len(floats) == 3


@pytest.mark.parametrize(
    "quantize, batch_size",
    [
        (None, 1),
        pytest.param("dynamic", None, marks=pytest.mark.slow),
        ("int8", 16),
    ],
)
def test_gives_z_and_takes_a_fixed_batch(
    quantize, batch_size, models, images, tmp_path
):
    path = hn.export.to_litert(
        models["12"],
        tmp_path / "a.tflite",
        quantize,
        # 70 images are no multiple of 16.
        [images] if quantize == "int8" else None,
        z=True,
        batch_size=batch_size,
    )
    encoder = hn.export.LiteRTEncoder(path)
    assert encoder.batch_size == batch_size
    taken = Interpreter(model_path=str(path)).get_input_details()[0]
    assert taken["shape_signature"][0] == (batch_size or -1)
    z = encoder.embed(images)
    assert z.dtype == np.float32
    expected = np.asarray(models["12"].logits(images, training=False))
    largest = np.abs(expected).max()
    # int8 has some 200 steps for z, and cuts off the few odd images.
    off = np.quantile(np.abs(z - expected), 0.95) / largest
    assert off < (0.03 if quantize == "int8" else 1e-3)
    signs = encoder.run(images)["signs"]
    np.testing.assert_array_equal(signs, np.where(z >= 0, 1, -1))
    assert hn.export.check_litert(path, models["12"], images).share < 0.02


def test_without_being_asked_there_is_no_z(litert_files):
    interpreter = Interpreter(model_path=str(litert_files["12"]))
    (signature,) = interpreter.get_signature_list().values()
    assert sorted(signature["outputs"]) == ["codes", "signs"]


@pytest.mark.parametrize("batch_size", [0, -1, 1.0, "1", True])
def test_refuses_a_batch_size_that_is_no_positive_integer(
    batch_size, models, tmp_path
):
    with pytest.raises(
        ValueError, match=f"Received: batch_size={batch_size!r}"
    ):
        hn.export.to_litert(
            models["12"], tmp_path / "a.tflite", batch_size=batch_size
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("z", [None, 1, "yes"])
def test_refuses_a_z_that_is_no_bool(z, models, tmp_path):
    with pytest.raises(ValueError, match=f"Received: z={z!r}"):
        hn.export.to_litert(models["12"], tmp_path / "a.tflite", z=z)
    assert list(tmp_path.iterdir()) == []


def other_dtype(z):
    bits = exact_bits(z)
    return {**bits, "signs": tf.cast(bits["signs"], tf.int32)}


def test_a_file_that_fails_is_not_left_behind(models, tmp_path, monkeypatch):
    monkeypatch.setattr(litert_conversion, "exact_bits", other_dtype)
    path = tmp_path / "a.tflite"
    path.write_text("the file of before")
    with pytest.raises(ValueError, match="metadata hashnet.json that fits"):
        hn.export.to_litert(models["12"], path)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_text() == "the file of before"


@pytest.fixture
def converted(litert_files, monkeypatch):
    """Lets every conversion end with the content of a file that is there."""

    def end_with(name):
        content = without_metadata(litert_files[name].read_bytes())
        monkeypatch.setattr(litert, "litert_content", lambda *_: content)

    return end_with


def without_metadata(content):
    model = flatbuffer_utils.read_model_from_bytearray(content)
    model.metadata = [m for m in model.metadata if m.name != b"hashnet.json"]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


@pytest.mark.parametrize(
    "name, error, message",
    [
        ("zero", hn.export.ParityError, "does not give the model's bits"),
        ("48", ValueError, "metadata hashnet.json that fits"),
    ],
)
def test_other_bits_and_another_length_are_found(
    name, error, message, converted, models, tmp_path
):
    converted(name)
    with pytest.raises(error, match=message):
        hn.export.to_litert(models["12"], tmp_path / "a.tflite")
    assert list(tmp_path.iterdir()) == []


def test_replaces_a_file(converted, models, tmp_path):
    converted("zero")
    path = tmp_path / "a.tflite"
    path.write_text("old")
    assert hn.export.to_litert(models["zero"], str(path)) == path
    assert list(tmp_path.iterdir()) == [path]
    assert hn.export.LiteRTEncoder(path).bits == 12


def test_a_model_of_nan_is_refused(converted, models, tmp_path):
    converted("12")
    model = keras.models.clone_model(models["12"])
    kernel, bias = model.hash_layer.get_weights()
    model.hash_layer.set_weights([np.full_like(kernel, np.nan), bias])
    with pytest.raises(ValueError, match="NaN for 8 of 8 inputs"):
        hn.export.to_litert(model, tmp_path / "a.tflite")
    assert list(tmp_path.iterdir()) == []


def test_files_hold_their_weights(litert_files, quantized_files):
    for path in [*litert_files.values(), *quantized_files.values()]:
        found = operators(path)
        assert "CONV_2D" in found
        assert not {"VAR_HANDLE", "READ_VARIABLE"} & found
        assert not any(name.startswith("Flex") for name in found)


@pytest.mark.parametrize("quantize", ["int4", "INT8", "none", 8])
def test_refuses_an_unknown_quantize(quantize, models, tmp_path):
    with pytest.raises(ValueError, match=f"Received: quantize={quantize!r}"):
        hn.export.to_litert(models["12"], tmp_path / "a.tflite", quantize)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "representative, message",
    [
        (None, "Received: 0 images"),
        ([], "Received: 0 images"),
        ([np.zeros((31, 16, 20, 3), np.uint8)], "Received: 31 images"),
        (np.zeros((40, 16, 20, 3), np.uint8), r"shape=\(16, 20, 3\)"),
        ([np.zeros((40, 20, 16, 3), np.uint8)], r"shape=\(40, 20, 16, 3\)"),
        ([np.zeros((40, 16, 20, 3), int)], "representative.dtype=int64"),
        (
            [(np.zeros((40, 16, 20, 3), np.uint8), np.zeros(40))],
            "without labels. Received: a tuple of 2",
        ),
        (
            tf.data.Dataset.from_tensor_slices(
                (np.zeros((40, 16, 20, 3), np.uint8), np.zeros(40))
            ).batch(8),
            "without labels. Received: a tuple of 2",
        ),
        (lambda: [], "Received: 0 images"),
        (
            lambda: [[np.zeros((40, 16, 20, 3), np.uint8), np.zeros(40)]],
            "`representative` must be one array .* a list of 2 of ndarray",
        ),
    ],
)
def test_int8_needs_representative_images(
    representative, message, models, tmp_path
):
    with pytest.raises(ValueError, match=message):
        hn.export.to_litert(
            models["12"], tmp_path / "a.tflite", "int8", representative
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("batch_size", [1, 8])
def test_representative_images_of_a_function(batch_size, models, images):
    # As TensorFlow's converter takes them.
    def function():
        for start in range(0, 40, batch_size):
            batch = images[start : min(40, start + batch_size)]
            yield [batch.astype("float32")]

    found = representative_inputs(function, inputs_of(models["12"]))["images"]
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, images[:40])


def test_a_folder_is_refused_before_the_conversion(tmp_path):
    with pytest.raises(ValueError, match=f"not a folder.*path={tmp_path}$"):
        hn.export.to_litert("no model", tmp_path)
    with pytest.raises(ValueError, match=f"not a folder.*path={tmp_path}$"):
        hn.export.to_image_embedder("no model", tmp_path)


def test_refuses_representative_images_without_a_use(models, images, tmp_path):
    with pytest.raises(ValueError, match="quantize='float16'"):
        hn.export.to_litert(
            models["12"], tmp_path / "a.tflite", "float16", [images]
        )


def test_tells_how_to_frame(models, tmp_path):
    model = hn.HashNet(models["12"].backbone, 12, framing="paper")
    model.hash_layer.set_weights(models["12"].hash_layer.get_weights())
    path = hn.export.to_litert(model, tmp_path / "encoder.tflite")
    encoder = hn.export.LiteRTEncoder(path)
    assert encoder.framing == "paper"
    large = np.random.default_rng(3).integers(0, 256, (40, 30, 45, 3), np.uint8)
    images = hn.datasets.ArrayImages(large, np.zeros(len(large), int))
    code_set = hn.runs.encode_images(encoder, images, tmp_path / "codes")
    pixels = frame_image(large, (16, 20), "paper")
    np.testing.assert_array_equal(code_set.codes, model.encode(pixels))
