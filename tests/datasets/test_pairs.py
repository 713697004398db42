"""Pairs to train by, and the items that ask instead."""

import collections

import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf.datasets.pairs import (
    GivenPairSampler,
    draw_asking,
    in_pairs,
    pairs_within,
    partner_labels,
)


def some_pairs(seed, items=60, count=200):
    rng = np.random.default_rng(seed)
    pairs = rng.integers(0, items, (count, 2))
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    return np.column_stack([pairs, rng.integers(-1, 2, len(pairs))])


@pytest.mark.parametrize("seed", range(5))
def test_pairs_of_a_subset(seed):
    pairs = some_pairs(seed)
    places = np.random.default_rng(seed).permutation(60)[:30]
    wanted = [
        [list(places).index(one), list(places).index(other), similar]
        for one, other, similar in pairs.tolist()
        if one in places and other in places
    ]
    assert pairs_within(pairs, places).tolist() == wanted


def test_nothing_is_within_nothing():
    assert pairs_within(some_pairs(0), []).shape == (0, 3)
    assert pairs_within(np.zeros((0, 3)), [1, 2]).shape == (0, 3)


@pytest.mark.parametrize("seed", range(20))
def test_who_asks_is_no_partner_of_who_asks(seed):
    pairs = some_pairs(seed, items=200, count=300)
    asking = draw_asking(pairs, seed)
    similar = pairs[pairs[:, 2] == 1]
    named = set(similar[:, 0].tolist())
    assert 0 < len(asking) <= len(named) // 10
    assert set(asking.tolist()) <= named
    assert list(asking) == sorted(set(asking.tolist()))
    for one, other, _ in similar.tolist():
        assert not {one, other} <= set(asking.tolist())
    assert draw_asking(pairs, seed).tolist() == asking.tolist()


def test_at_most_500_ask():
    pairs = np.column_stack(
        [np.arange(0, 20_000, 2), np.arange(1, 20_000, 2), np.ones(10_000)]
    )
    assert len(draw_asking(pairs, 0)) == 500


@pytest.mark.parametrize("seed", range(5))
def test_labels_of_partners(seed):
    pairs = some_pairs(seed)
    asking = draw_asking(pairs, seed)
    labels = partner_labels(pairs, asking, 60)
    wanted = np.zeros((60, len(asking)), int)
    for column, item in enumerate(asking):
        wanted[item, column] = 1
        for one, other, similar in pairs:
            if similar == 1 and item in (one, other):
                wanted[[one, other], column] = 1
    assert labels.tolist() == wanted.tolist()


def test_an_epoch_holds_each_pair_once():
    pairs = some_pairs(1)
    sampler = GivenPairSampler(pairs, 7, seed=3)
    drawn = sampler.pairs_of(4)
    assert drawn.shape == (len(pairs) // 7, 7, 3)
    count = collections.Counter(map(tuple, pairs.tolist()))
    found = collections.Counter(map(tuple, drawn.reshape(-1, 3).tolist()))
    assert found <= count
    assert sampler.epoch(4).tolist() == (
        drawn[:, :, :2].reshape(len(sampler), 14).tolist()
    )
    assert sampler.epoch(4).tolist() != sampler.epoch(5).tolist()


@pytest.mark.parametrize("size", [1, 3])
def test_a_batch_must_be_filled(size):
    with pytest.raises(ValueError, match="batch_size.*2 to.*by, 2.*Received"):
        GivenPairSampler([[0, 1, 1], [2, 3, 1]], size)


def test_items_and_pairs_of_a_batch_go_together():
    pairs = some_pairs(2)
    sampler = GivenPairSampler(pairs, 8, seed=5)
    # Each item carries its row.
    rows = np.arange(60, dtype=np.float32).reshape(60, 1, 1)
    settings = {"seed": 9, "epochs": range(2, 5)}
    items = hn.runs.feature_batches(
        rows, np.zeros(60), 16, sampler=sampler, **settings
    )
    batches = list(in_pairs(items, sampler, **settings).as_numpy_iterator())
    assert len(batches) == 3 * len(sampler)
    for (first, second), given in batches:
        assert first.shape == second.shape == (8, 1)
        assert first[:, 0].tolist() == given[:, 0].tolist()
        assert second[:, 0].tolist() == given[:, 1].tolist()
    # The last epoch alone, as a training goes on.
    settings["epochs"] = range(4, 5)
    items = hn.runs.feature_batches(
        rows, np.zeros(60), 16, sampler=sampler, **settings
    )
    again = list(in_pairs(items, sampler, **settings).as_numpy_iterator())
    assert [given.tolist() for _, given in again] == [
        given.tolist() for _, given in batches[2 * len(sampler) :]
    ]
