import importlib
import os
import pathlib
import shutil

import keras
import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf._files import sealed
from hashnet_tf.datasets.pixels.framing import SHIFT
from hashnet_tf.runs import feature_batches, frozen_features

MODULE = importlib.import_module("hashnet_tf.runs.features")


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


def files(folder):
    return {path for path in folder.rglob("*.npy") if path.is_file()}


def random_images(n, seed=0):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (n, 8, 8, 3), dtype=np.uint8)
    return hn.datasets.ArrayImages(pixels, np.zeros(n, dtype=int))


@pytest.fixture
def computing(monkeypatch):
    """Counts how many features are computed, a view at a time."""

    class Computing:
        images = []

    Computing.images = []

    def counting(batches):
        def count(images, *arguments):
            Computing.images.append(len(images))
            return batches(images, *arguments)

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
    assert [p.suffix for p in files(tmp_path / "new")] == [".npy"]


def test_are_computed_once(queries, computing, tmp_path):
    first = frozen_features(network(), queries, tmp_path)
    assert computing.images == [200]
    # A network built again has other names in the same process.
    again = frozen_features(network(), queries, str(tmp_path))
    assert computing.images == [200]
    np.testing.assert_array_equal(first, again)


@pytest.mark.slow
def test_whatever_they_depend_on_has_a_file_of_its_own(
    queries, computing, tmp_path
):
    backbone, changed = network(), network()
    changed.weights[-1].assign([0, 0, 1e-6, 0, 0])
    pixels = queries.images.copy()
    pixels[7] = 255 - pixels[7]
    retouched = hn.datasets.ArrayImages(pixels, queries.labels, queries.names)
    views = {"augmentation": "shift", "views": 2}
    for arguments, options, computed in (
        ((backbone, queries), {}, [200]),
        ((backbone, queries.subset(np.arange(199))), {}, []),
        ((backbone, queries.subset(np.arange(200)[::-1])), {}, []),
        ((backbone, retouched), {}, [1]),
        ((network("linear"), queries), {}, [200]),
        ((changed, queries), {}, [200]),
        ((backbone, queries), {"framing": "modern"}, [200]),
        ((backbone, queries), views, [200]),
        ((backbone, queries), {**views, "seed": 1}, [200]),
        ((backbone, queries), {**views, "augmentation": "shift_flip"}, [200]),
        ((backbone, queries), {**views, "views": 3}, [200, 200]),
    ):
        before = files(tmp_path)
        computing.images.clear()
        frozen_features(*arguments, tmp_path, **options)
        assert computing.images == computed
        assert len(files(tmp_path) - before) == 1


def test_another_size_never_meets_them(computing, tmp_path):
    images = random_images(9)
    for side in (8, 6):
        # The weights are the same, and so are the widths.
        inputs = keras.Input((side, side, 3))
        x = keras.layers.GlobalAveragePooling2D()(inputs)
        backbone = keras.Model(inputs, x)
        features = frozen_features(backbone, images, tmp_path)
        pixels = hn.datasets.pixel_array(images, (side, side))
        expected = pixels.mean(axis=(1, 2))
        np.testing.assert_allclose(features[:, 0], expected, rtol=1e-5)
    assert computing.images == [9, 9]


def test_of_another_set_only_what_is_missing_is_computed(computing, tmp_path):
    everything = random_images(300)
    backbone = network()
    pixels = everything.images
    expected = backbone.predict(pixels, verbose=0)
    rng = np.random.default_rng(1)
    known = set()
    for size in (150, 40, 150, 300):
        chosen = rng.permutation(300)[:size]
        features = frozen_features(
            backbone, everything.subset(chosen), tmp_path
        )
        np.testing.assert_allclose(
            features[:, 0], expected[chosen], rtol=1e-4, atol=1e-4
        )
        if missing := len(set(chosen) - known):
            assert computing.images.pop() == missing
        assert not computing.images
        known.update(chosen)


def test_rows_are_taken_exactly_as_they_lie(computing, tmp_path):
    everything, backbone = random_images(100), network()
    chosen = np.array([40, 7, 99, 7])
    frozen_features(backbone, everything, tmp_path)
    (path,) = files(tmp_path)
    rows = np.load(path)
    # No network gives these.
    rows["features"] = np.arange(500).reshape(100, 1, 5) - 0.5
    with sealed(path) as beside:
        np.save(beside, rows)
    options = {"augmentation": "shift", "views": 2}
    some = everything.subset(chosen)
    features = frozen_features(backbone, some, tmp_path)
    np.testing.assert_array_equal(features, rows["features"][chosen])
    assert computing.images == [100]
    varied = frozen_features(backbone, some, tmp_path, **options)
    np.testing.assert_array_equal(varied[:, 0], features[:, 0])
    assert computing.images == [100, 4]
    # A file of several views gives its first one.
    for file in files(tmp_path) - {pathlib.Path(varied.filename)}:
        file.unlink()
    again = frozen_features(backbone, everything.subset([99, 7]), tmp_path)
    np.testing.assert_array_equal(again, features[[2, 1]])
    assert computing.images == [100, 4]


def test_a_damaged_file_is_as_good_as_none(computing, tmp_path):
    everything, backbone = random_images(30), network()
    some = everything.subset(np.arange(10))
    kept = np.array(frozen_features(backbone, everything, tmp_path))
    (path,) = files(tmp_path)
    whole = path.read_bytes()
    unreadable = [whole[:size] for size in (0, 10, 200)]
    # Of another program, or of a file system that lost what was in it.
    unreadable += [b"not at all", bytes(len(whole))]
    # A header that is cut within.
    unreadable += [whole.replace(b")", b"(", 1), whole.replace(b",", b":", 1)]
    for content in unreadable:
        path.write_bytes(content)
        computing.images.clear()
        features = frozen_features(backbone, some, tmp_path)
        np.testing.assert_allclose(features, kept[:10], rtol=1e-5)
        assert computing.images == [10]
        # It would be found the next time.
        (files(tmp_path) - {path}).pop().unlink()
    for array in (np.zeros(3), np.zeros((30, 1, 5), np.float32)):
        np.save(path, array)
        computing.images.clear()
        features = frozen_features(backbone, everything, tmp_path)
        np.testing.assert_allclose(features, kept, rtol=1e-5)
        assert computing.images == [30]


def test_a_changed_number_is_computed_anew(tmp_path):
    everything, backbone = random_images(30), network()
    kept = np.array(frozen_features(backbone, everything, tmp_path))
    (path,) = files(tmp_path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    again = frozen_features(backbone, everything, tmp_path)
    np.testing.assert_array_equal(again, kept)


def test_what_is_still_being_written_is_left_alone(computing, tmp_path):
    everything, backbone = random_images(30), network()
    frozen_features(backbone, everything, tmp_path)
    (path,) = files(tmp_path)
    path.rename(path.with_name(f".7.{path.name}"))
    frozen_features(backbone, everything.subset(np.arange(10)), tmp_path)
    assert computing.images == [30, 10]


@pytest.mark.slow
def test_a_file_elsewhere_is_another_image(make_folder, computing, tmp_path):
    folder = make_folder()
    # As unpacked from two archives that were made for being the same anew.
    for path in folder.rglob("*.png"):
        os.utime(path, ns=(10**18, 10**18))
    names = ["a/00.png", "b/00.png"]
    shutil.copytree(folder, tmp_path / "other")
    backbone, cache = network(), tmp_path / "cache"
    for root, chosen in ((folder, names), (tmp_path / "other", names[:1])):
        images = hn.datasets.FileImages(root, chosen, [0] * len(chosen))
        frozen_features(backbone, images, cache)
    assert computing.images == [2, 1]
    (tmp_path / "link").symlink_to(folder)
    linked = hn.datasets.FileImages(tmp_path / "link", names[1:], [0])
    frozen_features(backbone, linked, cache)
    assert computing.images == [2, 1]


def test_of_one_view_the_changes_do_not_matter(queries, computing, tmp_path):
    backbone = network()
    frozen_features(backbone, queries, tmp_path)
    frozen_features(backbone, queries, tmp_path, augmentation="shift", seed=3)
    assert computing.images == [200]


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


N, VIEWS = 10, 3


@pytest.fixture
def features():
    """`[10, 3, 2]`: the item and its view."""
    items, views = np.meshgrid(np.arange(N), np.arange(VIEWS), indexing="ij")
    return np.stack([items, views], axis=-1).astype(np.float32)


def drawn(stream):
    """Items and views of an epoch, int `[batches, batch_size, 2]`."""
    return np.stack([x for x, _ in stream.as_numpy_iterator()]).astype(int)


def test_batches_and_their_labels(features):
    labels = np.arange(N) * 7
    stream = feature_batches(features, labels, 4, seed=0)
    assert len(stream) == 2
    for x, y in stream.as_numpy_iterator():
        assert (x.shape, x.dtype) == ((4, 2), np.float32)
        assert (y.shape, y.dtype) == ((4,), np.float32)
        np.testing.assert_array_equal(y, 7 * x[:, 0])


def test_a_matrix_of_labels(features):
    labels = np.eye(N, dtype=np.uint8)
    for x, y in feature_batches(features, labels, 4, 0).as_numpy_iterator():
        np.testing.assert_array_equal(y, np.eye(N)[x[:, 0].astype(int)])


def test_an_epoch_takes_an_item_once_and_drops_the_last_batch(features):
    stream = feature_batches(features, np.arange(N), 4, seed=0)
    left_out = set()
    for _ in range(20):
        items = drawn(stream)[..., 0].ravel()
        assert len(set(items)) == len(items) == 8
        left_out |= set(range(N)) - set(items)
    # Not always the same two.
    assert left_out == set(range(N))


def test_the_seed_tells_the_order(features):
    def epochs(seed):
        stream = feature_batches(features, np.arange(N), 5, seed)
        return np.stack([drawn(stream) for _ in range(3)])

    np.testing.assert_array_equal(epochs(0), epochs(0))
    assert (epochs(0) != epochs(1)).any()
    first, second, third = epochs(0)[..., 0]
    assert (first != second).any() and (second != third).any()


def test_views_are_drawn_anew(features):
    stream = feature_batches(features, np.arange(N), 5, seed=0)
    counts = np.zeros((N, VIEWS), dtype=int)
    for _ in range(60):
        for item, view in drawn(stream).reshape(-1, 2):
            counts[item, view] += 1
    assert counts.sum(axis=1).tolist() == [60] * N
    # Of 600 a third each, give or take four standard deviations of 11.5.
    assert (abs(counts.sum(axis=0) - 200) < 46).all()
    assert (counts > 0).all()


def test_of_one_view_that_one(features):
    stream = feature_batches(features[:, 1:2], np.arange(N), 5, seed=0)
    assert (drawn(stream)[..., 1] == 1).all()


@pytest.mark.parametrize("batch_size", [-1, 0, 1, 11])
def test_a_batch_of_too_few_or_too_many(batch_size, features):
    with pytest.raises(ValueError, match=f"Received: batch_size={batch_size}"):
        feature_batches(features, np.arange(N), batch_size, seed=0)


@pytest.mark.slow
def test_of_another_decoder_they_are_computed_anew(
    computing, write_images, tmp_path, monkeypatch
):
    names = [f"{i}.png" for i in range(5)]
    write_images(tmp_path / "photos", names)
    photos = hn.datasets.FileImages(tmp_path / "photos", names, [0] * 5)
    both = (photos, random_images(4))
    for images in both:
        frozen_features(network(), images, tmp_path / "cache")
    assert computing.images == [5, 4]
    monkeypatch.setattr(hn.datasets.FileImages, "decoder", 3)
    for images in both:
        frozen_features(network(), images, tmp_path / "cache")
    # Of pixels they stay.
    assert computing.images == [5, 4, 5]


def test_an_epoch_comes_from_the_seed_and_its_number(features):
    def epochs(numbers):
        stream = feature_batches(
            features, np.arange(N), 5, seed=0, epochs=numbers
        )
        return drawn(stream).reshape(len(numbers), 10, 2)

    whole = epochs(range(3))
    np.testing.assert_array_equal(epochs([2]), whole[2:])
    assert len({epoch.tobytes() for epoch in whole}) == 3
    for epoch in whole:
        assert sorted(epoch[:, 0]) == [*range(N)]
