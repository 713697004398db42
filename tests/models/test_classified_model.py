import re

import keras
import numpy as np
import pytest
import tensorflow as tf

import hashnet_tf as hn

CLASSES, BITS = 3, 12


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((20,))
    x = keras.layers.Dense(16, activation="relu")(inputs)
    hashnet = hn.HashNet(keras.Model(inputs, x), bits=BITS)
    return hn.models.ClassifiedModel(hashnet, CLASSES)


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(size=(30, 20)).astype("float32")


def test_classifies_the_signs(model, x):
    outputs = model.predict(x, verbose=0)
    logits, z = outputs[:, :CLASSES], outputs[:, CLASSES:]
    np.testing.assert_array_equal(
        z, hn.models.LogitsModel(model.hashnet).predict(x, verbose=0)
    )
    (kernel,) = model.classifier.get_weights()
    h = np.where(z >= 0, 1.0, -1.0)
    np.testing.assert_allclose(logits, h @ kernel, rtol=1e-5, atol=1e-6)


def test_the_gradient_by_the_signs_is_handed_on_to_z(model, x):
    features = model.hashnet.backbone(x)
    with tf.GradientTape() as tape:
        logits = model(x)[:, :CLASSES]
        value = tf.reduce_sum(logits * np.arange(3.0, dtype="float32"))
    found = tape.gradient(value, model.hashnet.hash_layer.kernel)
    # As if the logits were z times the classifier's kernel.
    (kernel,) = model.classifier.get_weights()
    by_z = np.tile(kernel @ np.arange(3.0), (30, 1))
    expected = np.asarray(features).T @ by_z
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_the_classifier_is_trained_too_and_all_is_restored(model, x, tmp_path):
    before = model.classifier.get_weights()[0].copy()
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(x, np.ones((30, CLASSES + BITS)), verbose=0)
    assert (model.classifier.get_weights()[0] != before).any()
    path = tmp_path / "model.keras"
    model.save(path)
    loaded = keras.saving.load_model(path)
    assert type(loaded) is hn.models.ClassifiedModel
    np.testing.assert_array_equal(
        loaded.predict(x, verbose=0), model.predict(x, verbose=0)
    )
    model.hashnet.save(path)
    alone = keras.saving.load_model(path)
    np.testing.assert_array_equal(alone.encode(x), model.hashnet.encode(x))


@pytest.mark.parametrize("classes", [0, -1, 2.0, None])
def test_refuses_a_wrong_number_of_classes(model, classes):
    received = re.escape(f"Received: classes={classes!r}")
    with pytest.raises(ValueError, match=received):
        hn.models.ClassifiedModel(model.hashnet, classes)
