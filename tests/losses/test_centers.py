import re

import numpy as np
import pytest

from hashnet_tf.losses import hash_centers


def distances(centers):
    return np.array(
        [
            np.sum(a != b)
            for i, a in enumerate(centers)
            for b in centers[i + 1 :]
        ]
    )


@pytest.mark.parametrize("bits", [1, 2, 4, 16, 64])
def test_hadamard_rows(bits):
    centers = hash_centers(bits, bits)
    assert set(distances(centers)) <= {bits / 2}
    twice = hash_centers(2 * bits, bits)
    np.testing.assert_array_equal(twice[bits:], -centers)
    assert set(distances(twice)) <= {bits / 2, bits}
    np.testing.assert_array_equal(
        hash_centers(bits + 1, bits), twice[: bits + 1]
    )


@pytest.mark.parametrize(
    "classes, bits", [(10, 48), (100, 48), (21, 12), (100, 16), (8, 3), (7, 3)]
)
def test_drawn_codes(classes, bits):
    centers = hash_centers(classes, bits, seed=1)
    assert centers.shape == (classes, bits) and centers.dtype == np.int8
    assert set(np.unique(centers)) == {-1, 1}
    found = distances(centers)
    assert found.min() >= 1
    # A single draw of fair coins is not as far apart.
    rng = np.random.default_rng(0)
    single = [
        distances(rng.choice([-1, 1], (classes, bits))).min() for _ in range(9)
    ]
    assert found.min() >= np.median(single)
    np.testing.assert_array_equal(centers, hash_centers(classes, bits, seed=1))
    other = hash_centers(classes, bits, seed=2)
    assert (centers != other).any()


@pytest.mark.parametrize(
    "classes, bits", [(9, 3), (3, 1), (0, 8), (4, 0), (-1, 8)]
)
def test_refuses_more_classes_than_codes(classes, bits):
    received = f"Received: classes={classes}, bits={bits}"
    with pytest.raises(ValueError, match=re.escape(received)):
        hash_centers(classes, bits)
