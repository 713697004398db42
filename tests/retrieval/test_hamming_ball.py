import numpy as np
import pytest

from hashnet_tf.retrieval._measures import (
    ball_precision,
    ball_recall,
    empty_balls,
)


@pytest.fixture(scope="module")
def histogram():
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 3, (40, 13)) * (rng.random((40, 13)) < 0.4)
    relevant = rng.integers(0, counts + 1)
    relevant[:5] = 0
    return counts, relevant


def test_precision_and_empty_balls_against_a_loop(histogram):
    counts, relevant = histogram
    zero, skip = (
        ball_precision(counts, relevant, rule) for rule in ("zero", "skip")
    )
    empty = empty_balls(counts)
    for radius in range(13):
        values = []
        for n, r in zip(counts, relevant, strict=True):
            inside = n[: radius + 1].sum()
            if inside:
                values.append(r[: radius + 1].sum() / inside)
        assert zero[radius] == pytest.approx(sum(values) / 40)
        mean = np.mean(values) if values else 0.0
        assert skip[radius] == pytest.approx(mean)
        assert empty[radius] == pytest.approx(1 - len(values) / 40)
    assert 0 < empty[0] < 1


def test_recall_is_over_queries_with_something_to_find(histogram):
    relevant = histogram[1]
    answerable = [row for row in relevant if row.sum()]
    assert 0 < len(answerable) < 40
    found = ball_recall(relevant)
    for radius in range(13):
        values = [row[: radius + 1].sum() / row.sum() for row in answerable]
        assert found[radius] == pytest.approx(np.mean(values))
    assert found[-1] == pytest.approx(1.0)


def test_nothing_at_all():
    none = np.zeros((3, 5), int)
    assert ball_precision(none, none, "skip").tolist() == [0.0] * 5
    assert ball_recall(none).tolist() == [0.0] * 5
    assert empty_balls(none).tolist() == [1.0] * 5


def test_refuses_another_rule():
    with pytest.raises(ValueError, match="Received: empty='one'"):
        ball_precision(np.array([[1]]), np.array([[1]]), "one")
