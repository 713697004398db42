import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from hashnet_tf.retrieval import unpack
from hashnet_tf.shallow import SDH
from hashnet_tf.shallow.sdh import improve_codes


@pytest.fixture(scope="module")
def digits():
    data = load_digits()
    return data.data[:400], data.target[:400]


@pytest.mark.parametrize("nu", [1e-5, 1.0])
def test_objective_never_rises(digits, nu):
    sdh = SDH(bits=16, anchors=60, rounds=8, nu=nu).fit(*digits)
    objectives = sdh.objectives_
    assert objectives.shape == (9,)
    assert (np.diff(objectives) <= 1e-9 * objectives[0]).all()
    assert objectives[-1] < objectives[0]


def test_objective_never_rises_with_several_labels(digits):
    x, ids = digits
    matrix = np.eye(10)[ids]
    matrix[:, 0] = ids % 2
    sdh = SDH(bits=12, anchors=60, rounds=6).fit(x, matrix)
    assert (np.diff(sdh.objectives_) <= 1e-9 * sdh.objectives_[0]).all()


def loss(b, q, w):
    return np.sum((b @ w) ** 2) - 2 * np.sum(b * q)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 4))
def test_no_bit_can_be_flipped_for_less(seed, bits, classes):
    rng = np.random.default_rng(seed)
    start = rng.choice([-1.0, 1.0], size=(7, bits))
    q, w = rng.normal(size=(7, bits)), rng.normal(size=(bits, classes))
    b = improve_codes(start, q, w)
    assert set(np.unique(b)) <= {-1.0, 1.0}
    assert loss(b, q, w) <= loss(start, q, w) + 1e-9
    for row, column in itertools.product(range(7), range(bits)):
        flipped = b.copy()
        flipped[row, column] *= -1
        assert loss(flipped, q, w) >= loss(b, q, w) - 1e-9


def test_one_round_against_the_formulas(digits):
    x, ids = digits
    x, ids = x[:90], ids[:90]
    bits, sigma, lam, nu = 5, 0.5, 2.0, 0.3
    sdh = SDH(bits, 20, rounds=1, sigma=sigma, lam=lam, nu=nu, seed=3)
    sdh.fit(x, ids)
    # The same draws, then every step with an explicit inverse.
    rng = np.random.default_rng(3)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    anchors = unit[rng.permutation(90)[:20]]
    np.testing.assert_allclose(sdh.anchors_, anchors)
    phi = np.ones((90, 21))
    for i, j in itertools.product(range(90), range(20)):
        apart = np.sum((unit[i] - anchors[j]) ** 2)
        phi[i, j] = np.exp(-apart / (2 * sigma**2))
    y = np.eye(10)[ids]
    b = rng.choice([-1.0, 1.0], size=(90, bits))

    def regress(left, right, weight):
        square = left.T @ left + weight * np.eye(left.shape[1])
        return np.linalg.inv(square) @ left.T @ right

    w, p = regress(b, y, lam), regress(phi, b, 1e-2)
    b = improve_codes(b, y @ w.T + nu * phi @ p, w)
    w, p = regress(b, y, lam), regress(phi, b, 1e-2)
    np.testing.assert_allclose(sdh.projection_, p, rtol=1e-6, atol=1e-9)
    assert sdh.objectives_[1] == pytest.approx(
        np.linalg.norm(y - b @ w) ** 2
        + lam * np.linalg.norm(w) ** 2
        + nu * np.linalg.norm(b - phi @ p) ** 2
        + nu * 1e-2 * np.linalg.norm(p) ** 2
    )
    signs = np.where(phi @ p >= 0, 1, -1)
    np.testing.assert_array_equal(unpack(sdh.encode(x), bits), signs)


def test_codes_do_not_depend_on_the_length_of_features(digits):
    x, ids = digits
    sdh = SDH(bits=8, anchors=50).fit(x, ids)
    np.testing.assert_array_equal(sdh.encode(x), sdh.encode(4 * x))


def test_seed_decides(digits):
    first, second = (
        SDH(bits=8, anchors=50, seed=seed).fit(*digits).encode(digits[0])
        for seed in (1, 2)
    )
    assert (first != second).any()


def test_takes_all_items_as_anchors_where_they_are_fewer(digits):
    x, ids = digits
    assert SDH(bits=8).fit(x[:50], ids[:50]).anchors_.shape == (50, 64)


@pytest.mark.parametrize("name", ["anchors", "rounds"])
@pytest.mark.parametrize("value", [0, 2.0, None])
def test_refuses_counts(name, value, digits):
    with pytest.raises(ValueError, match=f"Received: {name}="):
        SDH(4, **{name: value}).fit(*digits)


@pytest.mark.parametrize("name", ["sigma", "lam", "nu"])
@pytest.mark.parametrize("value", [0, -1.0, np.nan])
def test_refuses_weights(name, value, digits):
    with pytest.raises(ValueError, match=f"Received: {name}="):
        SDH(4, **{name: value}).fit(*digits)
