"""HashNets on lists and dicts of inputs."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import hashnet_tf as hn

N = 21
FORMS = pytest.mark.parametrize("form", ["list", "dict"])


@pytest.fixture(scope="module")
def given():
    """Word ids `[21, 6]` and an age `[21, 1]`, by name."""
    rng = np.random.default_rng(0)
    return {
        "words": rng.integers(0, 9, (N, 6)).astype("int32"),
        "age": rng.normal(size=(N, 1)).astype("float32"),
    }


def made(form, bits=12):
    """Returns a HashNet whose backbone knows its inputs as "words", "age"."""
    keras.utils.set_random_seed(bits)
    words = keras.Input((None,), dtype="int32", name="words")
    age = keras.Input((1,), name="age")
    x = keras.layers.Embedding(9, 8)(words)
    x = keras.layers.GlobalAveragePooling1D()(x)
    x = keras.layers.Concatenate()([x, age])
    x = keras.layers.Dense(16, activation="tanh")(x)
    inputs = [words, age] if form == "list" else {"words": words, "age": age}
    layer = keras.layers.Dense(bits, name="hash")
    return hn.HashNet(keras.Model(inputs, x), bits, hash_layer=layer)


def in_form(form, given):
    return given if form == "dict" else [given["words"], given["age"]]


def expected_codes(model, given):
    """Codes by a loop over the items, in float64."""
    table, kernel, bias, *hash_weights = (
        np.float64(weight) for weight in model.get_weights()[:5]
    )
    rows = []
    for words, age in zip(given["words"], given["age"], strict=True):
        mean = sum(table[word] for word in words) / len(words)
        hidden = np.tanh(np.concatenate([mean, age]) @ kernel + bias)
        rows.append(hidden @ hash_weights[0] + hash_weights[1])
    z = np.array(rows)
    assert np.abs(z).min() > 1e-5 and 0.3 < (z >= 0).mean() < 0.7
    return np.packbits(z >= 0, axis=1)


@FORMS
def test_encodes_arrays_and_batches_of_its_form(form, given):
    model, inputs = made(form), in_form(form, given)
    expected = expected_codes(model, given)
    data = tf.data.Dataset.from_tensor_slices(
        given if form == "dict" else (given["words"], given["age"])
    )
    halves = [
        in_form(form, {name: x[part] for name, x in given.items()})
        for part in (slice(0, 8), slice(8, 8), slice(8, N))
    ]
    ways = [inputs, data.batch(4), halves, iter(halves)]
    if form == "list":
        ways += [tuple(inputs), [tuple(half) for half in halves]]
    for way in ways:
        np.testing.assert_array_equal(model.encode(way, batch_size=5), expected)
    nothing = in_form(form, {name: x[:0] for name, x in given.items()})
    assert model.encode(nothing).shape == (0, 2)


@FORMS
def test_fits_predicts_and_is_saved(form, given, tmp_path):
    model, inputs = made(form), in_form(form, given)
    loss = hn.losses.WeightedPairwiseLoss()
    model.compile(keras.optimizers.Adam(0.1), loss, run_eagerly=True)
    labels = np.arange(N) % 3
    before = [weight.numpy() for weight in model.trainable_weights]
    model.fit(inputs, labels, batch_size=7, verbose=0)
    for old, weight in zip(before, model.trainable_weights, strict=True):
        assert (old != weight.numpy()).any(), weight.path
    z = np.asarray(model.logits(inputs, training=False))
    np.testing.assert_allclose(
        model.predict(inputs, verbose=0), np.tanh(z), atol=1e-5
    )
    assert model.compute_output_shape(
        keras.tree.map_structure(np.shape, inputs)
    ) == (N, 12)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.encode(inputs), model.encode(inputs))
    assert [tuple(t.shape) for t in loaded.inputs] == [
        tuple(t.shape) for t in model.inputs
    ]


def test_encode_of_one_input_in_a_dict(given):
    age = keras.Input((1,), name="age")
    model = hn.HashNet(keras.Model({"age": age}, age), 8)
    codes = model.encode(given["age"])
    assert codes.shape == (N, 1)
    one = {"age": given["age"]}
    for inputs in (one, [one], [given["age"]]):
        np.testing.assert_array_equal(model.encode(inputs), codes)


WRONG = {
    "a longer one": (
        lambda g: {**g, "age": g["age"][:4]},
        "`inputs` must all hold the same number of items. Received:"
        " age.shape=(4, 1), words.shape=(21, 6)",
    ),
    "shape": (
        lambda g: {**g, "age": g["age"][:, 0]},
        "`age` must be one array [n, 1] of numbers. Received: age.shape=(21,),"
        " age.dtype=float32",
    ),
    "dtype": (
        lambda g: {**g, "words": g["words"].astype(str)},
        "`words` must be one array [n, any] of whole numbers. Received:"
        " words.shape=(21, 6), words.dtype=<U11",
    ),
    "fractions": (
        lambda g: {**g, "words": g["words"] + 0.5},
        "`words` must be one array [n, any] of whole numbers. Received:"
        " fractions in 21 of 21 inputs",
    ),
    "NaN": (
        lambda g: {**g, "age": g["age"] * np.nan},
        "`age` must be one array [n, 1] of numbers. Received: NaN for 21 of 21"
        " inputs",
    ),
    "no array": (
        lambda g: {**g, "age": [1.0] * N},
        "`age` must be one array [n, 1] of numbers. Received: a list of 21 of"
        " float",
    ),
}


@FORMS
@pytest.mark.parametrize("wrong", WRONG)
def test_an_input_is_refused_by_its_name(wrong, form, given):
    change, message = WRONG[wrong]
    model = made(form)
    inputs = in_form(form, change(given))
    if form == "list":
        if wrong == "no array":
            message = "Each batch must be a list or tuple of 2 arrays, `words`"
        if wrong == "a longer one":
            message = "Received: words.shape=(21, 6), age.shape=(4, 1)"
    with pytest.raises(ValueError) as error:
        model.encode(inputs)
    assert message in str(error.value)


def test_another_form_is_refused(given):
    listed, dicted = made("list"), made("dict")
    both = [given["words"], given["age"]]
    of_list = "a list or tuple of 2 arrays, `words`, `age`, without labels."
    of_dict = "a dict of 2 arrays, `age`, `words`, without labels."
    labelled = tf.data.Dataset.from_tensor_slices((given, range(N))).batch(4)
    cases = [
        (listed, given, of_list, "a dict of 2: words, age"),
        (listed, both[0], of_list, "one array of shape (21, 6)"),
        (listed, [*both, both[1]], of_list, "one array of shape (21, 6)"),
        (listed, [tuple(both), tuple(both[:1])], of_list, "a tuple of 1"),
        (listed, 7, of_list, "7"),
        (dicted, both, of_dict, "one array of shape (21, 6)"),
        (dicted, both[1], of_dict, "one array of shape (21, 1)"),
        (dicted, {"words": both[0]}, of_dict, "a dict of 1: words"),
        (dicted, {**given, "x": both[1]}, of_dict, "a dict of 3: words, age"),
        (dicted, labelled, of_dict, "a tuple of 2"),
        (dicted, "words", of_dict, "'words'"),
    ]
    for model, inputs, wanted, received in cases:
        with pytest.raises(ValueError) as error:
            model.encode(inputs)
        assert f"{wanted} Received: {received}" in str(error.value)


def test_inputs_in_one_another_are_refused():
    a, b = keras.Input((8,)), keras.Input((4,))
    joined = keras.Model([[a], b], keras.layers.Concatenate()([a, b]))
    with pytest.raises(ValueError, match="must take a list or a dict"):
        hn.HashNet(joined, 16)


@FORMS
def test_on_top_of_takes_several(form, given):
    whole, inputs = made(form), in_form(form, given)
    # First: JAX takes the weights away that two models share.
    expected = whole.encode(inputs)
    network = whole.backbone
    features = keras.Input((16,))
    head = hn.HashNet(keras.Model(features, features), 12)
    head.hash_layer.set_weights(whole.hash_layer.get_weights())
    joined = head.on_top_of(network)
    assert isinstance(joined.input, dict if form == "dict" else list)
    np.testing.assert_array_equal(joined.encode(inputs), expected)
    # And a head of several inputs on a network of several outputs.
    outputs = keras.tree.map_structure(lambda x: x, network.input)
    same = keras.Model(network.input, outputs)
    joined = whole.on_top_of(same)
    np.testing.assert_array_equal(joined.encode(inputs), expected)


@FORMS
@pytest.mark.parametrize("kind", ["LogitsModel", "ClassifiedModel"])
def test_training_models(kind, form, given, tmp_path):
    hashnet, inputs = made(form), in_form(form, given)
    more = {"classes": 3} if kind == "ClassifiedModel" else {}
    model = getattr(hn.models, kind)(hashnet, **more)
    outputs = np.asarray(model(inputs))
    assert outputs.shape == (N, 12 + 3 * len(more))
    np.testing.assert_allclose(
        outputs[:, -12:], hashnet.logits(inputs), atol=1e-6
    )
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(inputs), outputs, atol=1e-6)


@FORMS
def test_pairs(form, given, tmp_path):
    hashnet = made(form)
    first = in_form(form, given)
    second = in_form(form, {name: x[::-1] for name, x in given.items()})
    model = hn.models.PairModel(hashnet)
    g = model((first, second))
    for k, inputs in enumerate((first, second)):
        np.testing.assert_allclose(g[:, k], hashnet(inputs), atol=1e-6)
    model.compile("adam", hn.losses.GivenPairsLoss(), run_eagerly=True)
    before = hashnet.hash_layer.kernel.numpy()
    model.fit((first, second), np.arange(N) % 2, verbose=0)
    assert (hashnet.hash_layer.kernel.numpy() != before).any()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        loaded((first, second)), model((first, second)), atol=1e-6
    )
