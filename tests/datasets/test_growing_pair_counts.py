import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hashnet_tf.datasets import imbalance as module
from hashnet_tf.datasets.imbalance import growing_pair_counts
from hashnet_tf.losses import count_pairs

ROWS = st.tuples(st.integers(0, 9), st.integers(2, 4)).flatmap(
    lambda shape: arrays(np.int8, shape, elements=st.integers(-1, 1))
)


@settings(max_examples=50, deadline=None)
@given(ROWS)
def test_at_every_size_what_count_pairs_counts(rows):
    similar, dissimilar = growing_pair_counts(rows)
    assert len(similar) == len(dissimilar) == len(rows) + 1
    for k in range(len(rows) + 1):
        counts = count_pairs(rows[:k])
        assert similar[k] == counts.similar
        assert dissimilar[k] == counts.dissimilar


def test_blocks_change_nothing(monkeypatch):
    rows = np.random.default_rng(0).integers(-1, 2, (23, 3))
    whole = growing_pair_counts(rows)
    monkeypatch.setattr(module, "BLOCK_PAIRS", 23 * 5)
    assert np.array_equal(growing_pair_counts(rows), whole)
