import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hashnet_tf as hn
from hashnet_tf.datasets import ArrayImages, RetrievalDataset
from hashnet_tf.datasets.held_out import hold_out_classes
from hashnet_tf.datasets.protocol import Expected

PARTS = ("train", "query", "database")


def images_of(labels, start=0):
    images = np.zeros((len(labels), 2, 2), np.uint8)
    names = [str(start + i) for i in range(len(labels))]
    return ArrayImages(images, labels, names)


def dataset_of(train, query, database, **settings):
    return RetrievalDataset(
        name="mine",
        protocol="By hand.",
        train=images_of(np.asarray(train)),
        query=images_of(np.asarray(query), 100),
        database=images_of(np.asarray(database), 200),
        **settings,
    )


def one_hot(ids, width):
    return [[int(i == k) for k in range(width)] for i in ids]


def test_each_side_has_its_classes_alone():
    ids = [4, 0, 9, 2, -1, 4, 0, 2, 9, 9]
    found = hold_out_classes(dataset_of(ids, ids, ids), 2, seed=3)
    drawn = set(found.query.labels.tolist())
    assert len(drawn) == 2 and drawn < {0, 2, 4, 9}
    for part, wanted in (
        ("train", {0, 2, 4, 9} - drawn),
        ("query", drawn),
        ("database", drawn),
    ):
        images, start = getattr(found, part), 100 * PARTS.index(part)
        # Every image of these classes, in the old order.
        assert images.names == [
            str(start + i) for i, label in enumerate(ids) if label in wanted
        ]
        assert images.labels.tolist() == [i for i in ids if i in wanted]


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_no_class_on_both_sides(data):
    width = data.draw(st.integers(3, 7))
    # All classes in all parts, so that each part keeps an image.
    ids = list(range(width)) + data.draw(
        st.lists(st.integers(-1, width - 1), max_size=12)
    )
    count = data.draw(st.integers(1, width - 2))
    seed = data.draw(st.integers(0, 99))
    found = hold_out_classes(dataset_of(ids, ids, ids), count, seed)
    seen = set(found.train.labels.tolist())
    unseen = set(found.database.labels.tolist())
    assert unseen == set(found.query.labels.tolist())
    assert len(unseen) == count and not seen & unseen
    assert seen | unseen == set(range(width))
    # A matrix of one 1 a row is the same source.
    rows = one_hot(ids, width)
    again = hold_out_classes(dataset_of(rows, rows, rows), count, seed)
    for part in PARTS:
        ids_of, rows_of = getattr(found, part), getattr(again, part)
        assert rows_of.names == ids_of.names
        assert rows_of.labels.tolist() == one_hot(ids_of.labels, width)
    assert again.protocol == found.protocol


def test_the_draw_stays():
    found = hold_out_classes(hn.datasets.load("digits"), 4, seed=7)
    names = " ".join(
        f"{part}:{name}"
        for part in PARTS
        for name in getattr(found, part).names
    )
    assert hashlib.sha256(names.encode()).hexdigest()[:16] == "421620fed2b2faf5"


def test_another_seed_draws_others():
    digits = hn.datasets.load("digits")
    drawn = {
        tuple(np.unique(hold_out_classes(digits, 3, seed).query.labels))
        for seed in range(8)
    }
    assert len(drawn) > 3


def test_protocol_names_the_classes():
    names = ["ant", "bee", "cat", "dog"]
    ids = [0, 1, 2, 3]
    found = hold_out_classes(
        dataset_of(ids, ids, ids, class_names=names, at=50), 2, seed=0
    )
    first, second = (names[i] for i in found.query.labels)
    assert found.protocol == (
        "By hand. Unseen classes: queries and database of 2 of 4 classes"
        f" ({first}, {second}), training images of the others; seed 0."
    )
    # No more ranks than the database has left.
    assert (found.name, found.at) == ("mine", 2)
    assert found.class_names == names


def test_protocol_names_ten_at_most():
    ids = list(range(20))
    found = hold_out_classes(dataset_of(ids, ids, ids), 12, seed=0)
    first = ", ".join(map(str, found.query.labels[:10]))
    assert f" ({first}, 2 more), " in found.protocol


def test_counts_of_the_whole_set_are_expected_no_more():
    ids = list(range(4))
    whole = dataset_of(ids, ids, ids, expected=Expected(train=4))
    assert hold_out_classes(whole, 2, seed=0).expected == Expected()


@pytest.mark.parametrize("count", [0, -1, 3, 4, 2.0, True, None])
def test_refuses_a_count_that_leaves_no_two_classes(count):
    dataset = dataset_of([0, 1, 2], [3], [0, 3])
    message = "from 1 to 2, which leaves 2 of the 4 .* Received: "
    with pytest.raises(ValueError, match=message):
        hold_out_classes(dataset, count, seed=0)


def test_refuses_several_labels():
    rows = one_hot([0, 1, 2, 3], 4)
    dataset = dataset_of(rows, rows, [*rows, [0, 1, 0, 1]])
    message = r"mine with the database image 204, labels \[1, 3\]$"
    with pytest.raises(ValueError, match=message):
        hold_out_classes(dataset, 1, seed=0)


def test_refuses_a_part_that_is_left_empty():
    dataset = dataset_of([0, 1, 2], [2], [3, 2])
    messages = set()
    for seed in range(20):
        try:
            hold_out_classes(dataset, 1, seed)
        except ValueError as error:
            messages.add(str(error))
    assert messages == {
        "Each part needs at least one image. Received: mine with no query"
        " images"
    }


@pytest.mark.parametrize("kind", ["folder of parts", "lists", "npz", "tfds"])
def test_every_single_label_source(sources, kind):
    word, value_of = sources[kind]
    found = hold_out_classes(hn.datasets.load(word), 1, seed=1)
    classes = {
        part: {value_of[name] // 20 for name in getattr(found, part).names}
        for part in PARTS
    }
    assert classes["query"] == classes["database"]
    assert len(classes["query"]) == 1
    assert classes["train"] == {0, 1, 2} - classes["query"]
    for images in (found.train, found.database):
        (batch,) = hn.datasets.ordered_batches(images, (2, 2))
        assert [value // 20 for value in batch[:, 0, 0, 0].numpy()] == [
            value_of[name] // 20 for name in images.names
        ]
