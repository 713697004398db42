"""Encoders of other inputs than RGB images of one known size."""

import importlib.util
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import hashnet_tf as hn

# More than one batch, and not a multiple of one.
N = 70


def on_vectors(rng):
    inputs = keras.Input((8,), name="features")
    x = keras.layers.Dense(16, activation="relu")(inputs)
    return keras.Model(inputs, x), rng.normal(size=(N, 8))


def on_grey(rng):
    inputs = keras.Input((12, 10, 1), name="grey")
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(inputs)
    x = keras.layers.Conv2D(8, 3, activation="relu")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, x), tinted(rng, 12, 10, 1).astype("uint8")


def on_bands(rng):
    inputs = keras.Input((6, 6, 13), name="bands")
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(inputs)
    x = keras.layers.Conv2D(8, 3, activation="relu")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, x), tinted(rng, 6, 6, 13)


def on_any_size(rng):
    inputs = keras.Input((None, None, 3), name="images")
    x = keras.layers.Resizing(9, 9)(inputs)
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(x)
    x = keras.layers.Conv2D(8, 3, activation="relu")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, x), tinted(rng, 21, 15, 3).astype("uint8")


def on_token_ids(rng):
    inputs = keras.Input((None,), dtype="int32", name="token_ids")
    x = keras.layers.Embedding(50, 8, mask_zero=True)(inputs)
    x = keras.layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, x), rng.integers(0, 50, (N, 7))


def two(rng):
    words = keras.Input((6,), dtype="int64", name="words")
    images = keras.Input((8, 8, 3), name="images")
    x = keras.layers.GlobalAveragePooling1D()(
        keras.layers.Embedding(50, 8)(words)
    )
    y = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(images)
    y = keras.layers.GlobalAveragePooling2D()(y)
    x = keras.layers.Dense(16)(keras.layers.Concatenate()([x, y]))
    given = {
        "words": rng.integers(0, 50, (N, 6)),
        "images": tinted(rng, 8, 8, 3).astype("uint8"),
    }
    return words, images, x, given


def on_two(rng):
    words, images, x, given = two(rng)
    return keras.Model([words, images], x), [given["words"], given["images"]]


def on_a_dict(rng):
    words, images, x, given = two(rng)
    return keras.Model({"words": words, "images": images}, x), given


def tinted(rng, *shape):
    """Whole numbers in [0, 255], of each item about another."""
    tint = rng.integers(0, 192, (N, 1, 1, shape[-1]))
    return tint + rng.integers(0, 64, (N, *shape))


def on_strings(rng):
    inputs = keras.Input((1,), dtype="string", name="text")
    words = ["ape", "bee", "cat", "dog", "eel", "fox", "gnu", "hen"]
    x = keras.layers.TextVectorization(
        output_sequence_length=5, vocabulary=words
    )(inputs)
    x = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(10, 8)(x))
    texts = [" ".join(rng.choice(words, 5)) for _ in range(N)]
    return keras.Model(inputs, x), np.array(texts, object)[:, None]


KINDS = {
    "vectors": on_vectors,
    "grey": on_grey,
    "13 channels": on_bands,
    "any size": on_any_size,
    "token ids": on_token_ids,
    "two inputs": on_two,
    "dict": on_a_dict,
    "strings": on_strings,
}


# Of images whose size is known.
SIZES = {"grey": (12, 10), "13 channels": (6, 6)}


def hashnet_on(backbone, inputs):
    """Returns a HashNet of 12 bits whose every z is about as often negative."""
    model = hn.HashNet(backbone, 12)
    kernel, _ = model.hash_layer.get_weights()
    features = backbone.predict_on_batch(inputs)
    z = features @ kernel
    model.hash_layer.set_weights(
        [kernel / z.std(axis=0), -z.mean(axis=0) / z.std(axis=0)]
    )
    return model


def made(kind):
    """Returns a HashNet of a kind, and N inputs of it."""
    keras.utils.set_random_seed(0)
    backbone, inputs = KINDS[kind](np.random.default_rng(0))
    return hashnet_on(backbone, inputs), inputs


class Models(dict):
    """For each kind a HashNet, inputs of it and the codes it gives them."""

    def __missing__(self, kind):
        model, inputs = made(kind)
        # tanh has the sign of z.
        codes = np.packbits(model.predict_on_batch(inputs) >= 0, axis=1)
        assert len(np.unique(codes, axis=0)) > 5
        self[kind] = model, inputs, codes
        return self[kind]


@pytest.fixture(scope="module")
def models():
    return Models()


@pytest.fixture(scope="module")
def artefacts(models, tmp_path_factory):
    """Function from a kind and a format to what is written, once."""
    folder, there = tmp_path_factory.mktemp("artefacts"), {}
    write = {
        "saved_model": hn.export.to_saved_model,
        "litert": with_z,
        "onnx": hn.export.to_onnx,
    }

    def artefact(kind, form):
        if (kind, form) not in there:
            place = folder / f"{kind}.{form}"
            there[kind, form] = write[form](models[kind][0], place)
        return there[kind, form]

    return artefact


def with_z(model, path):
    return hn.export.to_litert(model, path, z=True)


CHECKS = {
    "saved_model": hn.export.check_saved_model,
    "litert": hn.export.check_litert,
    "onnx": hn.export.check_onnx,
}
HAS_ONNX = all(map(importlib.util.find_spec, ("tf2onnx", "onnxruntime")))
needs_onnx = pytest.mark.skipif(not HAS_ONNX, reason="needs the extra [onnx]")
FORMS = pytest.mark.parametrize(
    "form",
    [
        pytest.param(form, marks=needs_onnx if form == "onnx" else ())
        for form in CHECKS
    ],
)
# Of two that take the same way one is enough for every day.
SLOW = ("grey", "13 channels", "two inputs", "strings")
OF_KINDS = [
    pytest.param(kind, marks=pytest.mark.slow if kind in SLOW else ())
    for kind in KINDS
]


@FORMS
@pytest.mark.parametrize("kind", OF_KINDS)
def test_no_bit_moves(kind, form, models, artefacts):
    if kind == "strings" and form != "saved_model":
        pytest.skip("it takes no strings, as another test shows")
    model, inputs, codes = models[kind]
    path = artefacts(kind, form)
    report = CHECKS[form](path, model, inputs)
    assert (report.bits_compared, report.bits_moved) == (N * 12, 0)
    encoder = hn.export.load_encoder(path)
    np.testing.assert_array_equal(encoder.encode(inputs), codes)
    # In batches, as `HashNet.encode` takes them too.
    parts = [
        keras.tree.map_structure(lambda x, k=k: x[k : k + 20], inputs)
        for k in range(0, N, 20)
    ]
    np.testing.assert_array_equal(encoder.encode(parts), codes)
    assert CHECKS[form](path, model, parts).bits_moved == 0
    with pytest.raises(ValueError, match="for encoders of RGB images"):
        encoder.encode_files(["cat.jpg"])
    assert encoder.image_size == SIZES.get(kind)
    assert encoder.framing == "whole"


@pytest.mark.parametrize("kind", OF_KINDS)
def test_the_saved_model_has_the_models_inputs(kind, models, artefacts):
    model, inputs, _ = models[kind]
    path = artefacts(kind, "saved_model")
    encoder = hn.export.SavedModelEncoder(path)
    signatures = {
        name: signature
        for name, signature in encoder.signatures.items()
        if not name.startswith("__")
    }
    assert signatures.keys() == {"serving_default", "serve", "embed"}
    expected = {
        tensor._keras_history.operation.name: {
            "int64": "int32",
        }.get(tensor.dtype, tensor.dtype)
        for tensor in model.backbone.inputs
    }
    for signature in signatures.values():
        assert {
            name: tf.as_dtype(tensor.dtype).name
            for name, tensor in signature.inputs.items()
        } == expected
    told = json.loads((path / "assets.extra" / "hashnet.json").read_text())
    assert {told_["name"]: told_["dtype"] for told_ in told["inputs"]} == (
        expected
    )
    assert not {"image_size", "preprocessing"} & told.keys()
    assert ("framing" in told) == (kind in SIZES)
    z = np.concatenate(
        [encoder.run("embed", b)["z"] for b in encoder.inputs.batches(inputs)]
    )
    expected = np.arctanh(model.predict_on_batch(inputs).astype("float64"))
    small = np.abs(expected) < 3
    np.testing.assert_allclose(z[small], expected[small], atol=1e-3)
    assert (path / "assets.extra" / "tf_serving_warmup_requests").is_file()


def test_the_litert_file_has_the_models_inputs(models, artefacts):
    model, inputs, _ = models["dict"]
    encoder = hn.export.LiteRTEncoder(artefacts("dict", "litert"))
    assert encoder.description["form"] == "dict"
    assert encoder.description["inputs"] == [
        {"name": "images", "shape": [None, 8, 8, 3], "dtype": "float32"},
        {"name": "words", "shape": [None, 6], "dtype": "int32"},
    ]
    z = np.asarray(model.logits(inputs, training=False))
    np.testing.assert_allclose(encoder.embed(inputs), z, atol=1e-5)


WRONG = {
    "shape": ("images", lambda x: x[:, :7], r"images.shape=\(70, 7, 8, 3\)"),
    "length": ("images", lambda x: x[:5], r"images.shape=\(5, 8, 8, 3\)"),
    "fractions": ("words", lambda x: x + 0.5, "fractions in 32 of 32 inputs"),
    "text": ("words", lambda x: x.astype(str), "words.dtype=<U21"),
    "NaN": ("images", lambda x: x * np.nan, "NaN for 32 of 32 inputs"),
    "scaled": ("images", lambda x: x / 255, r"lie in \[0, 1\] or \[-1, 1\]"),
}


@FORMS
@pytest.mark.parametrize("wrong", WRONG)
def test_refuses_what_the_model_refuses(wrong, form, models, artefacts):
    model, inputs, _ = models["dict"]
    name, change, message = WRONG[wrong]
    given = {**inputs, name: change(inputs[name])}
    encoder = hn.export.load_encoder(artefacts("dict", form))
    with pytest.raises(ValueError, match=f"`.*Received: .*{message}") as one:
        encoder.encode(given)
    with pytest.raises(ValueError) as other:
        # In batches as large, which the sentences count.
        model.encode(given, batch_size=32)
    assert str(one.value) == str(other.value)


@FORMS
def test_refuses_what_its_signature_cannot_hold(form, models, artefacts):
    encoder = hn.export.load_encoder(artefacts("vectors", form))
    x = models["vectors"][1].copy()
    x[3, 2] = np.inf
    with pytest.raises(ValueError, match="`features` must be finite float32"):
        encoder.encode(x)
    encoder = hn.export.load_encoder(artefacts("token ids", form))
    with pytest.raises(ValueError, match="`token_ids` must be int32"):
        encoder.encode(np.full((2, 7), 2**31))


def test_the_graph_itself_refuses(models, artefacts):
    path = artefacts("dict", "saved_model")
    loaded = tf.saved_model.load(str(path)).signatures
    good = {
        "words": tf.zeros([2, 6], tf.int32),
        "images": tf.zeros([2, 8, 8, 3]),
    }
    for name in ("serving_default", "embed"):
        loaded[name](**good)
        for wrong in (
            {"words": tf.zeros([2, 5], tf.int32)},
            {"images": tf.zeros([2, 8, 9, 3])},
            {"images": good["images"] + np.nan},
        ):
            with pytest.raises(tf.errors.InvalidArgumentError):
                loaded[name](**{**good, **wrong})


@pytest.mark.slow
def test_litert_tells_why_it_takes_no_strings(models, tmp_path):
    with pytest.raises(ValueError, match="looks no string up.*'text' of str"):
        hn.export.to_litert(models["strings"][0], tmp_path / "a.tflite")
    ids = keras.Input((3,), dtype="int64", name="ids")
    x = keras.layers.IntegerLookup(vocabulary=[10, 20])(ids)
    x = keras.layers.Flatten()(keras.layers.Embedding(4, 8)(x))
    model = hn.HashNet(keras.Model(ids, x), 12)
    with pytest.raises(ValueError, match="LiteRT has; .*LookupTableFind"):
        hn.export.to_litert(model, tmp_path / "a.tflite")
    assert list(tmp_path.iterdir()) == []
    # Of a SavedModel the table is a part.
    path = hn.export.to_saved_model(model, tmp_path)
    given = np.random.default_rng(0).choice([10, 20, 30], (N, 3))
    assert hn.export.check_saved_model(path, model, given).bits_moved == 0


@needs_onnx
def test_onnx_tells_what_it_does_not_take(models, tmp_path):
    ids = keras.Input((3,), dtype="int64", name="ids")
    x = keras.layers.IntegerLookup(vocabulary=[10, 20])(ids)
    x = keras.layers.Flatten()(keras.layers.Embedding(4, 8)(x))
    model = hn.HashNet(keras.Model(ids, x), 12)
    with pytest.raises(ValueError, match="ONNX has; .*LookupTableFind"):
        hn.export.to_onnx(model, tmp_path / "a.onnx")
    with pytest.raises(ValueError, match="looks no string up.*'text' of str"):
        hn.export.to_onnx(models["strings"][0], tmp_path / "a.onnx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["vectors", "token ids", "dict"])
def test_int8_of_representative_inputs(kind, models, tmp_path):
    model, inputs, codes = models[kind]
    batches = [
        keras.tree.map_structure(lambda x, k=k: x[k : k + 14], inputs)
        for k in range(0, N, 14)
    ]
    path = hn.export.to_litert(
        model, tmp_path / "a.tflite", "int8", batches, batch_size=4
    )
    assert hn.export.check_litert(path, model, inputs).share < 0.05
    encoder = hn.export.LiteRTEncoder(path)
    # The batch is filled up.
    few = keras.tree.map_structure(lambda x: x[:5], inputs)
    found = encoder.encode(few)
    assert np.unpackbits(found ^ codes[:5], axis=1).mean() < 0.1


@pytest.mark.parametrize(
    "batches, message",
    [
        ([np.zeros((31, 7), int)], "training inputs. Received: 31 inputs"),
        (
            [np.zeros((20, 7), int), np.zeros((20, 8), int)],
            r"of one size.*\[\(\(7,\),\), \(\(8,\),\)\]",
        ),
        ([(np.zeros((40, 7), int), np.zeros(40))], "labels. Received: a tuple"),
        ([np.zeros((40, 7)) + 0.5], "`representative` must .* fractions"),
    ],
)
def test_int8_needs_representative_inputs(batches, message, models, tmp_path):
    path = tmp_path / "a.tflite"
    with pytest.raises(ValueError, match=message):
        hn.export.to_litert(models["token ids"][0], path, "int8", batches)
    assert not path.exists()


@pytest.mark.slow
def test_samples_are_run_where_made_up_inputs_cannot_be(tmp_path):
    # Sequences shorter than the kernel there are none.
    inputs = keras.Input((None, 4), name="sequence")
    x = keras.layers.Conv1D(8, 12)(inputs)
    x = keras.layers.GlobalAveragePooling1D()(x)
    x_given = np.random.default_rng(0).normal(size=(40, 15, 4))
    model = hashnet_on(keras.Model(inputs, x), x_given)
    path = hn.export.to_saved_model(model, tmp_path / "s", samples=x_given)
    assert hn.export.check_saved_model(path, model, x_given).bits_moved == 0
    path = hn.export.to_litert(model, tmp_path / "a.tflite", samples=x_given)
    assert hn.export.check_litert(path, model, x_given).bits_moved == 0
    with pytest.raises(ValueError, match="`samples` must be at least one"):
        hn.export.to_litert(model, tmp_path / "b.tflite", samples=x_given[:0])


def test_a_name_that_is_none_of_a_signature_is_refused(tmp_path):
    inputs = keras.Input((8,), name="my-features")
    model = hn.HashNet(keras.Model(inputs, inputs), 12)
    with pytest.raises(ValueError, match="Received: 'my-features'$"):
        hn.export.to_saved_model(model, tmp_path)


def test_an_image_dtype_is_of_images(models, tmp_path):
    with pytest.raises(ValueError, match="Received: image_dtype='float32'$"):
        hn.export.to_saved_model(
            models["vectors"][0], tmp_path, image_dtype="float32"
        )


def test_an_image_embedder_takes_images_alone(models, tmp_path):
    with pytest.raises(ValueError, match=r"must take images .*\(None, 8\)"):
        hn.export.to_image_embedder(models["vectors"][0], tmp_path / "a.tflite")


def test_nothing_to_check_is_refused(models, artefacts):
    model, inputs, _ = models["vectors"]
    with pytest.raises(ValueError, match="`inputs` must be at least one"):
        hn.export.check_litert(
            artefacts("vectors", "litert"), model, inputs[:0]
        )
