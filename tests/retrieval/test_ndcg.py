import numpy as np
import pytest

from hashnet_tf.retrieval._measures import ndcg


def measure(found, at):
    return ndcg(found.counts, found.gains, found.grades, at)


@pytest.mark.parametrize("at", [1, 2, 3, 6, 50])
def test_the_mean_of_all_orders(slow, small_case, at):
    distances, grades, bits = small_case
    values = [slow.ndcg(order, at) for order in slow.orders(distances, grades)]
    result = measure(slow.histograms(distances, grades, bits), at)
    assert result == pytest.approx([np.mean(values)], abs=1e-13)


def test_against_random_orders(slow):
    rng = np.random.default_rng(0)
    distances, grades = rng.integers(0, 5, 300), rng.integers(0, 4, 300)
    values = [
        slow.ndcg(order, 100)
        for order in slow.random_orders(distances, grades, 2000, seed=1)
    ]
    error = np.std(values) / np.sqrt(len(values))
    (result,) = measure(slow.histograms(distances, grades, 7), 100)
    assert 0 < error < 0.01
    assert abs(result - np.mean(values)) < 4 * error


def test_the_best_ranking_scores_one(slow):
    assert measure(slow.histograms([0, 1, 1, 2], [3, 1, 1, 0], 2), 4) == [1.0]


@pytest.mark.parametrize("at", [0, -1, 2.0, None])
def test_refuses(slow, at):
    with pytest.raises(ValueError, match="Received: at="):
        measure(slow.histograms([0], [1], 2), at)
