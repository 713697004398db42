"""Every protocol, shrunk, on a small copy in the format of the real one."""

import dataclasses
import re

import numpy as np
import pytest
import tensorflow_datasets as tfds
from tensorflow_datasets.core import constants

import hashnet_tf as hn
from hashnet_tf.datasets.check import find_problems, shared_counts
from hashnet_tf.datasets.description import describe
from hashnet_tf.datasets.protocol import protocols
from hashnet_tf.datasets.sources.reading import read_pool

DRAWN = [name for name, found in protocols().items() if found.drawing]
LISTED = [name for name, found in protocols().items() if not found.drawing]


def smaller(draw, count, per_class):
    return dataclasses.replace(
        draw,
        count=draw.count and count,
        per_class=draw.per_class and per_class,
    )


@pytest.fixture
def shrink(monkeypatch):
    """Function that shrinks a protocol's numbers to those of a stand-in."""

    def shrink(name):
        protocol = protocols()[name]
        drawing = protocol.drawing
        shrunk = dataclasses.replace(
            drawing,
            query=smaller(drawing.query, 5, 1),
            train=smaller(drawing.train, 8, 2),
            classes=drawing.classes and 3,
            labels=drawing.labels and 4,
        )
        shrunk = dataclasses.replace(protocol, drawing=shrunk)
        monkeypatch.setitem(protocols(), name, shrunk)
        return shrunk

    return shrink


@pytest.fixture
def word(request):
    """Function from a protocol to its word with the stand-in's folder."""

    def word(protocol):
        folder = request.getfixturevalue(f"{protocol.origin.layout}_folder")
        return f"{protocol.name}:{folder}"

    return word


@pytest.mark.parametrize("name", DRAWN)
def test_draws_from_the_original_files(shrink, word, name):
    protocol = shrink(name)
    data = word(protocol)
    dataset = hn.datasets.load(data, seed=3)
    assert dataset.name == data
    assert dataset.protocol == protocol.text(3)
    # So small a database has not as many ranks as a protocol wants.
    assert dataset.at == len(dataset.database)
    assert dataset.overlaps == protocol.overlaps
    assert set(shared_counts(dataset)) <= set(protocol.overlaps)
    again = hn.datasets.load(data, seed=3)
    parts = ("train", "query", "database")
    for part in parts:
        one, other = getattr(dataset, part), getattr(again, part)
        assert one.names == other.names
        np.testing.assert_array_equal(one.labels, other.labels)
    query, trained = set(dataset.query.names), set(dataset.train.names)
    found = set(dataset.database.names)
    assert not query & (trained | found)
    assert bool(trained & found) == ("train-database" in protocol.overlaps)
    other = hn.datasets.load(data, seed=4)
    assert other.query.names != dataset.query.names or name.endswith(
        ("50k", "mnist")
    )


@pytest.mark.parametrize("name", DRAWN)
def test_a_copy_is_measured_against_what_it_should_be(shrink, word, name):
    protocol = shrink(name)
    dataset = hn.datasets.load(word(protocol))
    differences = "\n".join(describe(dataset).differences())
    for part in ("train", "query", "database"):
        expected = getattr(protocol.expected, part)
        found = len(getattr(dataset, part))
        if expected is None:
            continue
        note = f"{found} {part} images, where a full copy has {expected}"
        assert note in dataset.notes
        line = f"{part}: expected {expected:,}, found {found:,},"
        assert f"{line} {found - expected:+,}" in differences


def test_imagenet_asks_with_validation_images_of_the_drawn_classes(
    shrink, word
):
    protocol = shrink("imagenet100")
    dataset = hn.datasets.load(word(protocol), seed=1)
    assert len(dataset.class_names) == 3
    assert all(name.startswith("val/") for name in dataset.query.names)
    # 3 validation and 8 training images of each class.
    assert np.bincount(dataset.query.labels).tolist() == [3, 3, 3]
    assert np.bincount(dataset.database.labels).tolist() == [8, 8, 8]
    assert np.bincount(dataset.train.labels).tolist() == [2, 2, 2]
    for part in (dataset.train, dataset.database):
        for name, label in zip(part.names, part.labels, strict=True):
            assert name.split("/")[1] == dataset.class_names[label]
    drawn = {
        wnid
        for seed in range(12)
        for wnid in hn.datasets.load(word(protocol), seed=seed).class_names
    }
    assert len(drawn) == 5


def test_coco_leaves_out_images_without_a_label(shrink, word):
    dataset = hn.datasets.load(word(shrink("coco")))
    assert dataset.notes[0] == "6 of 30 images have no label and are left out"
    assert len(dataset.query) == 5 and len(dataset.database) == 19
    assert not any(
        getattr(dataset, part).unlabelled.any()
        for part in ("train", "query", "database")
    )


def test_nus_wide_keeps_images_without_a_concept(shrink, word):
    dataset = hn.datasets.load(word(shrink("nuswide81")))
    assert len(dataset.query) + len(dataset.database) == 37
    assert "3 of 40" in dataset.notes[0]
    both = np.concatenate([dataset.query.labels, dataset.database.labels])
    assert both.shape == (37, 81)
    # Lines 0, 9, 18, 27 and 36 show nothing; 3, 17 and 38 are missing.
    assert (~both.any(axis=1)).sum() == 5


def test_nus_wide_21_keeps_the_most_frequent_concepts(shrink, word):
    protocol = shrink("nuswide21")
    whole = read_pool(word(protocol))
    dataset = hn.datasets.load(word(protocol))
    sizes = whole.images.labels.sum(axis=0)
    fourth = sorted(sizes)[-4]
    kept = [whole.class_names.index(name) for name in dataset.class_names]
    assert len(kept) == 4 and kept == sorted(kept)
    assert all(sizes[column] >= fourth for column in kept)
    labelled = whole.images.labels[:, kept].any(axis=1).sum()
    assert len(dataset.query) == 4 and len(dataset.train) == 8
    assert len(dataset.query) + len(dataset.database) == labelled


def test_cifar10_differs_by_protocol(shrink, word):
    parts = {}
    for name in ("cifar10-54k", "cifar10-59k", "cifar10-50k"):
        dataset = hn.datasets.load(word(shrink(name)))
        parts[name] = [
            getattr(dataset, part).names
            for part in ("train", "query", "database")
        ]
    # 36 images of 3 classes, 12 of them in test/.
    sizes = {name: [*map(len, found)] for name, found in parts.items()}
    assert sizes == {
        "cifar10-54k": [6, 3, 27],
        "cifar10-59k": [6, 3, 33],
        "cifar10-50k": [24, 12, 24],
    }
    assert parts["cifar10-54k"][:2] == parts["cifar10-59k"][:2]
    assert all(name.startswith("test/") for name in parts["cifar10-50k"][1])


@pytest.mark.parametrize("name", LISTED)
def test_reads_released_lists(sources, name):
    folder = sources["lists"][0].removeprefix("lists:")
    dataset = hn.datasets.load(f"{name}:{folder}")
    listed = hn.datasets.load(f"lists:{folder}")
    for part in ("train", "query", "database"):
        one, other = getattr(dataset, part), getattr(listed, part)
        assert one.names == other.names
        np.testing.assert_array_equal(one.labels, other.labels)
    protocol = protocols()[name]
    assert dataset.protocol == f"{name}: Parts as listed in the released lists."
    assert dataset.at == len(dataset.database)
    assert dataset.overlaps == protocol.overlaps
    assert dataset.expected == protocol.expected


def test_overlap_is_a_problem_where_the_lists_may_not(tmp_path):
    # Images in memory, of which none need be read from a file.
    (tmp_path / "lists.json").write_text('{"data": "digits"}')
    text = "0 1 0\n1 0 1\n"
    for part in ("train", "query", "database"):
        (tmp_path / f"{part}.txt").write_text(text)
    found = {
        name: find_problems(hn.datasets.load(f"{name}:{tmp_path}"))
        for name in ("coco-lists", "imagenet100-lists")
    }
    assert [text.split(":")[0] for text in found["coco-lists"]] == [
        "2 of 2 train images are query images too, which coco-lists",
        "2 of 2 train images are database images too, which coco-lists",
    ]
    assert [text.split(":")[0] for text in found["imagenet100-lists"]] == [
        "2 of 2 train images are query images too, which imagenet100-lists",
        "2 of 2 query images are database images too, which imagenet100-lists",
    ]


def test_a_prepared_set_of_tfds_needs_no_folder(shrink, prepare_tfds, request):
    rows = [(10 * label + i, label) for i in range(8) for label in range(3)]
    prepare_tfds("fashion_mnist", {"train": rows[:18], "test": rows[18:]})
    request.getfixturevalue("no_network")
    shrink("fashion-mnist")
    dataset = hn.datasets.load("fashion-mnist")
    assert dataset.name == "fashion-mnist"
    assert len(dataset.query) == 6 and len(dataset.database) == 18
    assert np.bincount(dataset.train.labels).tolist() == [2, 2, 2]


@pytest.mark.parametrize("name", DRAWN)
def test_what_is_not_here_says_how_to_get_it(
    monkeypatch, tmp_path, no_network, name
):
    monkeypatch.setattr(constants, "DATA_DIR", str(tmp_path))
    origin = protocols()[name].origin
    with pytest.raises(ValueError) as error:
        hn.datasets.load(name)
    for told in (
        origin.about,
        origin.url,
        origin.size,
        origin.licence,
        origin.by_hand,
        f"{name}:DIR",
    ):
        assert told in str(error.value)
    assert str(error.value).endswith(f"Received: {name}")


@pytest.mark.parametrize("place", ["", "/no/folder"])
@pytest.mark.parametrize("name", DRAWN)
def test_a_folder_that_is_not_there_says_how_to_get_it(name, place):
    origin = protocols()[name].origin
    with pytest.raises(ValueError) as error:
        hn.datasets.load(f"{name}:{place}")
    for told in (origin.url, origin.size, origin.licence, origin.by_hand):
        assert told in str(error.value)
    assert f"There is no folder '{place}'." in str(error.value)
    assert str(error.value).endswith(f"Received: {name}:{place}")


@pytest.mark.parametrize("colon", ["", ":"])
@pytest.mark.parametrize("name", LISTED)
def test_lists_need_their_folder(name, colon):
    with pytest.raises(ValueError) as error:
        hn.datasets.load(f"{name}{colon}")
    assert protocols()[name].lists in str(error.value)
    assert str(error.value).endswith(f"Received: {name}{colon}")


@pytest.mark.parametrize("name", ["coco", "coco-lists"])
def test_a_protocol_draws_by_itself(name):
    message = f"Received: {name} with query_per_class=None, train_per_class=5$"
    with pytest.raises(ValueError, match=message):
        hn.datasets.load(name, train_per_class=5)


def test_too_small_a_copy_is_named(ilsvrc_folder):
    data = f"imagenet100:{ilsvrc_folder}"
    message = f"{re.escape(data)}: .* 100 classes. Received: 5 classes$"
    with pytest.raises(ValueError, match=message):
        hn.datasets.load(data)


@pytest.mark.parametrize("data", ["coco-lists:DIR", "lists:DIR", "no:DIR"])
def test_lists_are_no_pool(data):
    with pytest.raises(ValueError, match=f"Received: data='{data}'$"):
        read_pool(data)


@pytest.mark.slow
def test_imagenet_of_tfds(shrink, prepare_tfds):
    rows = [(10 * label + i, label) for i in range(9) for label in range(5)]
    prepare_tfds(
        "imagenet2012",
        {"train": rows[:30], "validation": rows[30:]},
        label=tfds.features.ClassLabel(names=[*"abcde"]),
    )
    shrink("imagenet100-130")
    dataset = hn.datasets.load("imagenet100-130", seed=2)
    assert len(dataset.class_names) == 3
    for part, each in (("train", 2), ("query", 3), ("database", 6)):
        images = getattr(dataset, part)
        assert np.bincount(images.labels).tolist() == [each] * 3
        # A value tells its class: that of the name that was drawn.
        (pixels,) = hn.datasets.ordered_batches(images, (4, 4))
        values = pixels[:, 0, 0, 0].numpy() // 10
        assert ["abcde"[value] for value in values] == [
            dataset.class_names[label] for label in images.labels
        ]


@pytest.mark.slow
def test_coco_of_tfds(shrink, prepare_tfds, monkeypatch):
    label = tfds.features.ClassLabel(names=[*"abc"])
    seen = tfds.features.Sequence({"label": label})
    rows = [
        (i, [{"label": k} for k in range(3) if i >> k & 1]) for i in range(32)
    ]
    prepare_tfds(
        "coco_in_small",
        {"train": rows[:20], "validation": rows[20:], "test": [(99, [])]},
        label=seen,
        label_name="objects",
    )
    shrunk = shrink("coco")
    origin = dataclasses.replace(shrunk.origin, tfds="coco_in_small")
    shrunk = dataclasses.replace(shrunk, origin=origin)
    monkeypatch.setitem(protocols(), "coco", shrunk)
    dataset = hn.datasets.load("coco")
    # Of 32 images each eighth has no label.
    assert len(dataset.query) == 5 and len(dataset.database) == 23
    for images in (dataset.train, dataset.query, dataset.database):
        (pixels,) = hn.datasets.ordered_batches(images, (4, 4))
        for value, row in zip(
            pixels[:, 0, 0, 0].numpy(), images.labels, strict=True
        ):
            assert row.tolist() == [value & 1, value >> 1 & 1, value >> 2 & 1]
