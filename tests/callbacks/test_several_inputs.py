"""What the callbacks measure of HashNets on lists and dicts of inputs."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import hashnet_tf as hn

N = 18
LABELS = np.arange(N) % 3
FORMS = pytest.mark.parametrize("form", ["list", "dict"])


@pytest.fixture(scope="module")
def given():
    rng = np.random.default_rng(1)
    near = np.eye(3)[LABELS]
    return {
        "a": (near + 0.4 * rng.normal(size=(N, 3))).astype("float32"),
        "b": rng.normal(size=(N, 2)).astype("float32"),
    }


def made(form):
    keras.utils.set_random_seed(0)
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    x = keras.layers.Dense(9)(keras.layers.Concatenate()([a, b]))
    backbone = keras.Model([a, b] if form == "list" else {"a": a, "b": b}, x)
    model = hn.HashNet(backbone, 12)
    loss = hn.losses.WeightedPairwiseLoss()
    model.compile(keras.optimizers.Adam(0.05), loss, run_eagerly=True)
    return model


def in_form(form, given):
    return given if form == "dict" else [given["a"], given["b"]]


def expected_map(model, inputs):
    """MAP of the codes by a loop, each item less itself."""
    bits = np.unpackbits(model.encode(inputs), axis=1, count=12)
    found = []
    for i in range(N):
        others = np.delete(np.arange(N), i)
        report = hn.retrieval.evaluate(
            np.packbits(bits[i : i + 1], axis=1),
            np.packbits(bits[others], axis=1),
            LABELS[i : i + 1],
            LABELS[others],
            bits=12,
            at=5,
            file_order=False,
        )
        found.append(report.map)
    return np.mean(found)


@FORMS
def test_callbacks_of_a_fit(form, given):
    model, inputs = made(form), in_form(form, given)
    evaluation = hn.callbacks.RetrievalEvaluation(inputs, LABELS, at=5)
    monitor = hn.callbacks.ContinuationMonitor(inputs, LABELS)
    logs = model.fit(
        inputs, LABELS, verbose=0, callbacks=[evaluation, monitor]
    ).history
    assert logs["val_map"] == [pytest.approx(expected_map(model, inputs))]
    g = model.predict(inputs, verbose=0)
    assert logs["gap"] == [pytest.approx(np.mean(1 - np.abs(g)), rel=1e-5)]


@FORMS
def test_held_out_batches(form, given):
    model = made(form)
    x = given if form == "dict" else (given["a"], given["b"])
    # The last batch is as small as there are inputs.
    data = tf.data.Dataset.from_tensor_slices((x, LABELS)).batch(4)
    evaluation = hn.callbacks.RetrievalEvaluation(data, at=5)
    evaluation.set_model(model)
    expected = expected_map(model, in_form(form, given))
    assert evaluation.measure() == pytest.approx(expected)


@FORMS
def test_a_hashnet_in_a_functional_model_of_several_inputs(form, given):
    model = made(form)
    # In another order, and through a layer.
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    scaled = keras.layers.Rescaling(2.0)(a)
    inner = {"a": scaled, "b": b} if form == "dict" else [scaled, b]
    outer = keras.Model({"b": b, "a": a}, model(inner))
    evaluation = hn.callbacks.RetrievalEvaluation(given, LABELS, at=5)
    evaluation.set_model(outer)
    doubled = in_form(form, {**given, "a": 2 * given["a"]})
    expected = expected_map(model, doubled)
    assert evaluation.measure() == pytest.approx(expected)


def test_inputs_of_several_lengths_are_refused(given):
    other = {**given, "a": given["a"][:5]}
    for callback in ("RetrievalEvaluation", "ContinuationMonitor"):
        with pytest.raises(ValueError, match=r"Received: \[5, 18\]"):
            getattr(hn.callbacks, callback)(other, LABELS)


def test_a_list_of_single_images_stays_one_input(given):
    rows = list(given["a"])
    evaluation = hn.callbacks.RetrievalEvaluation(rows, LABELS, at=5)
    np.testing.assert_array_equal(evaluation.images, given["a"])
