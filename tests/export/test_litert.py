import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType

import hashnet_tf as hn
from hashnet_tf.export import litert_conversion
from hashnet_tf.export._litert_file import check_self_contained
from hashnet_tf.export.freeze import exact_bits


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


@pytest.fixture(scope="module")
def quantized(models, images, tmp_path_factory):
    folder = tmp_path_factory.mktemp("quantized")
    paths = {}
    for quantize in ("float16", "dynamic", "int8"):
        paths[quantize] = hn.export.to_litert(
            models["12"],
            folder / f"{quantize}.tflite",
            quantize=quantize,
            representative=(
                # A generator can be run through once only.
                (images[i : i + 16] for i in range(0, 70, 16))
                if quantize == "int8"
                else None
            ),
        )
    return paths


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
    quantize, quantized, models, images
):
    outputs = run(quantized[quantize], images)
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


@pytest.mark.parametrize("factor", [1e-4, 1e5])
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


def test_int8_computes_in_int8(quantized):
    interpreter = Interpreter(model_path=str(quantized["int8"]))
    floats = [
        tensor["name"]
        for tensor in interpreter.get_tensor_details()
        if tensor["dtype"] == np.float32
    ]
    # The pixels on their way from uint8; z and its floor on theirs to bits.
    assert len(floats) == 3


@pytest.mark.parametrize("quantize", [None, "dynamic", "int8"])
@pytest.mark.parametrize("batch_size", [None, 1, 16])
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


def wrong_bits(z):
    return exact_bits(-z)


def disagreeing_bits(z):
    return {**exact_bits(z), "signs": exact_bits(-z)["signs"]}


def other_dtype(z):
    bits = exact_bits(z)
    return {**bits, "signs": tf.cast(bits["signs"], tf.int32)}


def other_length(z):
    return exact_bits(z[:, 1:])


@pytest.mark.parametrize(
    "to_bits, error, message",
    [
        (wrong_bits, hn.export.ParityError, "does not give the model's bits"),
        (disagreeing_bits, hn.export.ParityError, "that disagree"),
        (other_dtype, ValueError, "metadata hashnet.json that fits"),
        (other_length, ValueError, "metadata hashnet.json that fits"),
    ],
)
def test_a_file_that_fails_is_not_left_behind(
    to_bits, error, message, models, tmp_path, monkeypatch
):
    monkeypatch.setattr(litert_conversion, "exact_bits", to_bits)
    path = tmp_path / "a.tflite"
    path.write_text("the file of before")
    with pytest.raises(error, match=message):
        hn.export.to_litert(models["12"], path)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_text() == "the file of before"


@pytest.mark.parametrize("quantize", [None, "int8"])
def test_a_model_of_nan_is_refused(quantize, models, images, tmp_path):
    model = keras.models.clone_model(models["12"])
    kernel, bias = model.hash_layer.get_weights()
    model.hash_layer.set_weights([np.full_like(kernel, np.nan), bias])
    representative = [images] if quantize == "int8" else None
    with pytest.raises(ValueError, match="NaN or infinity"):
        hn.export.to_litert(
            model, tmp_path / "a.tflite", quantize, representative
        )
    assert list(tmp_path.iterdir()) == []


def test_files_hold_their_weights(litert_files, quantized):
    for path in [*litert_files.values(), *quantized.values()]:
        found = operators(path)
        assert "CONV_2D" in found
        assert not {"VAR_HANDLE", "READ_VARIABLE"} & found
        assert not any(name.startswith("Flex") for name in found)


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
        ([np.zeros((40, 16, 20, 3))], "representative.dtype=float64"),
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


def test_refuses_representative_images_without_a_use(models, images, tmp_path):
    with pytest.raises(ValueError, match="quantize='dynamic'"):
        hn.export.to_litert(
            models["12"], tmp_path / "a.tflite", "dynamic", [images]
        )


def test_replaces_a_file(litert_files, models, tmp_path):
    path = tmp_path / "a.tflite"
    path.write_text("old")
    assert hn.export.to_litert(models["zero"], str(path)) == path
    assert list(tmp_path.iterdir()) == [path]
    assert hn.export.LiteRTEncoder(path).bits == 12
