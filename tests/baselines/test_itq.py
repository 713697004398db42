import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError

from hashnet_tf.baselines import ITQ, LSH
from hashnet_tf.retrieval import evaluate, unpack


@pytest.fixture(scope="module")
def digits():
    data = load_digits()
    return data.data, data.target


def test_rotation_is_orthogonal_and_the_loss_never_rises(digits):
    itq = ITQ(bits=12, rounds=20).fit(digits[0])
    np.testing.assert_allclose(
        itq.rotation_ @ itq.rotation_.T, np.eye(12), atol=1e-12
    )
    assert itq.quantization_losses_.shape == (20,)
    slack = 1e-9 * itq.quantization_losses_[0]
    assert (np.diff(itq.quantization_losses_) <= slack).all()
    assert itq.quantization_losses_[-1] < itq.quantization_losses_[0]


def test_last_rotation_is_the_best_for_its_signs(digits):
    # No small turn of R, with the signs held, lowers the loss.
    x = digits[0][:300]
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


def test_first_round_against_a_step_by_hand(digits):
    x = digits[0][:100]
    itq = ITQ(bits=5, rounds=1, seed=4).fit(x)
    centred = x - x.mean(axis=0)
    components = itq.projection_ @ itq.rotation_.T
    v = centred @ components
    start, _ = np.linalg.qr(np.random.default_rng(4).normal(size=(5, 5)))
    signs = np.where(v @ start >= 0, 1, -1)
    assert itq.quantization_losses_[0] == pytest.approx(
        np.sum((signs - v @ itq.rotation_) ** 2)
    )
    assert itq.quantization_losses_[0] < np.sum((signs - v @ start) ** 2)


@pytest.mark.parametrize("bits", [16, 32])
def test_beats_random_hyperplanes_on_digits(digits, bits):
    x, labels = digits

    def score(hasher):
        hasher.fit(x[300:])
        return evaluate(
            hasher.encode(x[:300]),
            hasher.encode(x[300:]),
            labels[:300],
            labels[300:],
            bits=bits,
        ).map

    itq = [score(ITQ(bits=bits, rounds=20, seed=seed)) for seed in range(3)]
    lsh = [score(LSH(bits=bits, seed=seed)) for seed in range(3)]
    assert min(itq) > max(lsh)


def test_seed_decides_and_clone_is_unfitted(digits):
    x = digits[0][:200]
    itq = ITQ(bits=8, rounds=3, seed=1).fit(x)
    twin = clone(itq)
    assert twin.get_params() == {"bits": 8, "rounds": 3, "seed": 1}
    with pytest.raises(NotFittedError):
        twin.encode(x)
    np.testing.assert_array_equal(twin.fit(x).encode(x), itq.encode(x))
    other = ITQ(bits=8, rounds=3, seed=2).fit(x)
    assert (other.encode(x) != itq.encode(x)).any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_as_many_bits_as_dimensions(dtype):
    x = np.random.default_rng(0).normal(size=(50, 9)).astype(dtype)
    assert ITQ(bits=9).fit(x).encode(x).shape == (50, 2)


@pytest.mark.parametrize("shape", [(50, 8), (8, 50)])
def test_refuses_more_bits_than_dimensions_or_samples(shape):
    x = np.random.default_rng(0).normal(size=shape)
    with pytest.raises(ValueError, match="Received: bits=9, features.shape="):
        ITQ(bits=9).fit(x)


@pytest.mark.parametrize("name", ["bits", "rounds"])
@pytest.mark.parametrize("value", [0, -1, 1.0, None])
def test_refuses_counts(name, value):
    with pytest.raises(ValueError, match=f"Received: {name}="):
        ITQ(**{"bits": 2, name: value}).fit(np.eye(4))


def test_refuses_features():
    itq = ITQ(bits=2).fit(np.random.default_rng(0).normal(size=(9, 4)))
    with pytest.raises(ValueError, match=r"features.shape=\(4,\)"):
        itq.encode(np.zeros(4))
    with pytest.raises(ValueError, match="4 dimensions that were fitted"):
        itq.encode(np.zeros((1, 5)))
    with pytest.raises(ValueError, match="1 rows, the first of them 0"):
        itq.encode([[0.0, 1.0, np.nan, 2.0]])
    with pytest.raises(ValueError, match="features.shape=(.*)4"):
        ITQ(bits=2).fit(np.zeros((0, 4)))
