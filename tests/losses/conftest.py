import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_digits

import hashnet_tf as hn

N = 9


@pytest.fixture(scope="session")
def labels_by_name():
    """Labels of nine images of up to four classes, by name."""
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 4, N)
    ids[:4] = np.arange(4)
    many = (rng.random((N, 4)) < 0.4).astype("int64")
    many[:4] |= np.eye(4, dtype="int64")
    many[6] = 0
    return {
        "ids": ids,
        "column of ids": ids[:, None],
        "floats": ids.astype("float32"),
        "unknown ids": np.where(np.arange(N) % 4 == 1, -1, ids),
        "one-hot": np.eye(4, dtype="uint8")[ids],
        "multi-hot": many,
        "unknown labels": np.where(rng.random((N, 4)) < 0.15, -1, many),
        "all unknown": np.full(N, -1),
        "no labels": np.zeros((N, 4), "int64"),
    }


NAMES = [
    "ids",
    "column of ids",
    "floats",
    "unknown ids",
    "one-hot",
    "multi-hot",
    "unknown labels",
    "all unknown",
    "no labels",
]


@pytest.fixture(params=NAMES)
def labels(request, labels_by_name):
    return labels_by_name[request.param]


@pytest.fixture(scope="session")
def codes():
    """Returns a function from a width to float32 `[9, width]`."""

    def draw(width, scale=1.5):
        rng = np.random.default_rng(width)
        return (scale * rng.normal(size=(N, width))).astype("float32")

    return draw


def classes_of(labels):
    """The set of known classes of each image."""
    if labels.ndim == 2 and labels.shape[1] > 1:
        return [{k for k, v in enumerate(row) if v > 0} for row in labels]
    return [{int(k)} if k >= 0 else set() for k in labels.ravel()]


@pytest.fixture(scope="session")
def by_image():
    """Turns a loss of an image's classes and outputs into one of rows."""

    def rows_of(image_loss):
        def rows(y, outputs):
            sets = classes_of(y)
            counted = sum(map(bool, sets))
            return np.array(
                [
                    image_loss(known, row) * len(sets) / counted
                    if known
                    else 0.0
                    for known, row in zip(sets, outputs, strict=True)
                ]
            )

        return rows

    return rows_of


@pytest.fixture(scope="session")
def check_loss(slow):
    """Holds a loss to a slow function of labels and outputs to rows."""

    def check(loss, rows_by_loop, y, outputs):
        expected = rows_by_loop(y, outputs.astype("float64"))
        found = np.asarray(loss.call(tf.constant(y), tf.constant(outputs)))
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
        value = float(loss(y, outputs))
        np.testing.assert_allclose(value, expected.mean(), rtol=1e-5, atol=1e-7)
        weights = np.arange(1, N + 1) / 4
        np.testing.assert_allclose(
            loss(y, outputs, sample_weight=weights),
            np.mean(weights * expected),
            rtol=1e-5,
            atol=1e-7,
        )
        variable = tf.Variable(outputs)
        with tf.GradientTape() as tape:
            value = loss(y, variable)
        gradient = tape.gradient(value, variable).numpy()
        np.testing.assert_allclose(
            gradient,
            slow.gradient(
                lambda x: rows_by_loop(y, x).mean(), outputs.astype("float64")
            ),
            rtol=1e-4,
            atol=2e-6,
        )
        half = tf.cast(outputs, "float16")
        assert float(loss(y, half)) == float(loss(y, tf.cast(half, "float32")))
        assert loss(y, half).dtype == "float32"

    return check


@pytest.fixture(scope="session")
def check_restored():
    """Holds a loss to what its configuration, as JSON, brings back."""

    def check(loss, y, outputs):
        stored = json.dumps(keras.saving.serialize_keras_object(loss))
        twin = keras.saving.deserialize_keras_object(json.loads(stored))
        assert type(twin) is type(loss)
        assert twin.get_config() == loss.get_config()
        assert float(twin(y, outputs)) == float(loss(y, outputs))

    return check


@pytest.fixture(params=["float32", "mixed_float16"])
def policy(request):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy(before)


@pytest.fixture(scope="session")
def digits():
    data = load_digits()
    return (data.data / 16).astype("float32")[:900], data.target[:900]


@pytest.fixture
def check_training(digits, policy):
    """Trains a HashNet on digits and measures its codes."""

    def check(loss, wrap=lambda hashnet: hashnet, least=0.6):
        x, ids = digits
        keras.utils.set_random_seed(0)
        inputs = keras.Input((64,))
        hidden = keras.layers.Dense(64, activation="relu")(inputs)
        hashnet = hn.HashNet(keras.Model(inputs, hidden), bits=16)
        model = wrap(hashnet)

        def measure():
            codes = hashnet.encode(x)
            return hn.retrieval.evaluate(
                codes[:100], codes[100:], ids[:100], ids[100:]
            ).map

        whole = policy == "float32"
        # Eagerly, for a few steps: to compile takes longer than to train.
        model.compile(
            keras.optimizers.Adam(0.01),
            loss,
            run_eagerly=not whole,
            jit_compile=False,
        )
        losses = model.fit(
            x[100:],
            ids[100:],
            batch_size=100,
            epochs=20 if whole else 2,
            verbose=0,
        ).history["loss"]
        assert losses[-1] < losses[0]
        if whole:
            assert losses[-1] < 0.9 * losses[0]
            # Chance is 0.1, and codes of random weights reach about 0.26.
            assert measure() > least

    return check
