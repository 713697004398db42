import dataclasses
import itertools

import numpy as np
import pytest

from hashnet_tf.datasets import ArrayImages, FileImages, RetrievalDataset
from hashnet_tf.datasets.protocol import Expected

VALUES = itertools.cycle(range(256))


def arrays(labels):
    """Images that no other call gives, numbered from 0."""
    labels = np.asarray(labels, np.int64)
    images = np.zeros((len(labels), 4, 4), np.uint8)
    return ArrayImages(images + np.uint8(next(VALUES)), labels)


def files(names, labels=None):
    return FileImages("root", names, labels or list(range(len(names))))


def dataset(train, query, database):
    return RetrievalDataset("mine", "As it is.", train, query, database)


def test_describes_sizes_and_protocol():
    found = dataset(arrays([0, 1, 1]), arrays([0]), arrays([1, 0]))
    assert found.notes == []
    assert found.describe() == ("mine: 3 train, 1 query, 2 database. As it is.")


def test_counts_the_unlabelled():
    found = dataset(
        arrays([0, -1, 1]),
        FileImages("root", ["a", "b"], [[0, 0], [0, 1]]),
        FileImages("root", ["c", "d"], [[0, 0], [0, 0]]),
    )
    assert found.notes == [
        "1 of 3 train images have no label",
        "1 of 2 query images have no label",
        "2 of 2 database images have no label",
        "1 of 2 query images find nothing relevant, for no database image has"
        " their labels (1)",
    ]
    assert found.describe().endswith(
        "As it is. Note: 1 of 3 train images have no label. Note: 1 of 2 query"
        " images have no label. Note: 2 of 2 database images have no label."
        " Note: 1 of 2 query images find nothing relevant, for no database"
        " image has their labels (1)."
    )


def test_counts_what_parts_share_and_repeat():
    found = dataset(
        files(["a", "b", "./b", "x/../b"]),
        files(["b", "c", "d", "e"]),
        files(["e", "./d", "c", "f", "f"]),
    )
    assert found.notes == [
        "2 of 4 train images repeat another",
        "1 of 5 database images repeat another",
        "1 of 4 query images are train images too",
        "3 of 4 query images are database images too",
    ]


def test_numbers_of_arrays_are_no_names_of_one_image():
    found = dataset(arrays([0, 1]), arrays([0, 1]), arrays([0, 1]))
    assert found.notes == []


def test_arrays_of_one_name_and_content_are_one_image():
    images = arrays([0, 1, 2])
    found = dataset(images, images.first(1), images.subset([0, 2]))
    assert found.notes == [
        "1 of 1 query images are train images too",
        "1 of 1 query images are database images too",
    ]


def test_notes_begin_with_what_was_left_out():
    found = RetrievalDataset(
        "mine", "", *[arrays([-1, 0, 1])] * 3, remarks=("2 are not there",)
    )
    assert found.notes[:2] == [
        "2 are not there",
        "1 of 3 train images have no label",
    ]


def test_cannot_be_changed():
    found = dataset(arrays([0, 1]), arrays([0]), arrays([0]))
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.protocol = "Another."


@pytest.mark.parametrize(
    "train, query, database, message",
    [
        ([], [0], [0], "Received: mine with no train images"),
        ([0, 1], [], [0], "Received: mine with no query images"),
        ([0, 1], [0], [], "Received: mine with no database images"),
        ([3, 3], [0], [1], "Received: mine with 1$"),
        ([3, -1], [0], [1], "Received: mine with 1$"),
        ([-1, -1], [0], [1], "Received: mine with 0$"),
    ],
)
def test_refuses(train, query, database, message):
    with pytest.raises(ValueError, match=message):
        dataset(arrays(train), arrays(query), arrays(database))


@pytest.mark.parametrize("rows, classes", [([[0, 1], [0, 1]], 1), ([[0]], 0)])
def test_refuses_a_matrix_of_less_than_two_classes(rows, classes):
    train = files(["a", "b"][: len(rows)], rows)
    with pytest.raises(ValueError, match=f"Received: mine with {classes}$"):
        dataset(train, arrays([0]), arrays([0]))


def test_notes_a_part_of_another_size_than_a_full_copy():
    expected = Expected(train=3, query=4, labels=9)
    found = RetrievalDataset(
        "mine",
        "",
        arrays([0, 1, 2]),
        arrays([0]),
        arrays([0]),
        expected=expected,
    )
    assert found.notes == ["1 query images, where a full copy has 4"]


def test_refuses_overlaps_of_no_parts():
    with pytest.raises(ValueError, match="Received: database-query$"):
        RetrievalDataset(
            "mine", "", *[arrays([0, 1])] * 3, overlaps=("database-query",)
        )


def test_tells_of_queries_that_find_nothing_relevant():
    found = dataset(
        arrays([0, 1]), arrays([0, 7, 7, 9, -1]), arrays([0, 1, -1])
    )
    note = (
        "3 of 5 query images find nothing relevant, for no database image has"
    )
    assert f"{note} their labels (7, 9)" in found.notes
    rows = np.array([[1, 0, 0], [0, 1, 0], [0, -1, 1], [0, 0, 0]], np.int8)
    found = dataset(
        arrays(rows[:2]), arrays(rows), arrays([[1, 0, 0], [1, 0, 0]])
    )
    note = (
        "1 of 4 query images find nothing relevant, for no database image has"
    )
    assert f"{note} their labels (1)" in found.notes


def test_a_label_that_may_be_there_is_not_told():
    found = dataset(
        arrays([[1, 0], [0, 1]]), arrays([[1, -1]]), arrays([[0, 1]])
    )
    assert found.notes == []
