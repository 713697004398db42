import numpy as np
import pytest
from sklearn.datasets import load_digits

from hashnet_tf.retrieval import unpack
from hashnet_tf.shallow import ITQ
from hashnet_tf.shallow.itq import learn_rotation


@pytest.fixture(scope="module")
def digits():
    data = load_digits()
    return data.data, data.target


def test_seed_decides(digits):
    x = digits[0][:200]
    first, second = (
        ITQ(bits=8, rounds=3, seed=seed).fit(x).encode(x) for seed in (1, 2)
    )
    assert (first != second).any()


def test_last_rotation_is_the_best_for_its_signs(digits):
    # No small turn of R, with the signs held, lowers the loss.
    x = digits[0][:200]
    itq = ITQ(bits=6, rounds=200).fit(x)
    signs = unpack(itq.encode(x), 6)
    v = (x - itq.mean_) @ itq.projection_
    best = np.sum((signs - v) ** 2)
    assert best == pytest.approx(itq.quantization_losses_[-1], rel=1e-6)
    rng = np.random.default_rng(0)
    for _ in range(10):
        turn, _ = np.linalg.qr(np.eye(6) + 1e-2 * rng.normal(size=(6, 6)))
        turn *= np.sign(np.diag(turn))
        assert np.sum((signs - v @ turn) ** 2) > best


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_as_many_bits_as_dimensions(dtype):
    x = np.random.default_rng(0).normal(size=(50, 9)).astype(dtype)
    assert ITQ(bits=9).fit(x).encode(x).shape == (50, 2)


@pytest.mark.parametrize("shape", [(50, 8), (8, 50)])
def test_refuses_more_bits_than_dimensions_or_samples(shape):
    x = np.random.default_rng(0).normal(size=shape)
    with pytest.raises(ValueError, match="Received: bits=9, features.shape="):
        ITQ(bits=9).fit(x)


@pytest.mark.parametrize("rounds", [0, -1, 1.0, None])
def test_refuses_rounds(rounds):
    with pytest.raises(ValueError, match="Received: rounds="):
        ITQ(bits=2, rounds=rounds).fit(np.eye(4))


def points(n=200, bits=6):
    v = np.random.default_rng(1).normal(size=(n, bits)) * np.arange(1, 1 + bits)
    return v - v.mean(axis=0)


def test_rotation_is_orthogonal_and_the_loss_never_rises():
    v = points()
    rotation, losses = learn_rotation(v, rounds=30, seed=0)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(6), atol=1e-12)
    assert losses.shape == (30,)
    assert (np.diff(losses) <= 1e-9 * losses[0]).all()
    assert losses[-1] < losses[0]


def test_first_round_against_a_step_by_hand():
    v = points(bits=4)
    rotation, losses = learn_rotation(v, rounds=1, seed=4)
    start, _ = np.linalg.qr(np.random.default_rng(4).normal(size=(4, 4)))
    signs = np.where(v @ start >= 0, 1, -1)
    assert losses[0] == pytest.approx(np.sum((signs - v @ rotation) ** 2))
    assert losses[0] < np.sum((signs - v @ start) ** 2)
