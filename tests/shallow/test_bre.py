import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from hashnet_tf.retrieval import unpack
from hashnet_tf.shallow import BRE
from hashnet_tf.shallow.bre import best_shift, draw_pairs


@pytest.fixture(scope="module")
def digits():
    data = load_digits()
    return data.data[:200], data.target[:200]


def same_draws(n, seed):
    """The items and pairs that a fit to n items draws."""
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(n)
    return chosen, draw_pairs(n, rng)


def error(codes, wanted, pairs, bits):
    total = 0.0
    signs = unpack(codes, bits)
    for i, j in pairs.T:
        total += (wanted(i, j) - np.mean(signs[i] != signs[j])) ** 2
    return total / pairs.shape[1]


@pytest.mark.parametrize("supervised", [False, True])
def test_objective_never_rises(supervised, digits):
    x, ids = digits
    bre = BRE(12, rounds=30).fit(x, ids if supervised else None)
    assert (np.diff(bre.objectives_) <= 0).all()
    assert bre.objectives_[-1] < 0.9 * bre.objectives_[0]


def test_objective_never_rises_where_items_turn_together(digits):
    x, ids = digits
    x = np.repeat(x[:25], 8, axis=0) * (1 + 1e-16 * np.arange(200)[:, None])
    for labels in (None, ids):
        bre = BRE(12, rounds=30).fit(x, labels)
        assert (np.diff(bre.objectives_) <= 0).all()


def test_objective_is_that_of_the_codes_and_distances(digits):
    x, _ = digits
    bre = BRE(9, rounds=5, seed=3).fit(x)
    chosen, pairs = same_draws(len(x), 3)
    unit = x - x.mean(axis=0)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    items = unit[chosen]
    longest = max(np.sum((a - b) ** 2) for a in items for b in items)

    def wanted(i, j):
        return np.sum((items[i] - items[j]) ** 2) / longest

    found = error(bre.encode(x[chosen]), wanted, pairs, 9)
    assert bre.objectives_[-1] == pytest.approx(found)


@pytest.mark.parametrize("several", [False, True])
def test_objective_is_that_of_the_codes_and_labels(several, digits):
    x, ids = digits
    matrix = np.eye(10)[ids]
    if several:
        matrix[:, 0] = ids % 2 == 0
    bre = BRE(9, rounds=5, seed=3).fit(x, matrix if several else ids)
    chosen, pairs = same_draws(len(x), 3)
    matrix = matrix[chosen]
    found = error(
        bre.encode(x[chosen]),
        lambda i, j: 0 if (matrix[i] * matrix[j]).any() else 1,
        pairs,
        9,
    )
    assert bre.objectives_[-1] == pytest.approx(found)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.integers(0, 10**6), st.integers(2, 9), st.booleans())
def test_best_shift_is_the_best_of_all(seed, n, zeros):
    rng = np.random.default_rng(seed)
    values, column = rng.normal(size=(2, n))
    if zeros:
        column[0] = 0
    pairs, gains = rng.integers(n, size=(2, 12)), rng.normal(size=12)

    def cost(shift):
        bits = values + shift * column >= 0
        return np.sum(gains[bits[pairs[0]] != bits[pairs[1]]])

    turns = np.sort(-values[column != 0] / column[column != 0])
    tries = np.concatenate(
        [[turns[0] - 1], (turns[1:] + turns[:-1]) / 2, [turns[-1] + 1]]
    )
    shift = best_shift(values, column, pairs, gains)
    assert cost(shift) == pytest.approx(min(map(cost, tries)), abs=1e-12)
    assert np.abs(tries - shift).min() < 1e-12


def test_a_round_against_trying_every_step(digits):
    x = digits[0][:40]
    bits, weights_a_bit = 3, 5
    bre = BRE(bits, anchors=weights_a_bit, rounds=1, seed=2).fit(x)
    # The same draws.
    rng = np.random.default_rng(2)
    items = (x - x.mean(axis=0))[rng.permutation(40)]
    items /= np.linalg.norm(items, axis=1, keepdims=True)
    apart = ((items[:, None] - items) ** 2).sum(axis=2)
    pairs = draw_pairs(40, rng)
    anchors = [rng.permutation(40)[:weights_a_bit] for _ in range(bits)]
    weights = 1e-3 * rng.normal(size=(bits, weights_a_bit))

    def project(weights):
        return np.column_stack(
            [items[a].T @ w for a, w in zip(anchors, weights, strict=True)]
        )

    def objective(weights):
        on = items @ project(weights) >= 0
        shares = np.mean(on[pairs[0]] != on[pairs[1]], axis=1)
        return np.mean((apart[tuple(pairs)] / apart.max() - shares) ** 2)

    assert bre.objectives_[0] == pytest.approx(objective(weights))
    for k in range(bits):
        q = rng.integers(weights_a_bit)
        turns = np.sort(
            -(items @ project(weights)[:, k]) / (items @ items[anchors[k][q]])
        )
        tries = np.concatenate(
            [[0, turns[0] - 1], (turns[1:] + turns[:-1]) / 2, [turns[-1] + 1]]
        )
        costs = []
        for shift in tries:
            moved = weights.copy()
            moved[k, q] += shift
            costs.append(objective(moved))
        weights[k, q] += tries[np.argmin(costs)]
    assert bre.objectives_[1] == pytest.approx(min(costs))
    np.testing.assert_allclose(bre.projection_, project(weights), atol=1e-9)


def test_a_column_of_zeros_turns_nothing():
    pairs = np.array([[0], [1]])
    assert best_shift(np.ones(2), np.zeros(2), pairs, np.ones(1)) == 0.0


@settings(deadline=None, derandomize=True, max_examples=20)
@given(st.integers(0, 10**6), st.integers(2, 90))
def test_pairs_are_distinct_and_of_two_items(seed, n):
    pairs = draw_pairs(n, np.random.default_rng(seed))
    count = max(1, n // 20)
    np.testing.assert_array_equal(
        np.bincount(pairs[0], minlength=n), np.full(n, count)
    )
    assert (pairs[0] != pairs[1]).all()
    assert len(set(map(tuple, pairs.T))) == n * count
    assert pairs.max() < n


def test_distances_of_codes_follow_those_of_features(digits):
    x, _ = digits
    bre = BRE(32, rounds=30).fit(x)
    unit = x - x.mean(axis=0)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    upper = np.triu_indices(len(x), 1)
    signs = unpack(bre.encode(x), 32).astype(float)
    fit = np.corrcoef((unit @ unit.T)[upper], (signs @ signs.T)[upper])
    assert fit[0, 1] > 0.8


def test_stops_when_a_round_gains_nothing():
    x = np.array([[1.0, 0.0], [-1.0, 0.0]])
    bre = BRE(2, rounds=100).fit(x)
    assert len(bre.objectives_) < 100
    assert bre.objectives_[-1] == 0


def test_encodes_an_item_at_the_mean(digits):
    x, ids = digits
    x = np.vstack([x - x.mean(axis=0), np.zeros(64)])
    bre = BRE(8, rounds=3).fit(x, np.append(ids, 0))
    assert bre.encode(x).shape == (201, 1)


def test_seed_decides(digits):
    first, second = (
        BRE(8, rounds=2, seed=seed).fit(digits[0]).encode(digits[0])
        for seed in (1, 2)
    )
    assert (first != second).any()


@pytest.mark.parametrize("name", ["anchors", "samples", "rounds"])
@pytest.mark.parametrize("value", [0, 2.0, None])
def test_refuses_counts(name, value, digits):
    with pytest.raises(ValueError, match=f"Received: {name}="):
        BRE(4, **{name: value}).fit(*digits)


def test_refuses_a_sample_without_a_pair(digits):
    with pytest.raises(ValueError, match="Received: samples=1"):
        BRE(4, samples=1).fit(*digits)


def test_refuses_pairs_that_are_all_similar(digits):
    x, ids = digits
    matrix = np.eye(10)[ids]
    matrix[:, 0] = 1
    with pytest.raises(ValueError, match="labels of which 200 were"):
        BRE(4).fit(x, matrix)


def test_refuses_features_that_are_all_the_same():
    x = np.full((4, 3), 0.1)
    for labels in (None, [0, 0, 1, 1]):
        with pytest.raises(ValueError, match="Received: 4 items, all of them"):
            BRE(4).fit(x, labels)
