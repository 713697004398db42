import numpy as np
import pytest

from hashnet_tf.retrieval._measures import precision_at_recall

RECALLS = [0.0, 0.05, 0.1, 0.3, 0.5, 0.7, 0.99, 1.0]


def test_against_a_loop():
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 6, (30, 17))
    relevant = rng.integers(0, counts + 1)
    relevant[4] = 0
    found = precision_at_recall(counts, relevant, RECALLS)
    for value, recall in zip(found, RECALLS, strict=True):
        values = []
        for n, r in zip(counts, relevant, strict=True):
            points = [(r[: k + 1].sum(), n[: k + 1].sum()) for k in range(17)]
            if r.sum():
                values.append(
                    max(
                        hits / items
                        for hits, items in points
                        if items and hits >= recall * r.sum() - 1e-9
                    )
                )
        assert len(values) == 29
        assert value == pytest.approx(np.mean(values))
    assert (np.diff(found) <= 1e-12).all()


def test_a_recall_that_is_no_binary_fraction_is_reached():
    # 3 of 10, though 0.3 * 10 is a little above 3 in floating point.
    counts = np.array([[3, 7]])
    assert precision_at_recall(counts, counts, [0.3]).tolist() == [1.0]
    relevant = np.array([[3, 7]])
    counts = np.array([[3, 27]])
    assert precision_at_recall(counts, relevant, [0.3]).tolist() == [1.0]


def test_nothing_relevant():
    found = precision_at_recall(np.array([[2]]), np.array([[0]]), [0.5])
    assert found.tolist() == [0.0]


@pytest.mark.parametrize("recalls", [[-0.1], [1.1], [np.nan], 0.5])
def test_refuses(recalls):
    with pytest.raises(ValueError, match="Received: recalls="):
        precision_at_recall(np.array([[1]]), np.array([[1]]), recalls)
