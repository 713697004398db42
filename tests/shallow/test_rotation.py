import numpy as np
import pytest

from hashnet_tf.shallow.itq import learn_rotation


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
