import numpy as np
import pytest
from keras import ops

from hashnet_tf.losses._labels import read_labels
from hashnet_tf.losses._pairs import label_pairs


def arrays(labels, overlap):
    similar, known, continuous = map(
        ops.convert_to_numpy,
        label_pairs(read_labels(labels), overlap),
    )
    assert similar.dtype == known.dtype == bool
    assert continuous.dtype == np.float32
    return similar, known, continuous


@pytest.mark.parametrize("overlap", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_against_a_loop(slow, seed, overlap):
    rng = np.random.default_rng(seed)
    for labels in (
        rng.integers(-2, 4, 9),
        rng.integers(-2, 4, (9, 1)),
        rng.choice([-1, 0, 0, 1], (9, 5)),
        (rng.random((9, 5)) < 0.3).astype("float32"),
    ):
        similar, known, continuous = arrays(labels, overlap)
        items = labels[:, 0] if labels.shape[1:] == (1,) else labels
        for i in range(9):
            for j in range(9):
                expected = slow.relation(items[i], items[j], overlap)
                assert known[i, j] == (expected is not None)
                if expected is not None:
                    assert similar[i, j] == expected[0]
                    assert continuous[i, j] == np.float32(expected[1])


def test_by_hand():
    labels = np.array([[1, 1, 0], [0, 1, 1], [0, 0, -1], [0, 0, 0]])
    similar, known, continuous = arrays(labels, overlap=True)
    assert similar.astype(int).tolist() == [
        [1, 1, 0, 0],
        [1, 1, 0, 0],
        [0, 0, 0, 0],
        [0, 0, 0, 0],
    ]
    # The third has label 2 or not: it may share it with the second.
    assert known.astype(int).tolist() == [
        [1, 1, 1, 1],
        [1, 1, 0, 1],
        [1, 0, 0, 1],
        [1, 1, 1, 1],
    ]
    np.testing.assert_allclose(continuous[0], [1, 1 / 3, 1, 1], rtol=1e-6)


def test_of_soft_labels_the_larger_ones_count():
    # Label smoothing gives each class something; else all pairs are similar.
    hard = np.eye(4, dtype="float32")[[0, 0, 1, 2, 3, 3]]
    for soft in (0.9 * hard + 0.025, 0.6 * hard + 0.1):
        for overlap in (False, True):
            for a, b in zip(
                arrays(soft, overlap), arrays(hard, overlap), strict=True
            ):
                np.testing.assert_array_equal(a, b)


def test_dissimilar_pairs_keep_their_weight():
    # Eq. 2 as it is worded gives them c_ij = 0.
    _, _, continuous = arrays(np.eye(4), overlap=True)
    np.testing.assert_array_equal(continuous, np.ones((4, 4)))
