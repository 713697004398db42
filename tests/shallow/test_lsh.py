import numpy as np
import pytest

from hashnet_tf.retrieval import distances
from hashnet_tf.shallow import LSH


def features(n=60, d=9, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


@pytest.mark.parametrize("bits", [1, 7, 48])
def test_codes_are_sides_of_hyperplanes_through_the_mean(bits):
    x = features() + 5
    lsh = LSH(bits=bits).fit(x)
    codes = lsh.encode(x)
    assert codes.dtype == np.uint8
    side = (x - x.mean(axis=0)) @ lsh.projection_ >= 0
    np.testing.assert_array_equal(codes, np.packbits(side, axis=1))


def test_bits_differ_in_proportion_to_the_angle():
    lsh = LSH(bits=4096).fit(np.array([[1.0, 0.0], [-1.0, 0.0]]))
    for angle in (0.3, 1.0, 2.5):
        x = np.array([[1.0, 0.0], [np.cos(angle), np.sin(angle)]])
        share = distances(*np.split(lsh.encode(x), 2))[0, 0] / 4096
        assert share == pytest.approx(angle / np.pi, abs=0.03)


def test_seed_decides():
    x = features()
    first = LSH(seed=1).fit(x).encode(x)
    np.testing.assert_array_equal(first, LSH(seed=1).fit(x).encode(x))
    assert (first != LSH(seed=2).fit(x).encode(x)).any()


def test_float32_and_integers():
    x = np.arange(12).reshape(4, 3)
    assert LSH(bits=9).fit(x).encode(x.astype("float32")).shape == (4, 2)
