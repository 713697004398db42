import numpy as np
import pytest

import hashnet_tf as hn

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (8, 5, 4), dtype=np.uint8)
LABELS = np.arange(8) % 2
TRAIN, TEST = IMAGES[:6], IMAGES[6:]


@pytest.fixture
def save(tmp_path):
    """Function that writes an archive and returns the word that loads it."""

    def save(**arrays):
        np.savez(tmp_path / "file.npz", **arrays)
        return f"npz:{tmp_path / 'file.npz'}"

    return save


def parted(**others):
    arrays = {
        "x_train": TRAIN,
        "y_train": LABELS[:6],
        "x_test": TEST,
        "y_test": LABELS[6:],
    }
    return arrays | others


def assert_images_are(part, images):
    for (_, pixels), name in zip(
        part.encoded().as_numpy_iterator(), part.names, strict=True
    ):
        expected = np.stack([images[int(name)]] * 3, axis=-1)
        np.testing.assert_array_equal(pixels, expected)


def test_images_and_labels(save):
    dataset = hn.datasets.load(save(images=IMAGES, labels=LABELS, more=[1]))
    assert len(dataset.query) == 2
    assert len(dataset.database) == len(dataset.train) == 6
    for part in (dataset.train, dataset.query, dataset.database):
        assert_images_are(part, IMAGES)
        assert part.labels.tolist() == [int(n) % 2 for n in part.names]


def test_a_test_part(save):
    dataset = hn.datasets.load(save(**parted()))
    assert dataset.query.names == ["6", "7"]
    assert dataset.train.names == list("012345")
    assert_images_are(dataset.query, IMAGES)
    assert_images_are(dataset.train, IMAGES)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64", "uint64"])
def test_labels_as_keras_archives_have_them(save, dtype):
    column = LABELS.astype(dtype)[:, None]
    word = save(**parted(y_train=column[:6], y_test=column[6:]))
    dataset = hn.datasets.load(word)
    assert dataset.train.labels.dtype == np.int32
    assert dataset.train.labels.tolist() == [0, 1] * 3


def test_compressed(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", images=IMAGES, labels=LABELS)
    assert len(hn.datasets.load(f"npz:{tmp_path / 'a.npz'}").database) == 6


def test_the_number_of_channels_is_told(save):
    bands = RNG.integers(0, 256, (8, 5, 4, 13), dtype=np.uint8)
    dataset = hn.datasets.load(save(images=bands, labels=LABELS))
    assert dataset.notes == ["images of 5 x 4 with 13 channels"]
    for part in (dataset.train, dataset.query, dataset.database):
        assert part.channels == 13
        places = [int(name) for name in part.names]
        found = hn.datasets.pixel_array(part, (5, 4))
        np.testing.assert_array_equal(found, bands[places])
    assert not hn.datasets.load(save(images=IMAGES, labels=LABELS)).notes


def test_labels_may_be_unknown(save):
    dataset = hn.datasets.load(save(images=IMAGES, other=LABELS))
    assert not dataset.is_labelled
    assert_images_are(dataset.database, IMAGES)


def test_unlabelled_are_counted_and_never_drawn(save):
    labels = np.array([0, -1, 0, 1, 1, -1, 0, 1])
    word = save(images=IMAGES, labels=labels)
    dataset = hn.datasets.load(word, query_per_class=1, train_per_class=2)
    assert sorted(dataset.query.labels) == [0, 1]
    assert sorted(dataset.train.labels) == [0, 0, 1, 1]
    assert dataset.notes == ["2 of 6 database images have no label"]
    dataset = hn.datasets.load(word)
    assert "2 of 6 train images have no label" in dataset.notes


@pytest.mark.parametrize("dtype", [np.int64, np.float32, bool])
def test_rows_of_labels(save, dtype):
    rows = np.eye(2, dtype=dtype)[LABELS]
    dataset = hn.datasets.load(save(images=IMAGES, labels=rows))
    assert dataset.train.labels.dtype == np.uint8
    found = np.concatenate([dataset.query.labels, dataset.database.labels])
    assert sorted(found.tolist()) == sorted(rows.astype(int).tolist())
    word = save(**parted(y_train=rows[:6], y_test=rows[6:]))
    np.testing.assert_array_equal(hn.datasets.load(word).train.labels, rows[:6])


def test_classes_that_are_only_tested_are_told(save):
    word = save(**parted(y_test=np.array([0, 7])))
    assert hn.datasets.load(word).notes == [
        "1 of 2 query images find nothing relevant, for no database image has"
        " their labels (7)"
    ]


def test_an_array_alone_is_told(tmp_path):
    save_one_array(tmp_path / "emb.npy")
    with pytest.raises(ValueError, match="a single array; np.savez"):
        hn.datasets.load(f"npz:{tmp_path / 'emb.npy'}")


def test_refuses_a_missing_file(tmp_path):
    for place in (tmp_path / "gone.npz", tmp_path):
        with pytest.raises(ValueError, match=f"Received: npz:{place}$"):
            hn.datasets.load(f"npz:{place}")


def cut(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def flip(path):
    content = bytearray(path.read_bytes())
    content[200] ^= 255
    path.write_bytes(content)


def save_one_array(path):
    with path.open("wb") as file:
        np.save(file, IMAGES)


def save_objects(path):
    np.savez(path, images=np.array([1, "a"], object), labels=[0, 1])


def set_in_entries(path, offsets, value):
    """Sets 16 bits of every entry's local and central header."""
    content = bytearray(path.read_bytes())
    for mark, at in zip([b"PK\3\4", b"PK\1\2"], offsets, strict=True):
        start = -1
        while (start := content.find(mark, start + 1)) >= 0:
            content[start + at : start + at + 2] = value.to_bytes(2, "little")
    path.write_bytes(content)


def spoil_header(path):
    content = path.read_bytes()
    assert b"'shape': (8," in content
    path.write_bytes(content.replace(b"'shape': (8,", b"'shape': (8\n("))


BREAKS = {
    "another compression": lambda path: set_in_entries(path, (8, 10), 9),
    "a password": lambda path: set_in_entries(path, (6, 8), 1),
    "a damaged header": spoil_header,
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("no archive"),
    "cut": cut,
    "one byte wrong": flip,
    "one array": save_one_array,
    "objects": save_objects,
}


@pytest.mark.parametrize("how", BREAKS)
def test_refuses_what_is_no_archive(save, tmp_path, how):
    word = save(images=IMAGES, labels=LABELS)
    BREAKS[how](tmp_path / "file.npz")
    with pytest.raises(ValueError, match="NumPy archive .* Received: .") as e:
        hn.datasets.load(word)
    assert word in str(e.value)


@pytest.mark.parametrize(
    "arrays, message",
    [
        ({"labels": LABELS}, "labels$"),
        ({"x_train": TRAIN, "y_train": LABELS[:6]}, "x_train, y_train$"),
        ({"images": IMAGES, "labels": LABELS[:7]}, r"labels.shape=\(7,\)"),
        ({"images": IMAGES, "labels": LABELS / 2}, "labels.dtype=float64"),
        ({"images": IMAGES, "labels": LABELS > 0}, "labels.dtype=bool"),
        ({"images": IMAGES, "labels": np.eye(8) * 2}, r"labels\[0, 0\]=2.0"),
        ({"images": IMAGES, "labels": np.zeros((8, 2, 2))}, r"=\(8, 2, 2\)"),
        (parted(y_test=np.eye(2, dtype=int)), r"y_test.shape=\(2, 2\)"),
        ({"images": IMAGES, "labels": 3}, r"labels.shape=\(\)"),
        ({"images": 3, "labels": LABELS}, r"images.shape=\(\)"),
        ({"images": IMAGES / 255, "labels": LABELS}, "images.dtype=float64"),
        (
            {"images": IMAGES.astype("uint16"), "labels": LABELS},
            "images.dtype=uint16",
        ),
        ({"images": IMAGES[:, 0], "labels": LABELS}, r"shape=\(8, 4\)"),
        ({"images": IMAGES, "labels": LABELS + 2**24}, "16777217$"),
        (
            {"images": IMAGES[:0], "labels": LABELS[:0]},
            "0 images, none of them labelled",
        ),
        ({"images": IMAGES, "labels": LABELS * 0}, "with 1$"),
        ({"images": IMAGES, "labels": LABELS * 0 - 1}, "none of them labelled"),
        (parted(y_train=LABELS[:5], y_test=LABELS[5:]), r"shape=\(5,\)"),
        (parted(x_test=TEST[..., None]), r"x_test.shape=\(2, 5, 4, 1\)"),
        (parted(x_test=TEST[:, :4]), r"x_test.shape=\(2, 4, 4\)"),
        (parted(x_test=TEST / 255), "images.dtype=float64"),
        (parted(y_test=LABELS[6:] + 0.5), "labels.dtype=float64"),
        (parted(x_test=TEST[:0], y_test=LABELS[:0]), "with no query images"),
        (parted(x_train=TRAIN[:0], y_train=LABELS[:0]), "with no train images"),
    ],
)
def test_refuses(save, arrays, message):
    word = save(**arrays)
    with pytest.raises(ValueError, match=f"Received: .*{message}") as error:
        hn.datasets.load(word)
    if "labelled" not in message:
        assert word in str(error.value)
