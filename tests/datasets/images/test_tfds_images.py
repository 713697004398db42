import os

import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from hashnet_tf.datasets.images import tfds_images
from hashnet_tf.datasets.images.tfds_images import TfdsImages

# More to a shard than TFDS would read of one before the next.
ROWS = [(i, i % 3) for i in range(150)]
LABELS = [label for _, label in ROWS]


@pytest.fixture(scope="module")
def builder(prepare_tfds, sources):
    name = prepare_tfds(
        "streamed",
        {"train": ROWS[:100], "test": ROWS[100:]},
        disable_shuffling=True,
        num_shards=4,
    )
    return tfds.builder(name)


def streamed(stream):
    return [
        (int(position), int(tf.io.decode_image(encoded)[0, 0, 0]))
        for position, encoded in stream
    ]


def test_all_in_the_order_written(builder):
    assert builder.info.splits["train"].num_shards == 4
    images = TfdsImages(builder, "train+test", LABELS)
    assert len(images) == 150
    assert images.names[103] == "train+test#103"
    expected = [(i, value) for i, (value, _) in enumerate(ROWS)]
    for _ in range(2):
        assert streamed(images.encoded()) == expected


def test_a_subset_of_a_subset(builder):
    images = TfdsImages(builder, "train+test", LABELS)
    images = images.subset([1, 40, 99, 100, 148])
    assert images.labels.tolist() == [1, 1, 0, 1, 1]
    assert images.names[2:4] == ["train+test#99", "train+test#100"]
    assert streamed(images.encoded()) == [
        (0, 1),
        (1, 40),
        (2, 99),
        (3, 100),
        (4, 148),
    ]
    assert streamed(images.subset([0, 3]).encoded()) == [(0, 1), (1, 100)]
    assert streamed(images.first(1).encoded()) == [(0, 1)]


def test_images_are_not_decoded(builder):
    spec = TfdsImages(builder, "train", LABELS[:100]).encoded().element_spec
    assert spec == (
        tf.TensorSpec([], tf.int64),
        tf.TensorSpec([], tf.string),
    )


@pytest.mark.parametrize("buffer", [4, 8192])
def test_shuffles_by_the_seed_and_anew_each_time(builder, buffer, monkeypatch):
    monkeypatch.setattr(tfds_images, "SHUFFLE_BUFFER", buffer)
    images = TfdsImages(builder, "train", LABELS[:100])
    stream, again = images.shuffled(5), images.shuffled(5)
    epochs = [[int(i) for i, _ in again] for _ in range(2)]
    assert epochs[0] != epochs[1]
    for epoch in epochs:
        assert streamed(stream) == [(i, i) for i in epoch]
        assert sorted(epoch) == [*range(100)]


@pytest.mark.parametrize("buffer", [4, 8192])
def test_workers_share_an_epoch(builder, buffer, monkeypatch):
    monkeypatch.setattr(tfds_images, "SHUFFLE_BUFFER", buffer)
    images = TfdsImages(builder, "train", LABELS[:100])
    streams = [images.shuffled(5, (index, 3)) for index in range(3)]
    for _ in range(2):
        parts = [[int(i) for i, _ in stream] for stream in streams]
        assert [len(part) for part in parts] == [34, 33, 33]
        assert sorted(i for part in parts for i in part) == [*range(100)]


def test_has_no_other_order(builder):
    images = TfdsImages(builder, "train", LABELS[:100])
    with pytest.raises(ValueError, match="cached. Received: order="):
        images.encoded(tf.data.Dataset.range(3))


@pytest.mark.parametrize("indices", [[3, 1], [2, 2], [0, 5, 4]])
def test_refuses_indices_that_do_not_rise(builder, indices):
    images = TfdsImages(builder, "train", LABELS[:100])
    with pytest.raises(ValueError, match="Received: indices="):
        images.subset(indices)


def test_nothing_is_kept_in_memory(prepare_tfds):
    name = prepare_tfds("vanishing", {"train": ROWS})
    builder = tfds.builder(name)
    stream = TfdsImages(builder, "train", LABELS).encoded()
    assert len(list(stream)) == 150
    for path in builder.info.splits["train"].filepaths:
        path.unlink()
    with pytest.raises(tf.errors.NotFoundError):
        list(stream)


def test_fingerprint_changes_with_the_files_or_the_choice(prepare_tfds):
    splits = {"train": ROWS[:100], "test": ROWS[100:]}
    builder = tfds.builder(prepare_tfds("fingerprinted", splits))

    def digest(split="train+test", indices=range(150)):
        labels = LABELS[:100] if split == "train" else LABELS
        return TfdsImages(builder, split, labels).subset(indices).fingerprint()

    before = digest()
    assert digest() == before
    seen = {before, digest("train", range(9)), digest(indices=range(9))}
    seen.add(digest(indices=[*range(8), 9]))
    assert len(seen) == 4
    file = builder.info.splits["test"].filepaths[0]
    os.utime(file, (1, 1))
    seen.add(digest())
    assert len(seen) == 5
    file.write_bytes(file.read_bytes() + b"x")
    os.utime(file, (1, 1))
    seen.add(digest())
    assert len(seen) == 6


def test_fingerprints_change_with_the_files(prepare_tfds):
    splits = {"train": ROWS[:100], "test": ROWS[100:]}
    builder = tfds.builder(prepare_tfds("each_fingerprinted", splits))
    images = TfdsImages(builder, "train+test", LABELS)
    before = images.fingerprints()
    assert len(set(before)) == 150
    assert images.subset([7, 120]).fingerprints() == [before[7], before[120]]
    os.utime(builder.info.splits["test"].filepaths[0], (1, 1))
    assert not set(images.fingerprints()) & set(before)
