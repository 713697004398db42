import numpy as np
import pytest

from hashnet_tf.retrieval import unpack
from hashnet_tf.shallow import ITQ, PCAHash


def points(n=60, d=7):
    """Points that extend along each axis by another length."""
    rng = np.random.default_rng(0)
    lengths = np.array([5.0, 0.1, 3.0, 0.2, 8.0, 0.3, 0.4])[:d]
    return rng.normal(size=(n, d)) * lengths + 100


def test_bits_are_signs_of_the_eigenvectors_of_the_largest_variance():
    x = points()
    signs = unpack(PCAHash(bits=3).fit(x).encode(x), 3)
    centred = x - x.mean(axis=0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    for k in range(3):
        expected = np.where(centred @ vectors[:, -1 - k] >= 0, 1, -1)
        # An eigenvector has no direction of its own.
        assert abs(expected @ signs[:, k]) == len(x)


def test_itq_is_the_same_turned():
    x = points()
    pca, itq = PCAHash(bits=4).fit(x), ITQ(bits=4).fit(x)
    np.testing.assert_allclose(
        pca.projection_ @ itq.rotation_, itq.projection_, atol=1e-12
    )
    np.testing.assert_array_equal(pca.mean_, itq.mean_)


@pytest.mark.parametrize("shape", [(50, 8), (8, 50)])
def test_refuses_more_bits_than_dimensions_or_samples(shape):
    with pytest.raises(ValueError, match="Received: bits=9, features.shape="):
        PCAHash(bits=9).fit(np.random.default_rng(0).normal(size=shape))
