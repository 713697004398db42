import numpy as np
import pytest

from hashnet_tf.retrieval._measures import precision_at


@pytest.mark.parametrize("at", [1, 2, 3, 6, 50])
def test_the_mean_of_all_orders(slow, small_case, at):
    distances, grades, bits = small_case
    found = slow.histograms(distances, grades, bits)
    values = [
        slow.precision(order, at) for order in slow.orders(distances, grades)
    ]
    result = precision_at(found.counts, found.relevant, at)
    assert result == pytest.approx([np.mean(values)], abs=1e-13)


def test_against_random_orders(slow):
    rng = np.random.default_rng(0)
    distances, grades = rng.integers(0, 5, 300), rng.random(300) < 0.3
    found = slow.histograms(distances, grades.astype(int), 7)
    values = [
        slow.precision(order, 100)
        for order in slow.random_orders(distances, grades, 2000, seed=1)
    ]
    error = np.std(values) / np.sqrt(len(values))
    (result,) = precision_at(found.counts, found.relevant, 100)
    assert 0 < error < 0.01
    assert abs(result - np.mean(values)) < 4 * error


@pytest.mark.parametrize("at", [0, -1, 2.0, None])
def test_refuses(at):
    with pytest.raises(ValueError, match="Received: at="):
        precision_at(np.array([[1]]), np.array([[1]]), at)
