import numpy as np
import pytest
from sklearn.base import clone

from hashnet_tf.shallow import BRE, ITQCCA, KSH, SDH
from hashnet_tf.shallow.hash_function import check_supervision

# BRE learns without labels, too.
OPTIONAL = [BRE(5, rounds=5)]
REQUIRED = [ITQCCA(5), KSH(5, anchors=20), SDH(5, anchors=20)]


def name(rival):
    return type(rival).__name__


each = pytest.mark.parametrize("rival", OPTIONAL + REQUIRED, ids=name)


def data(n=60):
    rng = np.random.default_rng(0)
    labels = rng.integers(3, size=n)
    return 3 * rng.normal(size=(3, 6))[labels] + rng.normal(size=(n, 6)), labels


def test_ids_become_a_matrix_without_classes_that_do_not_occur():
    x = np.arange(8).reshape(4, 2)
    features, labels = check_supervision(x, [5, -1, 9, 5])
    np.testing.assert_array_equal(features, x[[0, 2, 3]])
    np.testing.assert_array_equal(labels, [[1, 0], [0, 1], [1, 0]])


def test_rows_of_zeros_are_left_out():
    x = np.arange(8).reshape(4, 2)
    matrix = np.array([[1, 1], [0, 0], [0, 1], [1, 0]])
    features, labels = check_supervision(x, matrix)
    np.testing.assert_array_equal(features, x[[0, 2, 3]])
    np.testing.assert_array_equal(labels, matrix[[0, 2, 3]])


def test_what_is_unknown_is_no_label():
    x = np.arange(8).reshape(4, 2)
    matrix = np.array([[1, -1], [-1, -1], [-1, 1], [0, -1]])
    features, labels = check_supervision(x, matrix)
    np.testing.assert_array_equal(features, x[[0, 2]])
    np.testing.assert_array_equal(labels, [[1, 0], [0, 1]])


@each
def test_learns_where_labels_are_withheld(rival):
    x, labels = data()
    matrix = np.eye(3, dtype=np.int8)[labels]
    withheld = matrix.copy()
    withheld[40:][matrix[40:] == 1] = -1
    alone = clone(rival).fit(x[:40], labels[:40])
    among = clone(rival).fit(x, withheld)
    np.testing.assert_array_equal(among.encode(x), alone.encode(x))


@each
def test_the_unlabelled_make_no_difference(rival):
    x, labels = data()
    alone = clone(rival).fit(x[:40], labels[:40])
    labels[40:] = -1
    among = clone(rival).fit(x, labels)
    np.testing.assert_array_equal(among.encode(x), alone.encode(x))


@each
def test_a_matrix_of_one_label_each_is_class_ids(rival):
    x, labels = data()
    by_ids = clone(rival).fit(x, labels).encode(x)
    by_matrix = clone(rival).fit(x, np.eye(3, dtype=int)[labels]).encode(x)
    np.testing.assert_array_equal(by_ids, by_matrix)


@each
def test_labels_make_a_difference(rival):
    x, labels = data()
    first = clone(rival).fit(x, labels).encode(x)
    other = clone(rival).fit(x, np.roll(labels, 1)).encode(x)
    assert (first != other).any()


@each
def test_learns_from_several_labels_an_item(rival):
    x, labels = data()
    matrix = np.eye(3, dtype=np.uint8)[labels]
    matrix[np.arange(0, 60, 3), 0] = 1
    codes = clone(rival).fit(x, matrix).encode(x)
    assert len(np.unique(codes)) > 1


@each
def test_refuses_labels(rival):
    x, labels = data()
    for wrong, message in [
        (np.zeros(60, int), "Received: labels of which 60 are known"),
        (np.full(60, -1), "Received: labels of which 0 are known"),
        (np.ones((60, 3)), "Received: labels of which 60 are known"),
        (labels[:9], r"Received: labels.shape=\(9,\)"),
        (labels + 0.5, "Received: labels.dtype=float64"),
        (np.full((60, 2), 2), r"Received: labels\[0, 0\]=2"),
        (np.full((60, 2), -2), r"Received: labels\[0, 0\]=-2"),
    ]:
        with pytest.raises(ValueError, match=message):
            clone(rival).fit(x, wrong)


@pytest.mark.parametrize("rival", REQUIRED, ids=name)
def test_refuses_to_learn_without_labels(rival):
    with pytest.raises(ValueError, match="supervised. Received: labels=None"):
        clone(rival).fit(data()[0])


@each
@pytest.mark.parametrize("wrong", ["soft", "two levels", "floats"])
def test_refuses_labels_that_are_none(rival, wrong):
    x, labels = data()
    one_hot = np.eye(3)[labels]
    given = {
        "soft": 0.9 * one_hot + 0.03,
        "two levels": np.stack([labels, labels + 1], axis=1),
        "floats": labels + 0.5,
    }[wrong]
    with pytest.raises(ValueError, match="`labels` must .* Received: labels"):
        clone(rival).fit(x, given)
