import numpy as np
import pytest

from hashnet_tf.runs import feature_batches

N, VIEWS = 10, 3


@pytest.fixture
def features():
    """`[10, 3, 2]`: the item and its view."""
    items, views = np.meshgrid(np.arange(N), np.arange(VIEWS), indexing="ij")
    return np.stack([items, views], axis=-1).astype(np.float32)


def drawn(stream):
    """Items and views of an epoch, int `[batches, batch_size, 2]`."""
    return np.stack([x for x, _ in stream.as_numpy_iterator()]).astype(int)


def test_shapes_and_labels(features):
    labels = np.arange(N) * 7
    stream = feature_batches(features, labels, 4, seed=0)
    assert len(stream) == 2
    for x, y in stream.as_numpy_iterator():
        assert (x.shape, x.dtype) == ((4, 2), np.float32)
        assert (y.shape, y.dtype) == ((4,), np.float32)
        np.testing.assert_array_equal(y, 7 * x[:, 0])


def test_a_matrix_of_labels(features):
    labels = np.eye(N, dtype=np.uint8)
    for x, y in feature_batches(features, labels, 4, 0).as_numpy_iterator():
        np.testing.assert_array_equal(y, np.eye(N)[x[:, 0].astype(int)])


def test_an_epoch_takes_an_item_once_and_drops_the_last_batch(features):
    stream = feature_batches(features, np.arange(N), 4, seed=0)
    left_out = set()
    for _ in range(20):
        items = drawn(stream)[..., 0].ravel()
        assert len(set(items)) == len(items) == 8
        left_out |= set(range(N)) - set(items)
    # Not always the same two.
    assert left_out == set(range(N))


def test_the_seed_tells_the_order(features):
    def epochs(seed):
        stream = feature_batches(features, np.arange(N), 5, seed)
        return np.stack([drawn(stream) for _ in range(3)])

    np.testing.assert_array_equal(epochs(0), epochs(0))
    assert (epochs(0) != epochs(1)).any()
    first, second, third = epochs(0)[..., 0]
    assert (first != second).any() and (second != third).any()


def test_views_are_drawn_anew(features):
    stream = feature_batches(features, np.arange(N), 5, seed=0)
    counts = np.zeros((N, VIEWS), dtype=int)
    for _ in range(60):
        for item, view in drawn(stream).reshape(-1, 2):
            counts[item, view] += 1
    assert counts.sum(axis=1).tolist() == [60] * N
    # Of 600 a third each, give or take four standard deviations of 11.5.
    assert (abs(counts.sum(axis=0) - 200) < 46).all()
    assert (counts > 0).all()


def test_of_one_view_that_one(features):
    stream = feature_batches(features[:, 1:2], np.arange(N), 5, seed=0)
    assert (drawn(stream)[..., 1] == 1).all()


@pytest.mark.parametrize("batch_size", [-1, 0, 1, 11])
def test_refuses(batch_size, features):
    with pytest.raises(ValueError, match=f"Received: batch_size={batch_size}"):
        feature_batches(features, np.arange(N), batch_size, seed=0)
