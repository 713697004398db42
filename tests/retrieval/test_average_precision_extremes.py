import numpy as np
import pytest

from hashnet_tf.retrieval._average_precision import (
    average_precision,
    extreme_average_precision,
)


@pytest.mark.parametrize("at", [1, 2, 3, 6, 50])
def test_best_and_worst_of_all_orders(slow, small_case, at):
    distances, grades, bits = small_case
    found = slow.histograms(distances, grades, bits)
    values = [
        slow.average_precision(order, min(at, len(grades)))
        for order in slow.orders(distances, grades)
    ]
    best, worst = (
        extreme_average_precision(found.counts, found.relevant, at, best)[0]
        for best in (True, False)
    )
    assert best == pytest.approx(max(values), abs=1e-13)
    assert worst == pytest.approx(min(values), abs=1e-13)


def test_the_expected_value_lies_between():
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 30, (50, 17))
    relevant = rng.integers(0, counts + 1)
    for at in (1, 10, 100, 10_000):
        best, worst = (
            extreme_average_precision(counts, relevant, at, best)
            for best in (True, False)
        )
        expected = average_precision(counts, relevant, at)
        assert (worst <= expected + 1e-12).all()
        assert (expected <= best + 1e-12).all()
        assert (worst < best - 0.01).any()


def test_a_case_worked_by_hand():
    # One wrong; two tied, one right; R = 2 cuts the pair.
    counts, relevant = np.array([[1, 2]]), np.array([[0, 1]])
    best = extreme_average_precision(counts, relevant, 2, best=True)
    worst = extreme_average_precision(counts, relevant, 2, best=False)
    assert (best.tolist(), worst.tolist()) == ([0.5], [0.0])


@pytest.mark.parametrize("at", [0, -1, 2.0, None, True])
def test_refuses(at):
    group = np.array([[1]]), np.array([[1]])
    with pytest.raises(ValueError, match="Received: at="):
        extreme_average_precision(*group, at, best=True)
