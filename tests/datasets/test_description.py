import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashnet_tf.datasets import FileImages, RetrievalDataset
from hashnet_tf.datasets.description import describe
from hashnet_tf.datasets.protocol import Expected


def files(part, labels):
    return FileImages(
        "root", [f"{part}{i}" for i in range(len(labels))], labels
    )


def brute_force(labels, with_self):
    """|S1| and |S0| by two loops over the training images."""
    similar = dissimilar = 0
    for i, one in enumerate(labels):
        for j, other in enumerate(labels):
            if i == j and not with_self:
                continue
            if labels.ndim == 1:
                if one < 0 or other < 0:
                    continue
                alike = one == other
            else:
                alike = any(a and b for a, b in zip(one, other, strict=True))
                if i == j and not alike:
                    dissimilar += 1
                    continue
            similar += bool(alike)
            dissimilar += not alike
    return similar, dissimilar


@st.composite
def label_sets(draw):
    n = draw(st.integers(3, 9))
    if draw(st.booleans()):
        ids = draw(st.lists(st.integers(-1, 3), min_size=n, max_size=n))
        return np.array([0, 1, *ids])
    rows = draw(
        st.lists(
            st.lists(st.integers(0, 1), min_size=3, max_size=3),
            min_size=n,
            max_size=n,
        )
    )
    return np.array([[1, 0, 0], [0, 1, 0], *rows])


@settings(max_examples=60, deadline=None)
@given(label_sets(), st.data())
def test_counts_as_two_loops_do(labels, data):
    query = labels[data.draw(st.permutations(range(len(labels))))[:2]]
    dataset = RetrievalDataset(
        "mine",
        "As it is.",
        files("t", labels),
        files("q", query),
        files("d", labels),
    )
    found = describe(dataset)
    for pairs, with_self in (
        (found.pairs, False),
        (found.pairs_with_self, True),
    ):
        expected = brute_force(labels, with_self)
        assert (pairs.similar, pairs.dissimilar) == expected
    for part in ("train", "query", "database"):
        rows = getattr(dataset, part).labels
        for label, count in enumerate(found.histogram[part]):
            if rows.ndim == 1:
                assert count == sum(row == label for row in rows)
            else:
                assert count == sum(row[label] for row in rows)
        total = found.histogram[part].sum()
        assert found.labels_per_image(part) == total / len(rows)


DATASET = RetrievalDataset(
    "pets:here",
    "pets: by hand.",
    files("t", [[1, 0], [0, 1], [1, 1], [0, 0]]),
    files("q", [[1, 0], [0, 0]]),
    files("d", [[1, 0], [1, 0], [0, 1]]),
    class_names=["cat", "dog"],
    at=3,
    expected=Expected(
        train=4,
        query=1_000,
        unlabelled_query=2,
        labels_per_image=1.25,
        similar_weight=1.7778,
    ),
    remarks=("1 of 10 images are not there",),
)


def test_tells_all_of_it():
    # Of 16 pairs with i = j: 3 of one with itself, and (0, 2), (1, 2) twice.
    assert describe(DATASET).text() == (
        """\
pets:here
pets: by hand.
MAP@3
Note: 1 of 10 images are not there.
Note: 1 of 4 train images have no label.
Note: 2 query images, where a full copy has 1000.
Note: 1 of 2 query images have no label.

part      images  unlabelled  labels an image
train          4           1            1.000
query          2           1            0.500
database       3           0            1.000

Ordered pairs of training images:
                            |S1|  |S0|  |S|/|S1|  |S|/|S0|  |S0|/|S1|
i != j, as the loss counts     4     8    3.0000    1.5000     2.0000
i = j too, as the paper        7     9    2.2857    1.7778     1.2857

Beside what a full copy should measure:
                  expected   found  difference
train                    4       4           0
query                1,000       2        -998
unlabelled_query         2       1          -1
labels_per_image      1.25    1.00       -0.25
similar_weight      1.7778  2.2857     +0.5079

Images with each label:
label  train  query  database
cat        2      1         2
dog        2      0         1"""
    )


def test_tells_a_set_without_similar_pairs():
    train = files("t", [0, 1])
    found = describe(RetrievalDataset("mine", "", train, train, train))
    assert found.pairs.similar == 0
    assert "i != j, as the loss counts     0     2         -" in found.text()
    assert found.measured.similar_weight == 2.0
    assert "Beside" not in found.text()


def test_a_class_without_images_is_counted():
    train = files("t", [0, 2])
    dataset = RetrievalDataset(
        "mine", "", train, train, train, class_names=["a", "b", "c", "d"]
    )
    assert describe(dataset).histogram["train"].tolist() == [1, 0, 1, 0]
    assert describe(dataset).measured.labels == 4


@pytest.mark.parametrize("name", ["labels", "unlabelled_train", "database"])
def test_measures_what_can_be_expected(name):
    assert (
        getattr(describe(DATASET).measured, name)
        == {
            "labels": 2,
            "unlabelled_train": 1,
            "database": 3,
        }[name]
    )


def test_differences_are_those_numbers_that_differ():
    assert describe(DATASET).differences() == [
        "query: expected 1,000, found 2, -998",
        "unlabelled_query: expected 2, found 1, -1",
        "labels_per_image: expected 1.25, found 1.00, -0.25",
        "similar_weight: expected 1.7778, found 2.2857, +0.5079",
    ]
    # 16 / 7 is 2.285714...: as far as each number is told, it is found.
    for expected in (
        Expected(train=4, similar_weight=2.2857),
        Expected(similar_weight=2.286),
        Expected(similar_weight=2.3),
    ):
        as_expected = dataclasses.replace(DATASET, expected=expected)
        assert describe(as_expected).differences() == []


def test_ids_may_be_far_apart():
    train = files("t", [0, 70_000])
    text = describe(RetrievalDataset("mine", "", train, train, train)).text()
    assert text.endswith(
        "label  train  query  database\n"
        "0          1      1         1\n"
        "70000      1      1         1"
    )


def test_training_labels_may_be_withheld_from_ids():
    rows = [[1, 0, 0], [0, -1, 0], [0, 1, 0], [-1, -1, -1]]
    dataset = RetrievalDataset(
        name="mine",
        protocol="By hand.",
        train=files("t", np.array(rows)),
        query=files("q", np.array([2, 2, -1])),
        database=files("d", np.array([0, 1])),
    )
    found = describe(dataset)
    assert {part: list(n) for part, n in found.histogram.items()} == {
        "train": [1, 1, 0],
        "query": [0, 0, 2],
        "database": [1, 1, 0],
    }
    assert found.measured.labels == 3
    assert found.measured.unlabelled_train == 1
    assert found.measured.labels_per_image == 0.5
    # Of the 12 ordered pairs those of the first with the two next are known.
    assert found.pairs.dissimilar == 4 and found.pairs.similar == 0
    assert "train" in found.text()
