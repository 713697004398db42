import importlib

import numpy as np
import pytest

from hashnet_tf.retrieval import distances, pack, within

MODULE = importlib.import_module("hashnet_tf.retrieval.neighbors")


@pytest.mark.parametrize("bits", [1, 7, 12, 64, 128])
@pytest.mark.parametrize("block", [1, 3, 1000])
def test_against_a_stable_sort(monkeypatch, bits, block):
    monkeypatch.setattr(MODULE, "BLOCK", block)
    rng = np.random.default_rng(bits)
    queries = pack(rng.normal(size=(5, bits)))
    items = pack(rng.normal(size=(41, bits)))
    every = distances(queries, items)
    for radius in (0, 1, bits // 2, bits, bits + 9):
        found, indices = within(queries, items, radius)
        for row, near, where in zip(every, found, indices, strict=True):
            order = np.argsort(row, kind="stable")
            order = order[row[order] <= radius]
            np.testing.assert_array_equal(where, order)
            np.testing.assert_array_equal(near, row[order])
            assert (near.dtype, where.dtype) == (np.uint16, np.int64)


def test_nothing_to_find():
    none, some = np.zeros((0, 1), "uint8"), np.zeros((2, 1), "uint8")
    assert [len(ids) for ids in within(some, none, 3)[1]] == [0, 0]
    assert within(none, some, 3) == ([], [])


def test_refuses():
    codes = np.zeros((2, 1), "uint8")
    for radius in (-1, 1.0, None, True):
        with pytest.raises(ValueError, match="Received: radius="):
            within(codes, codes, radius)
    with pytest.raises(ValueError, match="of one width"):
        within(codes, np.zeros((2, 2), "uint8"), 1)
