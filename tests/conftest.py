import contextlib
import gc

import numpy as np
import pytest

# Tests of numpy alone need not wait for Keras, which is imported where used.


def pytest_collection_modifyitems(items):
    """Begins with the longest, so that no process is left alone with one."""
    items.sort(key=lambda item: item.get_closest_marker("longest") is None)


def pytest_collection_finish():
    """Keeps what is imported out of the garbage collector's rounds.

    Graphs are many small objects, and each of their collections looked
    through all of TensorFlow: an eighth of the time of the tests.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


def tiny(image_shape):
    """A backbone that compiles in no time."""
    import keras

    images = keras.Input(image_shape, name="images")
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(images)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(16, activation="relu")(x)
    return keras.Model(images, x, name="tiny")


@pytest.fixture(scope="session")
def tiny_backbone():
    """Function that makes the backbone which is called "tiny" meanwhile."""
    from hashnet_tf.models import backbones

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(backbones.OWN, "tiny", tiny)
        yield tiny


@pytest.fixture(scope="session")
def config_of(tiny_backbone):
    """Makes settings of a training of 4 steps on 200 digits."""
    import hashnet_tf as hn

    def make(**settings):
        small = {
            "data": "digits",
            "backbone": "tiny",
            "image_size": 8,
            "train_per_class": 20,
            "batch_size": 50,
            "epochs": 1,
            "bits": 12,
            "learning_rate": 1e-3,
        }
        return hn.runs.TrainingConfig(**{**small, **settings})

    return make


@pytest.fixture(scope="session")
def weights_file(tiny_backbone, tmp_path_factory):
    """File of weights of "tiny" on images of 8 pixels a side."""
    network = tiny_backbone((8, 8, 3))
    rng = np.random.default_rng(5)
    for weight in network.weights:
        weight.assign(rng.normal(size=weight.shape))
    path = tmp_path_factory.mktemp("weights") / "tiny.weights.h5"
    network.save_weights(path)
    return str(path)


def relation(a, b, overlap=False):
    """Returns `(s_ij, c_ij)` of two items' labels, None if not known."""
    if np.ndim(a) == 0:
        return None if a < 0 or b < 0 else (int(a == b), 1.0)
    has_a, has_b = ({k for k, v in enumerate(x) if v > 0} for x in (a, b))
    may_a, may_b = ({k for k, v in enumerate(x) if v != 0} for x in (a, b))
    if has_a & has_b:
        c = len(has_a & has_b) / len(has_a | has_b) if overlap else 1.0
        return 1, c
    return None if may_a & may_b else (0, 1.0)


def rows_by_loop(n, pairs, alpha, class_weights):
    """Eq. 4 in float64: pairs `(row, g_i, g_j, s_ij, c_ij)` to n values."""
    total = len(pairs)
    n_similar = sum(s for _, _, _, s, _ in pairs)
    if class_weights == "batch":
        w1 = total / n_similar if n_similar else 0.0
        w0 = total / (total - n_similar) if total > n_similar else 0.0
    else:
        w1, w0 = class_weights or (1.0, 1.0)
    rows = np.zeros(n)
    for row, g_i, g_j, s, c in pairs:
        theta = alpha * sum(
            float(x) * float(y) for x, y in zip(g_i, g_j, strict=True)
        )
        likelihood = np.logaddexp(0.0, theta) - s * theta
        rows[row] += c * (w1 if s else w0) * likelihood * n / total
    return rows


def loss_by_loop(g, relate, alpha, class_weights):
    """Values a row over all i != j; `relate(i, j)` as `relation` returns."""
    pairs = [
        (i, g[i], g[j], *known)
        for i in range(len(g))
        for j in range(len(g))
        if i != j and (known := relate(i, j)) is not None
    ]
    return rows_by_loop(len(g), pairs, alpha, class_weights)


def finite_differences(function, x, step=1e-6):
    """Gradient of a function of a float64 array, by central differences."""
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        moved = x.copy()
        moved[index] += step
        above = function(moved)
        moved[index] -= 2 * step
        gradient[index] = (above - function(moved)) / (2 * step)
    return gradient


class Slow:
    """Eq. 4 by loops over pairs, in float64."""

    relation = staticmethod(relation)
    rows = staticmethod(rows_by_loop)
    loss = staticmethod(loss_by_loop)
    gradient = staticmethod(finite_differences)


@pytest.fixture(scope="session")
def slow():
    return Slow


# What is exported once for all tests: small HashNets on images of this size.
SIZE = (16, 20)


def tiny_hashnet(bits, seed, zero=False):
    """Returns a HashNet on one convolution; `zero` makes every z 0."""
    import keras

    import hashnet_tf as hn

    keras.utils.set_random_seed(seed)
    images = keras.Input((*SIZE, 3), name="images")
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(images)
    x = keras.layers.Conv2D(8, 3, strides=2)(x)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.ReLU()(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = hn.HashNet(keras.Model(images, x), bits=bits)
    kernel, bias = model.hash_layer.get_weights()
    if zero:
        kernel = np.zeros_like(kernel)
    else:
        # A bias that balances the bits, which a random ReLU net lacks.
        features = model.backbone.predict_on_batch(tiny_images(64, seed))
        bias = -(features @ kernel).mean(axis=0)
    model.hash_layer.set_weights([kernel, bias])
    return model


def tiny_images(n, seed):
    """Returns uint8 images `[n, *SIZE, 3]`, each with a tint of its own."""
    rng = np.random.default_rng(seed)
    tint = rng.integers(0, 192, (n, 1, 1, 3))
    noise = rng.integers(0, 64, (n, *SIZE, 3))
    return (tint + noise).astype(np.uint8)


@pytest.fixture(scope="session")
def models():
    """HashNets by name: "other" is "12" with other weights."""
    return {
        "12": tiny_hashnet(12, seed=0),
        "48": tiny_hashnet(48, seed=0),
        "zero": tiny_hashnet(12, seed=0, zero=True),
        "other": tiny_hashnet(12, seed=1),
    }


@pytest.fixture(scope="session")
def images():
    # More than one batch, and not a multiple of one.
    return tiny_images(70, seed=2)


@pytest.fixture(scope="session")
def saved_models(models, tmp_path_factory):
    """Path of the SavedModel of each model but "other"; do not write there."""
    import hashnet_tf as hn

    folder = tmp_path_factory.mktemp("saved_models")
    return {
        name: hn.export.to_saved_model(models[name], folder / name)
        for name in ("12", "48", "zero")
    }


@pytest.fixture(scope="session")
def litert_files(models, tmp_path_factory):
    """Path of the LiteRT file of each model but "other"; do not write there."""
    import hashnet_tf as hn

    folder = tmp_path_factory.mktemp("litert")
    return {
        name: hn.export.to_litert(models[name], folder / f"{name}.tflite")
        for name in ("12", "48", "zero")
    }


@pytest.fixture(scope="module")
def browser():
    """A Chromium whose camera shows a picture that moves."""
    from runtimes import Missing
    from runtimes.browser import chromium

    camera = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
    ]
    with contextlib.ExitStack() as stack:
        try:
            opened = stack.enter_context(chromium(*camera))
        except Missing as error:
            pytest.skip(f"needs {error}")
        yield opened
