import hashlib
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hashnet_tf as hn
from hashnet_tf.datasets import ArrayImages, FileImages, RetrievalDataset
from hashnet_tf.datasets.held_out import (
    hold_out_classes,
    hold_out_queries,
    narrowed,
)
from hashnet_tf.datasets.protocol import Expected
from hashnet_tf.datasets.sources.pool import Pool
from hashnet_tf.datasets.splits import Draw, Drawing

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


@pytest.mark.slow
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


def images_by_values(pixels, labels):
    images = np.zeros((len(labels), 2, 2), np.uint8)
    images[:, 0, 0] = pixels
    return ArrayImages(images, labels, [f"{pixel}" for pixel in pixels])


def dataset_by_values(train, database, labels, **more):
    """Parts by pixel values; an image's label is `labels` of its value."""
    labels = np.asarray(labels)
    return RetrievalDataset(
        name="mine",
        protocol="By hand.",
        train=images_by_values(train, labels[train]),
        query=images_by_values([200, 201], labels[[0, 1]]),
        database=images_by_values(database, labels[database]),
        **more,
    )


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_asked_images_are_in_no_other_part(data):
    labels = [i % 3 for i in range(20)]
    for unlabelled in data.draw(st.sets(st.integers(9, 19), max_size=4)):
        labels[unlabelled] = -1
    train = list(range(12))
    shared = data.draw(st.sets(st.integers(0, 11)))
    database = sorted(shared) + list(range(12, 20))
    count, seed = data.draw(st.integers(1, 5)), data.draw(st.integers(0, 99))
    dataset = dataset_by_values(train, database, labels)
    found = hold_out_queries(dataset, count, seed)
    asked = set(found.query.names)
    assert len(asked) == len(found.query) == count
    assert asked <= {str(i) for i in train}
    assert not found.query.unlabelled.any()
    # The other images stay, in their order, with their labels.
    for part in ("train", "database"):
        whole, left = getattr(dataset, part), getattr(found, part)
        kept = [i for i, name in enumerate(whole.names) if name not in asked]
        assert left.names == [whole.names[i] for i in kept]
        assert left.labels.tolist() == whole.labels[kept].tolist()
    again = hold_out_queries(dataset, count, seed)
    assert again.query.names == found.query.names


def test_repeated_images_go_too():
    # The training images 0 to 4 twice each: no twin of a query is left.
    dataset = dataset_by_values(
        [0, 1, 2, 3, 4, 4, 3, 2, 1, 0], [0, 2, 5, 6], [0, 1, 0, 1, 1, 0, 1]
    )
    found = hold_out_queries(dataset, 2, seed=1)
    asked = set(found.query.names)
    assert not asked & set(found.train.names)
    assert not asked & set(found.database.names)
    assert len(found.train) == 10 - 2 * len(asked)


def test_tells_what_it_is_and_expects_no_published_counts():
    dataset = dataset_by_values(
        [0, 1, 2, 3],
        [4, 5],
        [0, 1, 0, 1, 0, 1],
        at=2,
        expected=Expected(train=4, query=2, labels=2),
    )
    found = hold_out_queries(dataset, 1, seed=7)
    assert found.protocol == (
        "By hand. For validation 1 training images ask in place of the"
        " queries, in no other part then; seed 7."
    )
    assert found.expected == Expected(labels=2)
    assert found.at == 2


def test_ranks_are_at_most_what_is_left():
    dataset = dataset_by_values([0, 1, 2, 3], [0, 1, 2, 3], [0, 1, 0, 1], at=4)
    assert hold_out_queries(dataset, 1, seed=0).at == 3


@pytest.mark.parametrize("count", [0, -1, 3, 1.0, True, "2"])
def test_refuses_other_counts(count):
    dataset = dataset_by_values([0, 1, 2, 3, 4], [5], [0, 1, 0, 1, -1, 0])
    with pytest.raises(ValueError, match="from 1 to 2, .* Received: "):
        hold_out_queries(dataset, count, seed=0)


def test_goes_before_the_classes_are_held_out():
    both = hn.datasets.load("digits", 1, validation=300, unseen_classes=3)
    queries = hn.datasets.load("digits", 1, validation=300)
    assert set(both.query.names) < set(queries.query.names)
    assert not set(both.query.labels) & set(both.train.labels)
    assert set(both.query.labels) == set(both.database.labels)


def test_the_imbalance_is_of_what_is_trained_on():
    dataset = hn.datasets.load("digits", 1, validation=300, imbalance=40)
    pairs = hn.losses.count_pairs(dataset.train.labels)
    assert pairs.dissimilar / pairs.similar == pytest.approx(40, rel=0.01)
    assert len(dataset.train) == 700
    assert not dataset.query.unlabelled.any()


def pool(labels, in_test=None, class_names=None):
    names = [f"{i}.png" for i in range(len(labels))]
    return Pool(FileImages("root", names, labels), in_test, class_names)


def drawing(**kept):
    return Drawing(Draw(), Draw(), **kept)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(-1, 9), min_size=2, max_size=40),
    st.integers(0, 2**32 - 1),
    st.data(),
)
def test_keeps_whole_classes_numbered_anew(ids, seed, data):
    there = sorted({i for i in ids if i >= 0})
    if len(there) < 2:
        ids, there = [*ids, 3, 5], sorted({*there, 3, 5})
    count = data.draw(st.integers(2, len(there)))
    labels = np.array(ids)
    in_test = np.arange(len(ids)) % 3 == 0
    names = [f"c{i}" for i in range(10)]
    found = narrowed(pool(labels, in_test, names), drawing(classes=count), seed)
    assert len(found.class_names) == count
    assert found.class_names == sorted(found.class_names)
    # What is kept, by the slow way: every image of the classes kept.
    kept = [i for i, k in enumerate(ids) if f"c{k}" in found.class_names]
    assert found.images.names == [f"{i}.png" for i in kept]
    assert [found.class_names[k] for k in found.images.labels] == [
        f"c{ids[i]}" for i in kept
    ]
    assert found.in_test.tolist() == [i % 3 == 0 for i in kept]
    again = narrowed(pool(labels, in_test, names), drawing(classes=count), seed)
    assert again.images.names == found.images.names


def test_every_class_can_be_drawn():
    labels = np.arange(6)
    drawn = [
        narrowed(pool(labels), drawing(classes=2), seed).images.names
        for seed in range(40)
    ]
    assert {name for names in drawn for name in names} == {
        f"{i}.png" for i in range(6)
    }


def test_keeps_the_most_frequent_labels_in_their_order():
    # Label 0 twice, 1 three times, 2 never, 3 twice, 4 three times.
    labels = np.array([[1, 1, 0, 0, 1], [1, 1, 0, 1, 1], [0, 1, 0, 1, 1]])
    found = narrowed(pool(labels, None, [*"abcde"]), drawing(labels=3), 0)
    assert found.class_names == ["a", "b", "e"]
    np.testing.assert_array_equal(found.images.labels, labels[:, [0, 1, 4]])


def test_leaves_out_the_unlabelled_after_labels_are_chosen():
    labels = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 0], [0, 0, 0], [1, 0, 1]])
    in_test = np.array([True, False, True, False, False])
    found = narrowed(pool(labels, in_test), drawing(labels=2, labelled=True), 0)
    assert found.images.names == ["0.png", "2.png", "4.png"]
    assert found.in_test.tolist() == [True, True, False]
    assert found.notes == ("2 of 5 images have no label and are left out",)


def test_leaves_a_pool_alone_that_has_nothing_to_lose():
    whole = pool(np.array([0, 1]))
    assert narrowed(whole, drawing(), 0) is whole
    assert narrowed(whole, drawing(labelled=True), 0) is whole


@pytest.mark.parametrize(
    "labels, kept, received",
    [
        (np.array([0, 1, -1]), {"classes": 3}, "2 classes"),
        (np.eye(3, dtype=int), {"classes": 2}, "labels.shape=(3, 3)"),
        (np.eye(3, dtype=int), {"labels": 4}, "labels.shape=(3, 3)"),
        (np.array([0, 1, 2]), {"labels": 2}, "labels.shape=(3,)"),
    ],
)
def test_refuses(labels, kept, received):
    with pytest.raises(ValueError, match=f"Received: {re.escape(received)}$"):
        narrowed(pool(labels), drawing(**kept), 0)
