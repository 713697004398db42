"""What no encoder takes, of whichever runtime, and how it says so."""

import numpy as np
import pytest
import tensorflow as tf

import hashnet_tf as hn

WANTED = (
    "`images` must be one array [n, 16, 20, 3], uint8, or floats in [0, 255]."
)
GOOD = np.random.default_rng(0).integers(0, 256, (5, 16, 20, 3), np.uint8)


def with_one(value):
    images = GOOD.astype("float32")
    images[2, 3, 4, 1] = value
    return images


WRONG = {
    "size": (
        GOOD[:, :, :19],
        "images.shape=(5, 16, 19, 3), images.dtype=uint8",
    ),
    "size turned": (GOOD.transpose(0, 2, 1, 3), "images.shape=(5, 20, 16, 3)"),
    "grey": (GOOD[..., :1], "images.shape=(5, 16, 20, 1)"),
    "alpha": (GOOD[..., [0, 1, 2, 2]], "images.shape=(5, 16, 20, 4)"),
    "channels first": (
        GOOD.transpose(0, 3, 1, 2),
        "images.shape=(5, 3, 16, 20)",
    ),
    "no axis n": (
        GOOD[0],
        "images.shape=(16, 20, 3), images.dtype=uint8, one without the axis n",
    ),
    "flat": (GOOD.reshape(5, -1), "images.shape=(5, 960)"),
    "an axis more": (GOOD[None], "images.shape=(1, 5, 16, 20, 3)"),
    "int64": (GOOD.astype("int64"), "images.dtype=int64"),
    "int8": (GOOD.astype("int8"), "images.dtype=int8"),
    "uint16": (GOOD.astype("uint16"), "images.dtype=uint16"),
    "bool": (GOOD > 127, "images.dtype=bool"),
    "complex": (GOOD.astype("complex64"), "images.dtype=complex64"),
    "object": (GOOD.astype(object), "images.dtype=object"),
    "strings": (GOOD.astype(str), "images.dtype=<U3"),
    "array of paths": (np.array(["a.jpg"]), "images.shape=(1,)"),
    "path": ("a.jpg", "'a.jpg'"),
    "bytes": (b"\xff\xd8", r"b'\xff\xd8'"),
    "list of paths": (["a.jpg", "b.jpg"], "a list of 2 of str"),
    "list of images": (
        list(GOOD),
        "a list of 5 of ndarray of shape (16, 20, 3)",
    ),
    "nothing": (None, "None"),
    "number": (7, "7"),
    "dict": ({"images": GOOD}, "a dict of 1"),
    "in [0, 1]": (GOOD / 255, "floats that all lie in [0, 1] or [-1, 1]"),
    "in [-1, 1]": (
        (GOOD / 127.5 - 1).astype("float32"),
        "floats that all lie in [0, 1] or [-1, 1]",
    ),
    "in [0, 1], of TensorFlow": (
        tf.constant(GOOD / 255, tf.float16),
        "floats that all lie in [0, 1] or [-1, 1]",
    ),
    "NaN": (with_one(np.nan), "NaN for 1 of 5 inputs"),
    "infinity": (with_one(np.inf), "infinity"),
    "minus infinity": (with_one(-np.inf), "infinity"),
}


@pytest.fixture(scope="module")
def encoders(models, saved_models, litert_files, trained_saved_model):
    return {
        "keras": hn.runs.KerasEncoder(models["12"]),
        "saved_model": hn.export.SavedModelEncoder(saved_models["12"]),
        "saved_model of floats": hn.export.SavedModelEncoder(
            trained_saved_model
        ),
        "litert": hn.export.LiteRTEncoder(litert_files["12"]),
    }


@pytest.fixture
def encoder(name, encoders, request):
    if name == "onnx":
        path = request.getfixturevalue("onnx_files")["12"]
        return hn.export.OnnxEncoder(path)
    return encoders[name]


NAMES = ["keras", "saved_model", "saved_model of floats", "litert", "onnx"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wrong", WRONG)
def test_refused_with_one_sentence(wrong, encoder):
    images, received = WRONG[wrong]
    with pytest.raises(ValueError) as error:
        encoder.encode(images)
    message = str(error.value)
    assert message.startswith(f"{WANTED} Received: ")
    assert received in message


@pytest.mark.parametrize("wrong", WRONG)
def test_a_hashnet_says_it_of_its_inputs(wrong, models):
    images, received = WRONG[wrong]
    with pytest.raises(ValueError) as error:
        models["12"].encode(images)
    message = str(error.value).replace("inputs", "images")
    assert message.startswith(f"{WANTED} Received: ")
    assert received.replace("inputs", "images") in message


TAKEN = {
    "uint8": GOOD,
    "floats": GOOD.astype("float32"),
    "float64": GOOD.astype("float64"),
    "of TensorFlow": tf.constant(GOOD),
    "none": GOOD[:0],
    "black": np.zeros((5, 16, 20, 3)),
    "black but for ones": (GOOD == 7).astype("float32"),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", TAKEN)
def test_taken_by_all(kind, name, encoder, models, trained_model):
    images = np.asarray(TAKEN[kind])
    codes = encoder.encode(TAKEN[kind])
    model = models["12"]
    if name == "saved_model of floats":
        model = trained_model
    np.testing.assert_array_equal(codes, model.encode(images.astype("uint8")))
    assert codes.shape == (len(images), 2)


@pytest.mark.parametrize("name", ["saved_model", "litert", "onnx"])
@pytest.mark.parametrize("value", [0.5, -1.0, 256.0])
def test_what_uint8_does_not_hold(value, encoder):
    message = "must be whole numbers in .* Received: images.dtype=float32"
    with pytest.raises(ValueError, match=message):
        encoder.encode(with_one(value))


def test_fractions_where_floats_are_taken(encoders, trained_model):
    images = GOOD * np.float32(0.999)
    np.testing.assert_array_equal(
        encoders["saved_model of floats"].encode(images),
        trained_model.encode(images),
    )


@pytest.mark.parametrize("signature", ["serving_default", "embed"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_the_graph_itself_gives_no_code_of_nan(value, signature, encoders):
    with pytest.raises(tf.errors.InvalidArgumentError, match="be numbers"):
        encoders["saved_model of floats"].run(signature, with_one(value))


def test_dark_batches_are_told_from_scaled_images(models):
    # Of several batches some may be all black but for the resizing.
    dark = np.full((2, 16, 20, 3), 0.25, "float32")
    batches = [dark, GOOD.astype("float32")]
    assert models["12"].encode(batches).shape == (7, 2)
    with pytest.raises(ValueError, match="all lie in"):
        models["12"].encode([dark, dark])


def test_other_inputs_are_not_taken_for_images():
    import keras

    for shape in ((8,), (6, 6, 13), (6, 6, 1)):
        inputs = keras.Input(shape)
        features = keras.layers.Flatten()(inputs)
        model = hn.HashNet(keras.Model(inputs, features), 8)
        x = np.random.default_rng(0).random((3, *shape))
        assert model.encode(x).shape == (3, 1)
        x.flat[0] = np.nan
        with pytest.raises(ValueError, match="NaN for 1 of 3 inputs"):
            model.encode(x)
        with pytest.raises(ValueError, match="one array .* of numbers"):
            model.encode(x.astype(str))
