import collections

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

import hashnet_tf as hn
from hashnet_tf.datasets import PairSampler
from hashnet_tf.datasets.batches import varied_batches
from hashnet_tf.datasets.pairs import GivenPairSampler, in_pairs
from hashnet_tf.datasets.sampling import check_shard, sampled, shuffled

SIZES = st.lists(st.integers(0, 12), min_size=3, max_size=9)


def labels_of(sizes, seed=0, unlabelled=0):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    labels = np.concatenate([labels, np.full(unlabelled, -1)])
    return np.random.default_rng(seed).permutation(labels)


@settings(max_examples=60, deadline=None)
@given(SIZES, st.integers(2, 4), st.integers(2, 5), st.integers(0, 9))
def test_each_batch_is_of_so_many_classes_and_images(
    sizes, classes, per_class, unlabelled
):
    labels = labels_of(sizes, unlabelled=unlabelled)
    pairs = [label for label, size in enumerate(sizes) if size > 1]
    if len(pairs) < classes:
        with pytest.raises(ValueError, match=f"Received: classes={classes}$"):
            PairSampler(labels, classes, per_class)
        return
    sampler = PairSampler(labels, classes, per_class)
    epoch = sampler.epoch(3)
    assert len(epoch) == len(sampler) == len(labels) // sampler.batch_size
    drawn = collections.Counter({label: 0 for label in pairs})
    often = {label: collections.Counter() for label in pairs}
    for batch in epoch:
        counts = collections.Counter(labels[batch].tolist())
        assert list(counts.values()) == [per_class] * classes
        drawn.update(counts.keys())
        for label in counts:
            here = batch[labels[batch] == label]
            often[label].update(here.tolist())
            # None twice while another is not there.
            times = np.unique(here, return_counts=True)[1]
            assert len(times) == min(per_class, sizes[label])
            assert times.max() <= -(-per_class // sizes[label])
    # Rare classes are drawn as often as common ones.
    assert set(drawn) == set(pairs)
    assert max(drawn.values()) - min(drawn.values()) <= 1
    for label, times in often.items():
        counts = [times[i] for i in np.flatnonzero(labels == label)]
        assert max(counts) - min(counts) <= 2 - (sizes[label] >= per_class)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 4), st.integers(2, 4))
def test_several_labels_an_image(seed, classes, per_class):
    rng = np.random.default_rng(seed)
    labels = (rng.random((60, 6)) < 0.3).astype(np.uint8)
    members = [set(np.flatnonzero(column)) for column in labels.T]
    for batch in PairSampler(labels, classes, per_class, seed).epoch(0):
        assert labels[batch].any(axis=1).all()
        # Enough of all classes are there, so none need come twice.
        assert len(set(batch)) == len(batch)
        groups = batch.reshape(classes, per_class)
        possible = [
            {c for c in range(6) if set(group) <= members[c]}
            for group in groups
        ]
        assert _has_distinct(possible)


def _has_distinct(possible, taken=frozenset()):
    """Whether each set can give an element of its own."""
    if not possible:
        return True
    return any(
        _has_distinct(possible[1:], taken | {c}) for c in possible[0] - taken
    )


def test_an_image_comes_twice_where_it_must():
    # The two images of class 1 are of class 0 too.
    labels = np.array([[1, 1], [1, 1], [1, 0], [1, 0], [0, 0], [0, 0]])
    (batch,) = PairSampler(labels, 2, 2).epoch(0)[:1]
    assert set(batch.tolist()) <= {0, 1, 2, 3}
    assert {0, 1} <= set(batch.tolist())


def test_the_seed_and_the_epoch_decide():
    labels = labels_of([9, 5, 3, 7])
    one = PairSampler(labels, 2, 3, seed=4)
    np.testing.assert_array_equal(
        one.epoch(1), PairSampler(labels, 2, 3, seed=4).epoch(1)
    )
    other = PairSampler(labels, 2, 3, seed=5)
    epochs = [one.epoch(0), one.epoch(1), other.epoch(0), other.epoch(1)]
    assert len({epoch.tobytes() for epoch in epochs}) == 4


def test_one_image_has_no_partner():
    labels = labels_of([4, 1, 4, 0, 4])
    seen = {int(labels[i]) for i in PairSampler(labels, 2, 2).epoch(0).flat}
    assert seen <= {0, 2, 4}
    with pytest.raises(ValueError, match="or more, 3. Received: classes=4$"):
        PairSampler(labels, 4, 2)


@pytest.mark.parametrize("name", ["classes", "per_class"])
def test_refuses_fewer_than_two(name):
    sizes = {"classes": 2, "per_class": 2, name: 1}
    with pytest.raises(ValueError, match=f"Received: {name}=1$"):
        PairSampler(labels_of([4, 4]), **sizes)


def test_an_unknown_label_is_not_drawn_for():
    labels = np.array([[1, 0]] * 4 + [[0, 1]] * 4 + [[-1, 0], [0, -1]])
    batches = PairSampler(labels, classes=2, per_class=2, seed=3).epoch(0)
    assert set(batches.ravel().tolist()) <= set(range(8))
    with pytest.raises(ValueError, match="classes with two images or more, 1"):
        PairSampler(labels[[0, 1, 4, 9]], classes=2, per_class=2)


N = 23


def epochs_of(stream, count=3):
    return [[int(x) for x in stream.as_numpy_iterator()] for _ in range(count)]


def orders(seed=0, shard=None, buffer=None):
    stream = tf.data.Dataset.range(N)
    return epochs_of(shuffled(stream, N, seed, shard, buffer))


@pytest.mark.parametrize("buffer", [None, 4, 1000])
def test_each_epoch_has_all_in_an_order_of_its_own(buffer):
    epochs = orders(buffer=buffer)
    assert all(sorted(epoch) == [*range(N)] for epoch in epochs)
    assert len({*map(tuple, epochs + orders(seed=1, buffer=buffer))}) == 6
    assert orders(buffer=buffer) == epochs


@pytest.mark.parametrize("count", [1, 2, 3, 30])
def test_workers_take_turns_in_one_order(count):
    parts = [orders(shard=(index, count)) for index in range(count)]
    for number, epoch in enumerate(orders()):
        for index in range(count):
            assert parts[index][number] == epoch[index::count]


def test_with_a_buffer_each_worker_has_its_part():
    for index in range(3):
        for epoch in orders(shard=(index, 3), buffer=5):
            assert sorted(epoch) == [*range(index, N, 3)]


def test_a_sampler_is_asked_for_another_epoch_each_time():
    sampler = PairSampler(np.arange(N) % 4, classes=2, per_class=3)
    epochs = epochs_of(sampled(sampler, seed=1))
    assert epochs_of(sampled(sampler, seed=1)) == epochs
    assert len({*map(tuple, epochs)}) == 3
    assert [len(epoch) for epoch in epochs] == [18] * 3


@pytest.mark.parametrize("shard", [(1, 1), (-1, 3), (0, 0)])
def test_refuses(shard):
    with pytest.raises(ValueError, match="Received: shard="):
        check_shard(shard)


def test_what_is_read_does_not_wait_for_the_thread_that_tunes():
    digits = hn.datasets.load("digits")
    features = np.zeros((20, 1, 3), np.float32)
    sampler = GivenPairSampler([[0, 1, 1], [2, 3, 1]], 2)
    items = hn.runs.feature_batches(
        features, np.arange(20), 4, 0, sampler, range(2)
    )
    streams = {
        "ordered": hn.datasets.ordered_batches(digits.query, (8, 8)),
        "varied": varied_batches(digits.query, (8, 8), 50, 0, "modern"),
        "training": hn.datasets.training_batches(digits.train, (8, 8), 50, 0),
        "features": hn.runs.feature_batches(features, np.arange(20), 4, 0),
        "pairs": in_pairs(items, sampler, 0, range(2)),
    }
    assert not [
        name
        for name, stream in streams.items()
        if stream.options().autotune.enabled is not False
    ]
