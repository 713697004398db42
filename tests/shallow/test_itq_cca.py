import numpy as np
import pytest
from sklearn.cross_decomposition import CCA

from hashnet_tf.shallow import ITQCCA
from hashnet_tf.shallow.itq_cca import canonical_directions


def data(n=300, d=8, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(classes, size=n)
    centres = rng.normal(size=(classes, d))
    return centres[labels] + rng.normal(size=(n, d)), labels


def several_labels(x, count, seed=1):
    rng = np.random.default_rng(seed)
    return (x @ rng.normal(size=(x.shape[1], count)) > rng.normal()).astype(int)


def test_correlations_are_those_of_scikit_learn():
    x, _ = data()
    y = several_labels(x, 3)
    cca = CCA(3, max_iter=5000, tol=1e-10).fit(x, y)
    expected = [
        np.corrcoef(a, b)[0, 1]
        for a, b in zip(*(part.T for part in cca.transform(x, y)), strict=True)
    ]
    found = ITQCCA(5).fit(x, y).correlations_
    # The regularization lowers them by about its own size.
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_directions_solve_the_eigenproblem():
    x, _ = data()
    y = several_labels(x, 4)
    both = np.cov(x.T, y.T) + 1e-4 * np.eye(12)
    c_xx, c_xy, c_yy = both[:8, :8], both[:8, 8:], both[8:, 8:]
    squares, vectors = np.linalg.eig(
        np.linalg.inv(c_xx) @ c_xy @ np.linalg.inv(c_yy) @ c_xy.T
    )
    order = np.argsort(-squares.real)[:4]
    w, r = canonical_directions(x - x.mean(axis=0), y - y.mean(axis=0))
    np.testing.assert_allclose(r**2, squares.real[order], rtol=1e-9)
    np.testing.assert_allclose(w.T @ c_xx @ w, np.eye(4), atol=1e-9)
    for own, vector in zip(w.T, vectors.real.T[order], strict=True):
        cosine = own @ vector / np.linalg.norm(own) / np.linalg.norm(vector)
        assert abs(cosine) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("bits", [2, 8])
def test_projection_is_scaled_by_the_correlations_and_turned(bits):
    x, labels = data(classes=5)
    hashing = ITQCCA(bits, rounds=20).fit(x, labels)
    y = np.eye(5)[labels]
    w, r = canonical_directions(x - x.mean(axis=0), y - y.mean(axis=0))
    rows = min(bits, 5)
    np.testing.assert_allclose(
        hashing.projection_,
        (w[:, :rows] * r[:rows]) @ hashing.rotation_[:rows],
        atol=1e-12,
    )
    np.testing.assert_allclose(
        hashing.rotation_ @ hashing.rotation_.T, np.eye(bits), atol=1e-12
    )
    losses = hashing.quantization_losses_
    assert (np.diff(losses) <= 1e-9 * losses[0]).all()


def test_bits_beyond_the_labels_lie_in_the_space_of_the_labels():
    x, labels = data(d=20, classes=3)
    hashing = ITQCCA(16).fit(x, labels)
    assert np.linalg.matrix_rank(hashing.projection_, tol=1e-6) == 2
    assert hashing.correlations_[2] < 1e-6
    bits = np.unpackbits(hashing.encode(x), axis=1)
    # No bit is lost: each tells some items from others.
    assert (np.ptp(bits, axis=0) == 1).all()


def test_more_dimensions_than_items():
    x, labels = data(n=20, d=40)
    assert ITQCCA(24).fit(x, labels).encode(x).shape == (20, 3)


def test_refuses_more_bits_than_dimensions():
    x, labels = data()
    with pytest.raises(ValueError, match=r"bits=9, features.shape=\(300, 8\)"):
        ITQCCA(9).fit(x, labels)


@pytest.mark.parametrize("rounds", [0, 2.0, None])
def test_refuses_rounds(rounds):
    with pytest.raises(ValueError, match="Received: rounds="):
        ITQCCA(2, rounds=rounds).fit(*data())
