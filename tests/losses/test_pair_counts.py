import importlib
import itertools
import tracemalloc

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies
from hypothesis.extra.numpy import arrays
from keras import ops

from hashnet_tf.losses import PairCounts, WeightedPairwiseLoss, count_pairs
from hashnet_tf.losses._pairs import label_pairs

MODULE = importlib.import_module("hashnet_tf.losses.pair_counts")

IDS = arrays(
    strategies.sampled_from(["int8", "int64", "float32"]),
    strategies.integers(0, 12),
    elements=strategies.integers(-2, 4),
)
ROWS = arrays(
    strategies.sampled_from(["int8", "int64", "float32"]),
    strategies.tuples(strategies.integers(0, 10), strategies.integers(2, 5)),
    elements=strategies.integers(-1, 1),
)


def by_loop(slow, labels, include_self):
    kinds = [
        slow.relation(labels[i], labels[j])
        for i in range(len(labels))
        for j in range(len(labels))
        if include_self or i != j
    ]
    known = [similar for similar, _ in filter(None, kinds)]
    return PairCounts(similar=sum(known), dissimilar=len(known) - sum(known))


@hypothesis.given(IDS | ROWS, strategies.booleans())
@hypothesis.settings(deadline=None, max_examples=300)
def test_against_a_loop(slow, labels, include_self):
    found = count_pairs(labels, include_self=include_self)
    assert found == by_loop(slow, labels, include_self)


@pytest.mark.parametrize("pairs_at_a_time", [1, 7, 100])
@pytest.mark.parametrize("include_self", [False, True])
def test_in_blocks(slow, monkeypatch, pairs_at_a_time, include_self):
    monkeypatch.setattr(MODULE, "BLOCK_PAIRS", pairs_at_a_time)
    labels = np.random.default_rng(0).choice([-1, 0, 0, 1], size=(30, 5))
    assert len(np.unique(labels, axis=0)) > 20
    found = count_pairs(labels, include_self)
    assert found == by_loop(slow, labels, include_self)


def test_column_of_ids_and_one_hot_rows():
    ids = np.random.default_rng(0).integers(0, 5, 40)
    expected = count_pairs(ids)
    assert count_pairs(ids[:, None]) == expected
    assert count_pairs(np.eye(5, dtype=bool)[ids]) == expected
    assert count_pairs(ids.tolist()) == expected


@pytest.mark.parametrize("form", ["ids", "one-hot"])
def test_imagenet_as_the_paper_and_as_the_released_lists_count_it(form):
    ids = np.repeat(np.arange(100), 130)
    labels = ids if form == "ids" else np.eye(100, dtype="uint8")[ids]
    counts = count_pairs(labels, include_self=True)
    assert counts.similar == 100 * 130**2
    assert counts.dissimilar == 13_000**2 - 100 * 130**2
    assert [f"{weight:.4f}" for weight in counts.weights] == [
        "100.0000",
        "1.0101",
    ]
    # The pairs that the loss takes: i = j is not one.
    counts = count_pairs(labels)
    assert counts.similar == 100 * 130 * 129
    assert counts.weights[0] == (13_000 * 12_999) / (100 * 130 * 129)


def test_counts_what_the_loss_weights():
    rng = np.random.default_rng(0)
    labels = rng.choice([-1, 0, 0, 1], size=(40, 6))
    similar, known, _ = map(
        ops.convert_to_numpy, label_pairs(ops.convert_to_tensor(labels), False)
    )
    counted = known & ~np.eye(40, dtype=bool)
    counts = count_pairs(labels)
    assert counts.similar == (similar & counted).sum()
    assert counts.dissimilar == (~similar & counted).sum()
    # With the whole set as one batch, counting it first changes nothing.
    g = rng.uniform(-1, 1, size=(40, 8))
    np.testing.assert_allclose(
        WeightedPairwiseLoss(class_weights=counts.weights)(labels, g),
        WeightedPairwiseLoss()(labels, g),
        rtol=1e-6,
    )


def peak_bytes(labels):
    tracemalloc.start()
    try:
        counts = count_pairs(labels)
        return counts, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_no_matrix_of_pairs_of_ids():
    labels = np.arange(60_000) % 10
    counts, peak = peak_bytes(labels)
    assert counts.similar == 60_000 * 5_999
    assert counts.dissimilar == 60_000 * 54_000
    assert peak < 10 * labels.nbytes


def test_no_matrix_of_pairs_of_rows():
    # All 7,140 choices of 3 labels of 36, each of them 8 times.
    rows = np.zeros((7140, 36), "int8")
    triples = np.array(list(itertools.combinations(range(36), 3)))
    np.put_along_axis(rows, triples, 1, axis=1)
    counts, peak = peak_bytes(np.tile(rows, (8, 1)))
    n = 8 * 7140
    # 33 choose 3 = 5,456 choices share no label with a given one.
    assert counts.dissimilar == n * 8 * 5456
    assert counts.similar == n * (n - 1) - n * 8 * 5456
    # A matrix of booleans for all rows takes 3,263 MB.
    assert peak < 150e6


@pytest.mark.parametrize("columns", [(), (3,)])
def test_a_class_of_more_pairs_than_32_bits_count(columns):
    counts = count_pairs(np.ones((60_000, *columns), "int8"))
    assert counts == PairCounts(similar=60_000 * 59_999, dissimilar=0)


def test_class_weights():
    assert PairCounts(similar=1, dissimilar=3).weights == (4.0, 4 / 3)
    for labels in ([0, 0], [0, 1], [-1, -1], []):
        counts = count_pairs(np.array(labels, int))
        received = (
            f"Received: similar={counts.similar},"
            f" dissimilar={counts.dissimilar}"
        )
        with pytest.raises(ValueError, match=received):
            _ = counts.weights


@pytest.mark.parametrize("shape", [(), (2, 2, 2)])
def test_refuses(shape):
    with pytest.raises(ValueError, match=r"Received: labels.shape=\("):
        count_pairs(np.zeros(shape))
