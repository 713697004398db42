import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashnet_tf.retrieval import (
    distances,
    neighbors,
    pack,
    range_search,
    search,
)


@settings(deadline=None, derandomize=True, max_examples=30)
@given(
    st.sampled_from([1, 7, 12, 64, 128]),
    st.sampled_from([1, 5, 41, 100]),
    # Of the codes that are read at a time, an odd one at the end included.
    st.sampled_from([1, 3, 1000]),
    st.sampled_from([1, 3]),
)
def test_against_a_stable_sort(bits, k, block, threads):
    rng = np.random.default_rng(bits)
    queries = pack(rng.normal(size=(5, bits)))
    items = pack(rng.normal(size=(41, bits)))
    every = distances(queries, items)
    order = np.argsort(every, axis=1, kind="stable")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbors, "BLOCK", block)
        found, indices = search(queries, items, k, threads)
        balls = {
            radius: range_search(queries, items, radius, threads)
            for radius in (0, bits // 2, bits + 9)
        }
    np.testing.assert_array_equal(indices, order[:, :k])
    np.testing.assert_array_equal(
        found, np.take_along_axis(every, order[:, :k], axis=1)
    )
    assert (found.dtype, indices.dtype) == (np.uint16, np.int64)
    for radius, ball in balls.items():
        for row, places, near, where in zip(every, order, *ball, strict=True):
            places = places[row[places] <= radius]
            np.testing.assert_array_equal(where, places)
            np.testing.assert_array_equal(near, row[places])
            assert (near.dtype, where.dtype) == (np.uint16, np.int64)


@pytest.mark.parametrize("k", [1, 10, 3000, 29_999, 30_000])
def test_many_items_of_which_a_sample_is_looked_at_first(k):
    rng = np.random.default_rng(0)
    items = rng.integers(0, 256, (30_000, 2), dtype=np.uint8)
    # In order, so that the first are no sample of all.
    items = items[np.argsort(np.bitwise_count(items).sum(axis=1))]
    queries = np.array([[255, 255], [0, 0], [170, 15]], np.uint8)
    found, indices = search(queries, items, k)
    every = distances(queries, items)
    order = np.argsort(every, axis=1, kind="stable")[:, :k]
    np.testing.assert_array_equal(indices, order)
    np.testing.assert_array_equal(
        found, np.take_along_axis(every, order, axis=1)
    )


def test_reads_a_memory_map(tmp_path):
    items = pack(np.random.default_rng(0).normal(size=(30, 12)))
    np.save(tmp_path / "codes.npy", items)
    mapped = np.load(tmp_path / "codes.npy", mmap_mode="r")
    for one, other in zip(
        search(items[:4], mapped, 6), search(items[:4], items, 6), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_nothing_to_find():
    none, some = np.zeros((0, 1), "uint8"), np.zeros((2, 1), "uint8")
    assert search(some, none, 3)[1].shape == (2, 0)
    assert search(none, some, 3)[1].shape == (0, 2)
    assert [len(ids) for ids in range_search(some, none, 3)[1]] == [0, 0]
    assert range_search(none, some, 3) == ([], [])


def test_refuses():
    codes = np.zeros((2, 1), "uint8")
    for k in (0, -1, 1.0, None, True):
        with pytest.raises(ValueError, match="Received: k="):
            search(codes, codes, k)
    for radius in (-1, 1.0, None, True):
        with pytest.raises(ValueError, match="Received: radius="):
            range_search(codes, codes, radius)
    for find in (search, range_search):
        with pytest.raises(ValueError, match="of one width"):
            find(codes, np.zeros((2, 2), "uint8"), 1)
    with pytest.raises(ValueError, match="database_codes.dtype=float64"):
        search(codes, np.zeros((2, 2)), 1)
