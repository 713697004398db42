import collections
import logging
import os

import pytest

import hashnet_tf as hn
from hashnet_tf.datasets import protocol
from hashnet_tf.datasets.images import array_images
from hashnet_tf.datasets.sources.reading import check_place


@pytest.mark.parametrize(
    "data", ["", "digit", "Digits", "/some/folder", ":folder", "tfds cifar10"]
)
def test_refuses_another_word(data):
    with pytest.raises(ValueError, match=f"Received: data='{data}'"):
        hn.datasets.load(data)


@pytest.mark.parametrize("kind", ["folder", "lists", "npz", "tfds"])
def test_refuses_a_source_without_a_place(kind):
    for data in (kind, f"{kind}:"):
        with pytest.raises(ValueError, match=f"Received: {kind}:$"):
            hn.datasets.load(data)


def test_a_place_may_hold_a_colon(tmp_path, write_image):
    root = tmp_path / "C:images"
    for name in ("a/1.png", "a/2.png", "b/1.png", "b/2.png"):
        write_image(root / name, 0)
    assert len(hn.datasets.load(f"folder:{root}").database) == 2


def test_every_source_loads_and_says_what_it_is(sources):
    for word, _ in sources.values():
        dataset = hn.datasets.load(word)
        assert dataset.name == word
        assert dataset.describe().startswith(f"{word}: ")
        assert dataset.protocol in dataset.describe()
        assert dataset.notes == []


@pytest.mark.parametrize(
    "kind", ["folder", "folder of parts", "npz", "npz of parts", "tfds"]
)
def test_draws_by_the_seed(sources, kind):
    word, value_of = sources[kind]

    def drawn(seed):
        dataset = hn.datasets.load(word, seed, 2, 3)
        assert f"seed {seed}" in dataset.protocol
        parts = dataset.train, dataset.query, dataset.database
        return [[value_of[name] for name in part.names] for part in parts]

    train, query, database = drawn(5)
    assert drawn(5) == [train, query, database]
    assert drawn(6) != [train, query, database]
    assert (len(train), len(query), len(database)) == (9, 6, 30)
    assert sorted(query + database) == sorted(value_of.values())
    assert set(train) <= set(database)
    # A value tells its class.
    assert sorted(value // 20 for value in query) == [0, 0, 1, 1, 2, 2]
    assert sorted(value // 20 for value in train) == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_warns_of_what_it_notes(tmp_path, write_image, caplog):
    for name in ("a.png", "b.png"):
        write_image(tmp_path / name, 0)
    (tmp_path / "train.txt").write_text("a.png 1 0\nb.png 0 1\n")
    (tmp_path / "query.txt").write_text("a.png 1 0\n")
    (tmp_path / "database.txt").write_text("b.png 0 0\n")
    with caplog.at_level(logging.WARNING):
        dataset = hn.datasets.load(f"lists:{tmp_path}")
    assert len(dataset.notes) == 3
    assert [record.getMessage() for record in caplog.records] == [
        f"lists:{tmp_path}: {note}" for note in dataset.notes
    ]
    assert {record.levelname for record in caplog.records} == {"WARNING"}


def test_holds_out_classes_before_it_unbalances():
    dataset = hn.datasets.load("digits", 2, unseen_classes=3, imbalance=50)
    alone = hn.datasets.load("digits", 2, unseen_classes=3)
    assert dataset.query.names == alone.query.names
    assert dataset.database.names == alone.database.names
    assert dataset.train.names == alone.train.names
    assert len(alone.train) == 700 and len(alone.query) == 60
    pairs = hn.losses.count_pairs(dataset.train.labels)
    assert pairs.dissimilar / pairs.similar == pytest.approx(50, rel=0.01)
    for text in ("Unseen classes", "|S0| / |S1|"):
        assert text in dataset.protocol


def test_the_ranks_of_a_protocol_are_those_that_are_left(sources):
    folder = sources["folder of parts"][0].removeprefix("folder:")
    data = f"cifar10-50k:{folder}"
    assert hn.datasets.load(data).at == 24
    with pytest.raises(ValueError, match="which leaves 2 of the 3"):
        hn.datasets.load(data, unseen_classes=2)
    assert hn.datasets.load(data, unseen_classes=1).at == 8


def test_a_folder_reads_no_protocol(sources, monkeypatch):
    # They are read once a process, so by now they may have been.
    files = []
    monkeypatch.setattr(
        protocol,
        "read_protocols",
        lambda text, file: files.append(file) or [],
    )
    protocol.protocols.cache_clear()
    try:
        for word, _ in sources.values():
            hn.datasets.load(word)
        assert files == []
        with pytest.raises(ValueError):
            hn.datasets.load("no_protocol")
        assert "cifar10.toml" in files
    finally:
        protocol.protocols.cache_clear()


def test_looks_at_each_file_once(sources, monkeypatch):
    # Training images are in the database too.
    counts = collections.Counter()

    def counted(function):
        def count(path):
            counts[function.__name__, str(path)] += 1
            return function(path)

        return count

    for function in (os.path.islink, os.path.isfile):
        monkeypatch.setattr(os.path, function.__name__, counted(function))
    for kind in ("folder", "lists"):
        counts.clear()
        dataset = hn.datasets.load(sources[kind][0])
        dataset.describe()
        hn.datasets.shared_counts(dataset)
        links = [n for (name, _), n in counts.items() if name == "islink"]
        assert links == [1] * 36
    files = {
        path: n
        for (name, path), n in counts.items()
        if name == "isfile" and path.endswith(".png")
    }
    assert len(files) == 36
    # The first path of a list is looked for before, to see where images lie.
    assert sum(files.values()) <= 36 + 3


def test_digests_each_image_once(sources, monkeypatch):
    dataset = hn.datasets.load(sources["npz"][0])
    digests = []
    monkeypatch.setattr(
        array_images.hashlib, "sha256", lambda data: digests.append(data)
    )
    # `load` has told what the notes say, of train and of database.
    assert len(dataset.train.identities()) == len(dataset.train)
    assert len(dataset.database.subset([0, 2]).fingerprints()) == 2
    assert digests == []


@pytest.mark.parametrize("seed", [-1, 1.5, "0", True, None])
def test_refuses_another_seed(seed):
    with pytest.raises(ValueError, match=f"Received: seed={seed!r}$"):
        hn.datasets.load("digits", seed=seed)


def test_a_word_that_is_nearly_one(tmp_path):
    for word, near in (
        ("cifar10", "cifar10-50k, cifar10-54k, cifar10-59k"),
        (f"CIFAR10:{tmp_path}", "cifar10-50k, cifar10-54k, cifar10-59k"),
        ("fodler:x", "folder"),
    ):
        message = rf"; near to it: {near}\)\. Received: data='{word}'$"
        for refuse in (hn.datasets.load, check_place):
            with pytest.raises(ValueError, match=message):
                refuse(word)
