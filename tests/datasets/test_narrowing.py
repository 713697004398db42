import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashnet_tf.datasets import FileImages
from hashnet_tf.datasets.held_out import narrowed
from hashnet_tf.datasets.sources.pool import Pool
from hashnet_tf.datasets.splits import Draw, Drawing


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
