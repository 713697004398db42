import dataclasses
import json
import shutil
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import hashnet_tf as hn
from hashnet_tf.datasets import ArrayImages, FileImages, RetrievalDataset
from hashnet_tf.datasets.imbalance import imbalanced
from hashnet_tf.datasets.sources import Pool
from hashnet_tf.datasets.sources.written_lists import write_lists

PARTS = ("train", "query", "database")
WRITTEN = ["database.txt", "lists.json", "query.txt", "train.txt"]


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def rows_of(labels, width):
    if labels.ndim == 2:
        return labels.tolist()
    return [[int(i == k) for k in range(width)] for i in labels]


def written_and_read(dataset, source, folder):
    """Writes lists, reads them, writes what was read; returns the read."""
    first, second = folder / "first", folder / "second"
    write_lists(dataset, first, source)
    read = hn.datasets.load(f"lists:{first}")
    write_lists(read, second, f"lists:{first}")
    assert sorted(bytes_of(first)) == WRITTEN
    assert bytes_of(second) == bytes_of(first)
    return read


def check_same(read, dataset, width):
    for part in PARTS:
        images, wanted = getattr(read, part), getattr(dataset, part)
        assert images.names == wanted.names
        assert images.labels.tolist() == rows_of(wanted.labels, width)
        assert images.identities() == wanted.identities()
        assert images.unlabelled.tolist() == wanted.unlabelled.tolist()
    assert read.protocol == dataset.protocol
    assert read.at == dataset.at
    assert read.class_names == dataset.class_names


@pytest.mark.parametrize(
    "kind",
    [
        "folder",
        "folder of parts",
        "lists",
        "npz",
        "npz of parts",
        pytest.param("tfds", marks=pytest.mark.slow),
    ],
)
def test_every_source_comes_back(sources, tmp_path, kind, values_of):
    word, value_of = sources[kind]
    dataset = hn.datasets.load(word)
    read = written_and_read(dataset, word, tmp_path)
    check_same(read, dataset, 3)
    assert read.notes == dataset.notes
    for part in PARTS:
        images = getattr(read, part)
        found = values_of(images)
        assert found == [value_of[name] for name in images.names]
        labels = images.labels.argmax(axis=1)
        assert [value // 20 for value in found] == labels.tolist()


def test_digits_come_back(tmp_path):
    dataset = dataclasses.replace(hn.datasets.load("digits", seed=3), at=50)
    read = written_and_read(dataset, "digits", tmp_path)
    check_same(read, dataset, 10)
    said = json.loads((tmp_path / "first" / "lists.json").read_text())
    assert len(said.pop("digest")) == 64
    assert said == {
        "data": "digits",
        "classes": [str(i) for i in range(10)],
        "protocol": dataset.protocol,
        "at": 50,
        "overlaps": ["train-database"],
    }


def test_the_source_of_listed_images_is_told_on(tmp_path):
    digits = hn.datasets.load("digits")
    write_lists(digits, tmp_path / "first", "digits")
    word = f"coco-lists:{tmp_path / 'first'}"
    write_lists(hn.datasets.load(word), tmp_path / "second", word)
    said = json.loads((tmp_path / "second" / "lists.json").read_text())
    assert said["data"] == "digits"
    check_lists = bytes_of(tmp_path / "first")
    for name, content in bytes_of(tmp_path / "second").items():
        assert name == "lists.json" or content == check_lists[name]


def test_what_was_changed_comes_back(tmp_path):
    digits = hn.datasets.load("digits")
    for name, dataset in (
        ("unseen", hn.datasets.hold_out_classes(digits, 3, seed=0)),
        ("withheld", imbalanced(digits, 40, seed=0)),
        ("thinned", imbalanced(digits, 5, seed=0)),
    ):
        read = written_and_read(dataset, "digits", tmp_path / name)
        check_same(read, dataset, 10)
        assert read.protocol != digits.protocol


NAMES = st.text(
    st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8
).filter(
    lambda name: (
        name.encode().split() == [name.encode()] and name[0] != "\ufeff"
    )
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_labels_come_back(data, tmp_path):
    names = data.draw(st.lists(NAMES, min_size=3, max_size=8, unique=True))
    images = np.zeros((len(names), 1, 1), np.uint8)
    width = data.draw(st.integers(2, 5))

    def part(values):
        row = st.lists(st.sampled_from(values), min_size=width, max_size=width)
        rows = [data.draw(row) for _ in names]
        return ArrayImages(images, np.array(rows, np.int8), names)

    train = part([0, 1, -1])
    assume((train.labels > 0).any(axis=0).sum() >= 2)
    dataset = RetrievalDataset(
        "mine",
        data.draw(st.text(min_size=1).filter(lambda text: text.isprintable())),
        train,
        part([0, 1]),
        part([0, 1]),
        at=data.draw(st.none() | st.integers(1, 9)),
    )
    for name in ("first", "second"):
        shutil.rmtree(tmp_path / name, ignore_errors=True)
    with pytest.MonkeyPatch.context() as patch:
        pool = Pool(train)
        patch.setattr(
            "hashnet_tf.datasets.sources.lists.read_pool", lambda word: pool
        )
        read = written_and_read(dataset, "npz:mine", tmp_path)
    check_same(read, dataset, width)


def test_an_image_without_a_class(tmp_path):
    ids = np.array([0, 2, -1, 1])
    images = ArrayImages(np.zeros((4, 1, 1), np.uint8), ids)
    dataset = RetrievalDataset("mine", "By hand.", images, images, images)
    write_lists(dataset, tmp_path, "npz:mine")
    assert (tmp_path / "train.txt").read_bytes() == (
        b"0 1 0 0\n1 0 0 1\n2 -1 -1 -1\n3 0 1 0\n"
    )
    for part in ("query", "database"):
        assert (tmp_path / f"{part}.txt").read_bytes() == (
            b"0 1 0 0\n1 0 0 1\n2 0 0 0\n3 0 1 0\n"
        )


@pytest.mark.parametrize("inside", [".", "images/all"])
def test_a_folder_may_be_moved_with_its_images(
    tmp_path, write_image, inside, values_of
):
    folder = tmp_path / "set"
    root = folder / inside
    names = ["a/1.png", "a/2.png", "b/1.png", "b/2.png"]
    for value, name in enumerate(names):
        write_image(root / name, 50 * value)
    word = f"folder:{root}"
    dataset = hn.datasets.load(word, query_per_class=1)
    write_lists(dataset, folder, word)
    assert json.loads((folder / "lists.json").read_text())["images"] == inside
    moved = folder.rename(tmp_path / "moved")
    read = hn.datasets.load(f"lists:{moved}")
    assert read.query.names == dataset.query.names
    assert values_of(read.query) == [
        50 * names.index(name) for name in read.query.names
    ]


def test_images_elsewhere_are_told_in_full(sources, tmp_path, monkeypatch):
    word, _ = sources["folder"]
    root = word.removeprefix("folder:")
    monkeypatch.chdir(f"{root}/..")
    dataset = hn.datasets.load("folder:classes")
    write_lists(dataset, tmp_path / "lists", "folder:classes")
    said = json.loads((tmp_path / "lists" / "lists.json").read_text())
    assert said["images"] == root


@pytest.mark.parametrize("name", [*WRITTEN, "test.txt"])
def test_overwrites_nothing(tmp_path, name):
    (tmp_path / name).write_text("mine")
    message = f"Received: {tmp_path} with {name}$"
    with pytest.raises(ValueError, match=message):
        write_lists(hn.datasets.load("digits"), tmp_path, "digits")
    assert bytes_of(tmp_path) == {name: b"mine"}


@pytest.mark.parametrize(
    "name",
    ["my cat.png", "", "tab\t.png", "line\n.png", "\udce9.png", "\ufeffa.png"],
)
def test_refuses_a_name_that_no_list_can_hold(tmp_path, name):
    good = FileImages("root", ["a", "b"], [0, 1])
    bad = FileImages("root", ["a", name], [0, 1])
    dataset = RetrievalDataset("mine", "By hand.", good, good, bad)
    with pytest.raises(ValueError, match="Received: database image ") as error:
        write_lists(dataset, tmp_path / "new", "folder:root")
    assert f"{name!r} of mine" in str(error.value)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["../a.png", "/a.png", "x/../../a.png"])
def test_refuses_paths_that_leave_the_folder(tmp_path, name):
    bad = FileImages("root", ["a", name], [0, 1])
    dataset = RetrievalDataset("mine", "By hand.", bad, bad, bad)
    with pytest.raises(ValueError, match=f"train image '{name}' of mine$"):
        write_lists(dataset, tmp_path, "folder:root")


def test_refuses_unknown_labels_of_queries(tmp_path):
    good = FileImages("root", ["a", "b"], [[0, 1], [1, 0]])
    bad = FileImages("root", ["a", "b"], [[0, 1], [1, -1]])
    dataset = RetrievalDataset("mine", "By hand.", bad, bad, good)
    with pytest.raises(ValueError, match="mine with some of query images$"):
        write_lists(dataset, tmp_path, "folder:root")


def test_is_whole_or_not_there(tmp_path, monkeypatch):
    def fail(path, value):
        raise OSError("disk full")

    module = sys.modules["hashnet_tf.datasets.sources.written_lists"]
    monkeypatch.setattr(module, "write_json", fail)
    with pytest.raises(OSError, match="disk full"):
        write_lists(hn.datasets.load("digits"), tmp_path, "digits")
    assert bytes_of(tmp_path) == {}


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """Function that writes an archive of these pixels to a relative place."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def archive(values):
        values = np.array(values, np.uint8)
        images = np.tile(values[:, None, None], (1, 4, 4))
        np.savez("x.npz", images=images, labels=np.arange(len(values)) % 3)
        return "npz:x.npz"

    return archive


def test_lists_of_an_archive_are_read_from_anywhere(
    archive, tmp_path, monkeypatch
):
    dataset = hn.datasets.load(archive(range(12)))
    write_lists(dataset, tmp_path / "lists", dataset.name)
    monkeypatch.chdir(tmp_path)
    check_same(hn.datasets.load("lists:lists"), dataset, 3)


def test_other_images_of_the_listed_names_are_refused(archive, tmp_path):
    dataset = hn.datasets.load(archive(range(12)))
    write_lists(dataset, tmp_path / "lists", dataset.name)
    archive(range(12)[::-1])
    message = "must be those that were listed. Received: others of the same"
    with pytest.raises(ValueError, match=message):
        hn.datasets.load(f"lists:{tmp_path / 'lists'}")


def test_remarks_are_kept(tmp_path):
    dataset = dataclasses.replace(
        hn.datasets.load("digits"), remarks=("3 of 40 are not there",)
    )
    read = written_and_read(dataset, "digits", tmp_path)
    assert read.remarks == ("3 of 40 are not there",)
