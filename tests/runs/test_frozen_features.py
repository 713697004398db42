import importlib
import os

import keras
import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf.datasets.augmentation import SHIFT
from hashnet_tf.runs import frozen_features

MODULE = importlib.import_module("hashnet_tf.runs.frozen_features")


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(MODULE, "BATCH_SIZE", 64)


def network(activation="relu", seed=0):
    """A backbone of the same weights whatever its activation is."""
    keras.utils.set_random_seed(seed)
    images = keras.Input((8, 8, 3))
    x = keras.layers.Flatten()(images)
    x = keras.layers.Dense(5, activation=activation)(x)
    return keras.Model(images, x)


@pytest.fixture
def computing(monkeypatch):
    """Counts how often features are computed, a view at a time."""

    class Computing:
        views = 0

    def counting(batches):
        def count(*arguments):
            Computing.views += 1
            return batches(*arguments)

        return count

    for name in ("ordered_batches", "varied_batches"):
        monkeypatch.setattr(MODULE, name, counting(getattr(MODULE, name)))
    return Computing


def test_are_what_the_backbone_gives(queries, tmp_path):
    backbone = network()
    features = frozen_features(backbone, queries, tmp_path / "new")
    pixels = hn.datasets.pixel_array(queries, (8, 8))
    expected = backbone.predict(pixels, batch_size=64, verbose=0)
    assert features.shape == (200, 1, 5)
    assert features.dtype == np.float32
    assert isinstance(features, np.memmap)
    np.testing.assert_allclose(features[:, 0], expected, rtol=1e-5)
    assert [p.suffix for p in (tmp_path / "new").iterdir()] == [".npy"]


def test_are_computed_once(queries, computing, tmp_path):
    first = frozen_features(network(), queries, tmp_path)
    assert computing.views == 1
    # A network built again has other names in the same process.
    again = frozen_features(network(), queries, str(tmp_path))
    assert computing.views == 1
    np.testing.assert_array_equal(first, again)


def test_whatever_they_depend_on_has_a_file_of_its_own(
    queries, computing, tmp_path
):
    backbone, changed = network(), network()
    changed.weights[-1].assign([0, 0, 1e-6, 0, 0])
    pixels = queries.images.copy()
    pixels[7] = 255 - pixels[7]
    retouched = hn.datasets.ArrayImages(pixels, queries.labels, queries.names)
    views = {"augmentation": "shift", "views": 2}
    for arguments, options in (
        ((backbone, queries), {}),
        ((backbone, queries.subset(np.arange(199))), {}),
        ((backbone, queries.subset(np.arange(200)[::-1])), {}),
        ((backbone, retouched), {}),
        ((network("linear"), queries), {}),
        ((changed, queries), {}),
        ((backbone, queries), views),
        ((backbone, queries), {**views, "seed": 1}),
        ((backbone, queries), {**views, "augmentation": "shift_flip"}),
        ((backbone, queries), {**views, "views": 3}),
    ):
        before, there = computing.views, len(os.listdir(tmp_path))
        frozen_features(*arguments, tmp_path, **options)
        assert computing.views == before + options.get("views", 1)
        assert len(os.listdir(tmp_path)) == there + 1


def test_of_one_view_the_changes_do_not_matter(queries, computing, tmp_path):
    backbone = network()
    frozen_features(backbone, queries, tmp_path)
    frozen_features(backbone, queries, tmp_path, augmentation="shift", seed=3)
    assert computing.views == 1


def test_a_changed_file_is_noticed(make_folder, write_images, tmp_path):
    folder = make_folder()
    names = ["a/00.png", "b/00.png"]
    images = hn.datasets.FileImages(folder, names, [0, 1])
    backbone, cache = network(), tmp_path / "cache"
    old = frozen_features(backbone, images, cache)
    write_images(folder, names[1:], seed=9)
    # Written within the same tick of a coarse clock, it may have the time
    # that it had.
    os.utime(folder / names[1], ns=(10**18, 10**18))
    new = frozen_features(backbone, images, cache)
    np.testing.assert_array_equal(old[0], new[0])
    assert (old[1] != new[1]).any()


def test_views_augment(tmp_path):
    # The network passes pixels through: features show the changes themselves.
    images = keras.Input((16, 16, 3))
    backbone = keras.Model(images, keras.layers.Flatten()(images))
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (150, 16, 16, 3), dtype=np.uint8)
    items = hn.datasets.ArrayImages(pixels, np.zeros(150, dtype=int))
    features = frozen_features(backbone, items, tmp_path, "shift", 3, seed=4)
    views = np.array(features).reshape(150, 3, 16, 16, 3)
    np.testing.assert_array_equal(views[:, 0], pixels)
    assert int(16 * SHIFT) == 2
    found = np.stack([_shifts(pixels, views[:, view]) for view in (1, 2)])
    assert (found >= 0).all(), "a view is no shift of its image"
    # All 25 shifts are drawn, and not the same ones for both views.
    assert len(np.unique(found)) == 25
    assert np.mean(found[0] == found[1]) < 0.2


def _shifts(images, changed):
    """Which of the 25 shifts makes `changed` of each image, or -1."""
    padded = np.pad(images, [(0, 0), (2, 2), (2, 2), (0, 0)], mode="reflect")
    found = np.full(len(images), -1)
    for number in range(25):
        row, column = divmod(number, 5)
        moved = padded[:, row : row + 16, column : column + 16]
        found[(moved == changed).all(axis=(1, 2, 3))] = number
    return found
