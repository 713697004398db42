import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hashnet_tf as hn
from hashnet_tf.datasets import ArrayImages, RetrievalDataset
from hashnet_tf.datasets.held_out import hold_out_queries
from hashnet_tf.datasets.protocol import Expected


def images_of(pixels, labels):
    images = np.zeros((len(labels), 2, 2), np.uint8)
    images[:, 0, 0] = pixels
    return ArrayImages(images, labels, [f"{pixel}" for pixel in pixels])


def dataset_of(train, database, labels, **more):
    """Parts by pixel values; an image's label is `labels` of its value."""
    labels = np.asarray(labels)
    return RetrievalDataset(
        name="mine",
        protocol="By hand.",
        train=images_of(train, labels[train]),
        query=images_of([200, 201], labels[[0, 1]]),
        database=images_of(database, labels[database]),
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
    dataset = dataset_of(train, database, labels)
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
    dataset = dataset_of(
        [0, 1, 2, 3, 4, 4, 3, 2, 1, 0], [0, 2, 5, 6], [0, 1, 0, 1, 1, 0, 1]
    )
    found = hold_out_queries(dataset, 2, seed=1)
    asked = set(found.query.names)
    assert not asked & set(found.train.names)
    assert not asked & set(found.database.names)
    assert len(found.train) == 10 - 2 * len(asked)


def test_tells_what_it_is_and_expects_no_published_counts():
    dataset = dataset_of(
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
    dataset = dataset_of([0, 1, 2, 3], [0, 1, 2, 3], [0, 1, 0, 1], at=4)
    assert hold_out_queries(dataset, 1, seed=0).at == 3


@pytest.mark.parametrize("count", [0, -1, 3, 1.0, True, "2"])
def test_refuses_other_counts(count):
    dataset = dataset_of([0, 1, 2, 3, 4], [5], [0, 1, 0, 1, -1, 0])
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
