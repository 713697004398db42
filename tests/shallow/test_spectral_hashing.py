import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from hashnet_tf.retrieval import distances, unpack
from hashnet_tf.shallow import LSH, SpectralHashing


def box(sides, n=200, seed=0):
    """Points that fill a box evenly, turned."""
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(len(sides), len(sides))))
    return rng.uniform(size=(n, len(sides))) * sides @ turn + 3


@settings(deadline=None, derandomize=True, max_examples=30)
@given(
    st.lists(st.floats(0.1, 10), min_size=1, max_size=5),
    st.integers(1, 20),
    st.floats(0.01, 0.3),
)
def test_takes_the_smallest_eigenvalues(sides, bits, epsilon):
    x = box(sides)
    hashing = SpectralHashing(bits).fit(x)
    v = (x - hashing.mean_) @ hashing.components_
    values = []
    for side in v.max(axis=0) - v.min(axis=0):
        for m in range(1, bits + 1):
            lowest = (m * math.pi / side) ** 2
            values.append(-math.expm1(-(epsilon**2) / 2 * lowest))
    sides_by_bit = np.ptp(v, axis=0)[hashing.directions_]
    own = (hashing.modes_ * np.pi / sides_by_bit) ** 2
    np.testing.assert_allclose(
        -np.expm1(-(epsilon**2) / 2 * own), sorted(values)[:bits], rtol=1e-9
    )
    pairs = set(zip(hashing.directions_, hashing.modes_, strict=True))
    assert len(pairs) == bits


def test_bits_are_the_signs_of_sines():
    x = box([5.0, 2.0, 1.0])
    new = box([7.0, 3.0, 1.0], n=50, seed=1)
    hashing = SpectralHashing(12).fit(x)
    v = (x - x.mean(axis=0)) @ hashing.components_
    signs = unpack(hashing.encode(new), 12)
    for row, point in enumerate(new):
        w = (point - x.mean(axis=0)) @ hashing.components_
        for bit in range(12):
            c, m = hashing.directions_[bit], hashing.modes_[bit]
            a, b = min(v[:, c]), max(v[:, c])
            phi = math.sin(math.pi / 2 + (w[c] - a) * m * math.pi / (b - a))
            assert signs[row, bit] == (1 if phi >= 0 else -1)


def test_waves_are_eigenvectors_of_a_laplacian():
    # Of a path of points that are joined to their neighbours.
    n = 200
    laplacian = 2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
    laplacian[0, 0] = laplacian[-1, -1] = 1
    _, vectors = np.linalg.eigh(laplacian)
    line = np.linspace(0, 1, n)[:, None]
    hashing = SpectralHashing(6).fit(line)
    waves = hashing._values(line)
    waves /= np.linalg.norm(waves, axis=0)
    # The first vector is constant and no bit.
    fit = np.abs(np.sum(waves * vectors[:, 1:7], axis=0))
    assert fit.min() > 0.999


def test_finds_neighbours_better_than_random_hyperplanes():
    x = box([10.0, 4.0, 1.0], n=600)
    apart = np.linalg.norm(x[:100, None] - x[100:], axis=2)
    near = (apart <= np.quantile(apart, 0.05)).ravel()

    def score(hashing):
        codes = hashing.fit(x[100:]).encode(x)
        return roc_auc_score(near, -distances(codes[:100], codes[100:]).ravel())

    by_chance = max(score(LSH(16, seed)) for seed in range(3))
    assert score(SpectralHashing(16)) > by_chance


def test_skips_directions_without_extent():
    x = box([5.0, 2.0])
    flat = np.hstack([x, np.ones((200, 3)), x[:, :1]])
    hashing = SpectralHashing(16).fit(flat)
    assert set(hashing.directions_) == {0, 1}
    assert np.isfinite(hashing.frequencies_).all()


def test_refuses_features_that_are_all_the_same():
    with pytest.raises(ValueError, match="Received: the same row 7 times"):
        SpectralHashing(4).fit(np.full((7, 3), 0.1))
