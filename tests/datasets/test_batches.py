import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import hashnet_tf as hn
from hashnet_tf.datasets import (
    ArrayImages,
    FileImages,
    PairSampler,
    ordered_batches,
    training_batches,
)
from hashnet_tf.datasets.batches import varied_batches
from hashnet_tf.datasets.pixels.framing import frame_image

SIZE = (3, 4)


@pytest.fixture
def load(sources):
    """Function from a kind to `(dataset, value_of)`, as conftest.py has it."""

    def load(kind):
        word, value_of = sources[kind]
        return hn.datasets.load(word), value_of

    return load


def values(batch):
    """The value of each image of a batch, which must have one alone."""
    batch = np.asarray(batch)
    assert batch.dtype == np.uint8
    assert (batch == batch[:, :1, :1, :1]).all()
    return batch[:, 0, 0, 0].tolist()


def classes(labels):
    labels = np.asarray(labels)
    assert labels.dtype == np.float32
    if labels.ndim == 2:
        assert (labels.sum(axis=1) == 1).all()
        labels = labels.argmax(axis=1)
    return labels.tolist()


def epochs_of(batches, count):
    """`count` epochs of a stream, each a list of `(image, label)` arrays."""
    return [list(batches.as_numpy_iterator()) for _ in range(count)]


def assert_equal_epochs(ones, others):
    for one, other in zip(ones, others, strict=True):
        for (images, labels), (images_2, labels_2) in zip(
            one, other, strict=True
        ):
            np.testing.assert_array_equal(images, images_2)
            np.testing.assert_array_equal(labels, labels_2)


# One of each kind of set; that the parts of every source hold their images
# is shown in sources/test_written_lists.py.
@pytest.mark.parametrize(
    "kind, part",
    [
        ("lists", "database"),
        ("npz of parts", "query"),
        pytest.param("tfds", "train", marks=pytest.mark.slow),
    ],
)
def test_ordered_batches_keep_the_order(load, kind, part):
    dataset, value_of = load(kind)
    images = getattr(dataset, part)
    expected = [value_of[name] for name in images.names]
    stream = ordered_batches(images, SIZE, batch_size=4)
    assert stream.element_spec.shape == (None, *SIZE, 3)
    for _ in range(2):
        batches = list(stream)
        assert [value for b in batches for value in values(b)] == expected
        assert {len(batch) for batch in batches[:-1]} <= {4}
        assert len(batches[-1]) == len(images) - 4 * (len(batches) - 1)


@pytest.mark.parametrize("kind", ["lists", "npz", "tfds"])
def test_a_subset_keeps_the_order(load, kind, values_of):
    dataset, value_of = load(kind)
    images = dataset.database.subset([1, 2, 5, 8, 11])
    assert values_of(images) == [
        value_of[dataset.database.names[i]] for i in (1, 2, 5, 8, 11)
    ]
    assert values_of(images.subset([2, 4])) == [
        value_of[dataset.database.names[i]] for i in (5, 11)
    ]


@pytest.mark.parametrize(
    "kind, cache",
    [
        ("lists", "never"),
        ("npz", "always"),
        ("tfds", "never"),
        pytest.param("tfds", "always", marks=pytest.mark.slow),
    ],
)
def test_training_batches_pair_image_and_label(load, kind, cache):
    dataset, value_of = load(kind)
    images = dataset.train
    batches = training_batches(
        images, SIZE, 5, seed=2, augmentation="shift_flip", cache=cache
    )
    assert len(batches) == len(images) // 5
    epochs = epochs_of(batches, 2)
    for epoch in epochs:
        assert [len(labels) for _, labels in epoch] == [5] * len(batches)
        seen = [value for batch, _ in epoch for value in values(batch)]
        # No image twice, none of another part, the surplus left out.
        assert len(set(seen)) == len(seen)
        assert set(seen) <= {value_of[name] for name in images.names}
        for batch, labels in epoch:
            assert classes(labels) == [v // 20 for v in values(batch)]
    orders = [[values(batch) for batch, _ in epoch] for epoch in epochs]
    assert orders[0] != orders[1]


def noise(n):
    """An `ArrayImages` of n images no two of which are alike."""
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (n, 16, 16, 3), dtype=np.uint8)
    return ArrayImages(pixels, np.arange(n) % 7)


# TensorFlow takes a seed of 0 for none, here and there.
@pytest.mark.parametrize(
    "cache, seed, global_seed",
    [("never", 0, None), ("always", 0, 0)],
)
def test_a_seed_gives_the_same_pixels_in_the_same_order(
    cache, seed, global_seed
):
    def three_epochs(seed):
        tf.random.set_seed(global_seed)
        batches = training_batches(
            noise(40), (16, 16), 8, seed, "shift_flip", cache
        )
        return epochs_of(batches, 3)

    epochs = three_epochs(seed)
    assert_equal_epochs(epochs, three_epochs(seed))
    epochs += three_epochs(seed + 1)
    tf.random.set_seed(None)
    assert len({epoch[0][0].tobytes() for epoch in epochs}) == 6


@pytest.mark.parametrize("cache", ["never", "always"])
def test_each_seed_and_epoch_has_an_order_of_its_own(cache):
    images = noise(40)
    position = {image.tobytes(): i for i, image in enumerate(images.images)}
    orders = set()
    for seed in range(2):
        batches = training_batches(images, (16, 16), 8, seed, cache=cache)
        for epoch in epochs_of(batches, 2):
            order = [position[x.tobytes()] for batch, _ in epoch for x in batch]
            assert sorted(order) == [*range(40)]
            orders.add(tuple(order))
    assert len(orders) == 4


def test_changes_are_new_each_epoch():
    # Every image the same, so that only the changes differ.
    pixels = noise(1).images.repeat(32, axis=0)
    images = ArrayImages(pixels, np.arange(32) % 2)
    batches = training_batches(images, (16, 16), 32, 0, "shift_flip")
    epochs = [epoch[0][0] for epoch in epochs_of(batches, 3)]
    kinds = [{image.tobytes() for image in epoch} for epoch in epochs]
    # Of 25 shifts by 2 flips, 32 draws: some are met twice, most are not.
    assert all(len(kind) > 16 for kind in kinds)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert (epochs[i] != epochs[j]).any()


@pytest.mark.parametrize("cache", ["never", "always"])
def test_cached_or_not_the_images_are_the_same(cache):
    images = noise(10)
    batches = training_batches(images, (9, 20), 5, seed=0, cache=cache)
    resized = tf.image.resize(images.images, (9, 20), antialias=True)
    resized = np.round(resized.numpy()).astype(np.uint8)
    by_pixels = {
        image.tobytes(): label
        for image, label in zip(resized, images.labels, strict=True)
    }
    assert len(by_pixels) == 10
    for epoch in epochs_of(batches, 2):
        seen = {
            image.tobytes(): label
            for batch, labels in epoch
            for image, label in zip(batch, labels, strict=True)
        }
        assert seen == by_pixels


def test_files_are_read_again_unless_cached(tmp_path, write_image):
    names = [f"{i}.png" for i in range(6)]
    for i, name in enumerate(names):
        write_image(tmp_path / name, i)
    images = FileImages(tmp_path, names, [0, 1, 2, 0, 1, 2])
    cached, plain = (
        training_batches(images, SIZE, 3, seed=0, cache=cache)
        for cache in ("always", "never")
    )
    before = epochs_of(cached, 1)[0]
    epochs_of(plain, 1)
    for name in names:
        (tmp_path / name).unlink()
    after = epochs_of(cached, 1)[0]
    assert sorted(v for batch, _ in before for v in values(batch)) == sorted(
        v for batch, _ in after for v in values(batch)
    )
    with pytest.raises(tf.errors.NotFoundError):
        epochs_of(plain, 1)
    # What is no image is an error too, and not left out.
    for name in names:
        (tmp_path / name).write_text("no image")
    with pytest.raises(tf.errors.InvalidArgumentError):
        epochs_of(plain, 1)


def test_labels_of_several_classes_and_of_none():
    rows = np.array([[0, 1, 1], [1, 0, 0], [0, 0, 0], [1, 1, 1]])
    pixels = (
        np.zeros((4, 4, 4), np.uint8)
        + np.arange(4, dtype=np.uint8)[:, None, None]
    )
    images = ArrayImages(pixels, rows)
    ((batch, labels),) = epochs_of(training_batches(images, SIZE, 4, 0), 1)[0]
    np.testing.assert_array_equal(labels, rows[values(batch)])
    images = ArrayImages(pixels, [0, -1, -5, 2])
    ((batch, labels),) = epochs_of(training_batches(images, SIZE, 4, 0), 1)[0]
    expected = np.array([0, -1, -1, 2])
    assert labels.tolist() == expected[values(batch)].tolist()


def test_shapes_are_known_before_the_first_batch():
    images, labels = training_batches(noise(9), (5, 6), 4, seed=0).element_spec
    assert images == tf.TensorSpec([4, 5, 6, 3], tf.uint8)
    assert labels == tf.TensorSpec([4], tf.float32)


def test_a_broken_image_is_an_error_and_not_left_out(tmp_path, write_image):
    write_image(tmp_path / "0.png", 0)
    (tmp_path / "1.png").write_text("no image")
    images = FileImages(tmp_path, ["0.png", "1.png"], [0, 1])
    with pytest.raises(tf.errors.InvalidArgumentError):
        list(ordered_batches(images, SIZE))
    with pytest.raises(ValueError, match="1 of 2 .* Received: .*1.png"):
        list(training_batches(images, SIZE, 2, seed=0, cache="always"))


@pytest.mark.parametrize("batch_size", [-1, 0, 1, 11])
def test_refuses_a_batch_without_pairs_or_images(batch_size):
    with pytest.raises(ValueError, match=f"Received: batch_size={batch_size}$"):
        training_batches(noise(10), SIZE, batch_size, seed=0)


def test_refuses_another_augmentation():
    with pytest.raises(ValueError, match="Received: augmentation='turn'"):
        training_batches(noise(10), SIZE, 5, seed=0, augmentation="turn")


FRAMINGS = ["whole", "paper", "modern"]


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """`FileImages` of 24 files of several sizes, no two alike."""
    folder = tmp_path_factory.mktemp("photographs")
    rng = np.random.default_rng(2)
    names = [f"{i:02}.png" for i in range(24)]
    for i, name in enumerate(names):
        pixels = rng.integers(0, 256, (20 + i, 40 - i, 3), np.uint8)
        (folder / name).write_bytes(tf.io.encode_png(pixels).numpy())
    return FileImages(folder, names, np.arange(24) % 4)


@pytest.mark.slow
@pytest.mark.parametrize("framing", FRAMINGS)
def test_caching_changes_no_pixel_and_no_order(photographs, framing):
    cached, read = (
        epochs_of(
            training_batches(
                photographs, (14, 14), 6, 3, cache=cache, framing=framing
            ),
            2,
        )
        for cache in ("always", "never")
    )
    assert_equal_epochs(cached, read)
    assert cached[0][0][0].shape == (6, 14, 14, 3)
    assert (cached[0][0][0] != cached[1][0][0]).any()


@pytest.mark.slow
def test_caching_keeps_the_order_of_a_stream(sources, monkeypatch):
    monkeypatch.setattr(
        "hashnet_tf.datasets.images.tfds_images.SHUFFLE_BUFFER", 4
    )
    images = hn.datasets.load(sources["tfds"][0]).train
    for shard in (None, (1, 2)):
        cached, read = (
            epochs_of(
                training_batches(images, SIZE, 5, 3, cache=cache, shard=shard),
                2,
            )
            for cache in ("always", "never")
        )
        assert_equal_epochs(cached, read)


@pytest.mark.slow
@pytest.mark.parametrize(
    "framing, cache",
    [("whole", "never"), ("paper", "always"), ("modern", "never")],
)
def test_cores_change_nothing(photographs, framing, cache):
    def epochs(cores):
        batches = training_batches(
            photographs, (14, 14), 6, 3, cache=cache, framing=framing
        )
        options = tf.data.Options()
        options.threading.private_threadpool_size = cores
        options.autotune.cpu_budget = cores
        return epochs_of(batches.with_options(options), 2)

    assert_equal_epochs(epochs(1), epochs(8))


# Whichever it is, `frame_image` is told.
@pytest.mark.parametrize("framing", ["whole", "modern"])
def test_ordered_batches_are_framed_as_at_test(photographs, framing):
    (batch,) = ordered_batches(photographs, (14, 14), framing=framing)
    for (_, encoded), found in zip(photographs.encoded(), batch, strict=True):
        image = tf.io.decode_png(encoded)
        np.testing.assert_array_equal(
            found, frame_image(image, (14, 14), framing)
        )


def test_views_in_order_differ_by_the_seed_and_not_by_chance():
    first, again, other = (
        np.concatenate(
            list(
                varied_batches(
                    noise(20), (8, 8), 7, seed, augmentation="shift"
                ).as_numpy_iterator()
            )
        )
        for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(first, again)
    # A shift by a pixel each way leaves one image in nine as it was.
    assert (first != other).any(axis=(1, 2, 3)).mean() > 0.5


@pytest.mark.slow
@pytest.mark.parametrize("cache", ["never", "always"])
def test_workers_share_each_epoch(cache):
    images = noise(43)
    position = {image.tobytes(): i for i, image in enumerate(images.images)}
    parts = [
        training_batches(images, (16, 16), 7, 5, cache=cache, shard=(index, 3))
        for index in range(3)
    ]
    assert [len(part) for part in parts] == [2, 2, 2]
    seen = []
    for epoch in zip(*(epochs_of(part, 2) for part in parts), strict=True):
        orders = [
            [position[x.tobytes()] for batch, _ in part for x in batch]
            for part in epoch
        ]
        together = [i for order in orders for i in order]
        # All but the one that fills no batch of everyone.
        assert len(together) == len(set(together)) == 42
        seen.append(orders)
    # Not always the same part to the same worker.
    assert {*seen[0][0]} != {*seen[1][0]}


@pytest.mark.slow
@pytest.mark.parametrize("cache", ["never", "always"])
def test_a_sampler_draws_the_batches(photographs, cache):
    sampler = PairSampler(photographs.labels, classes=2, per_class=3)

    def epochs():
        batches = training_batches(
            photographs, (14, 14), 6, 3, cache=cache, sampler=sampler
        )
        assert len(batches) == 4
        return epochs_of(batches, 3)

    found = epochs()
    assert_equal_epochs(found, epochs())
    for epoch in found:
        for _, labels in epoch:
            assert sorted(np.unique(labels, return_counts=True)[1]) == [3, 3]
    assert len({epoch[0][0].tobytes() for epoch in found}) == 3


@pytest.mark.slow
def test_workers_take_batches_of_a_sampler_in_turn(photographs):
    sampler = PairSampler(photographs.labels, classes=2, per_class=3)

    def labels(shard):
        batches = training_batches(
            photographs, (14, 14), 6, 3, shard=shard, sampler=sampler
        )
        return [labels.tolist() for _, labels in batches.as_numpy_iterator()]

    alone, first, second = labels(None), labels((0, 2)), labels((1, 2))
    assert (first, second) == (alone[::2], alone[1::2])


def test_a_stream_takes_a_sampler_when_it_is_cached(sources):
    images = hn.datasets.load(sources["tfds"][0]).train
    sampler = PairSampler(images.labels, classes=2, per_class=3)
    with pytest.raises(ValueError, match="must be cached. Received: order="):
        training_batches(images, SIZE, 6, 0, cache="never", sampler=sampler)
    batches = training_batches(
        images, SIZE, 6, 0, cache="always", sampler=sampler
    )
    for batch, labels in batches.as_numpy_iterator():
        assert classes(labels) == [v // 20 for v in values(batch)]


def test_refuses_a_sampler_of_other_batches(photographs):
    sampler = PairSampler(photographs.labels, classes=2, per_class=2)
    with pytest.raises(ValueError, match="sampler.batch_size=4, batch_size=6"):
        training_batches(photographs, SIZE, 6, 0, sampler=sampler)


@pytest.mark.parametrize("shard", [(2, 2), (-1, 2), (0, 0)])
def test_refuses_a_worker_that_is_not_there(photographs, shard):
    with pytest.raises(ValueError, match="Received: shard="):
        training_batches(photographs, SIZE, 6, 0, shard=shard)


@pytest.mark.parametrize(
    "kind", ["npz", pytest.param("tfds", marks=pytest.mark.slow)]
)
def test_an_epoch_comes_from_the_seed_and_its_number(
    kind, sources, monkeypatch
):
    # Fewer than there are images: a buffer too has an order of its own.
    monkeypatch.setattr(
        "hashnet_tf.datasets.images.tfds_images.SHUFFLE_BUFFER", 4
    )
    images = hn.datasets.load(sources[kind][0]).train
    size, steps = 4, len(images) // 4

    def epochs(numbers, seed=3):
        stream = training_batches(
            images, SIZE, size, seed, "shift_flip", "never", epochs=numbers
        )
        assert len(stream) == steps * len(numbers)
        batches = list(stream.as_numpy_iterator())
        return [
            batches[start : start + steps]
            for start in range(0, len(batches), steps)
        ]

    whole = epochs(range(3))
    assert_equal_epochs(epochs([1]), whole[1:2])
    pixels = {epoch[0][0].tobytes() for epoch in whole + epochs([0], seed=4)}
    assert len(pixels) == 4
    for epoch in whole:
        seen = [tuple(values(batch)) for batch, _ in epoch]
        assert len({*sum(seen, ())}) == steps * size


def test_a_sampler_too_draws_an_epoch_by_its_number():
    images = noise(28)
    sampler = hn.datasets.PairSampler(images.labels, 2, 3)

    def labels(numbers):
        stream = training_batches(
            images, (16, 16), 6, 3, sampler=sampler, epochs=numbers
        )
        return [y.tolist() for _, y in stream.as_numpy_iterator()]

    whole = labels(range(3))
    assert len(whole) == 3 * len(sampler)
    assert labels(range(1, 3)) == whole[len(sampler) :]


@pytest.mark.slow
def test_photographs_are_trained_on_upright(tmp_path):
    rng = np.random.default_rng(0)
    exif = Image.Exif()
    exif[0x0112] = 8
    for i in range(4):
        upright = Image.fromarray(rng.integers(0, 256, (9, 6, 3), np.uint8))
        upright.save(tmp_path / f"upright{i}.png")
        lying = upright.transpose(Image.Transpose.ROTATE_270)
        lying.save(tmp_path / f"lying{i}.png", exif=exif)
    batches = []
    for name in ("upright", "lying"):
        paths = [f"{name}{i}.png" for i in range(4)]
        images = hn.datasets.FileImages(tmp_path, paths, [0, 1, 0, 1])
        for framing in ("whole", "paper", "modern"):
            stream = hn.datasets.training_batches(
                images, (8, 8), 4, seed=3, framing=framing
            )
            batches.append(next(stream.as_numpy_iterator())[0])
    np.testing.assert_array_equal(batches[:3], batches[3:])
