import numpy as np
import pytest
import tensorflow as tf

from hashnet_tf.datasets import PairSampler
from hashnet_tf.datasets.sampling import check_shard, sampled, shuffled

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
