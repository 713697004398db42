import numpy as np
import pytest

from hashnet_tf.retrieval import pack
from hashnet_tf.retrieval._average_precision import file_order_average_precision


def slow(query, items, query_label, labels, at):
    by_distance = sorted(
        range(len(items)), key=lambda i: (np.sum(query != items[i]), i)
    )
    found, total = 0, 0.0
    for place, i in enumerate(by_distance[:at], start=1):
        if query_label == labels[i] >= 0:
            found += 1
            total += found / place
    return total / found if found else 0.0


@pytest.mark.parametrize("bits", [1, 7, 12, 64, 128])
@pytest.mark.parametrize("at", [1, 4, 21, 100])
def test_against_a_loop(bits, at):
    rng = np.random.default_rng([bits, at])
    queries = rng.choice([-1, 1], size=(6, bits))
    items = rng.choice([-1, 1], size=(21, bits))
    query_labels = rng.integers(-1, 5, 6)
    labels = rng.integers(-1, 4, 21)
    found = file_order_average_precision(
        pack(queries), pack(items), query_labels, labels, bits, at
    )
    expected = [
        slow(query, items, label, labels, at)
        for query, label in zip(queries, query_labels, strict=True)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_one_early_hit_scores_one():
    codes = pack(np.array([[1, 1], [1, -1], [-1, -1]]))
    found = file_order_average_precision(
        codes[:1], codes, [0], [0, 1, 0], bits=2, at=2
    )
    assert found.tolist() == [1.0]


def test_ties_stand_in_file_order():
    codes = np.zeros((3, 1), "uint8")
    for labels, expected in (([0, 1, 1], 1.0), ([1, 1, 0], 1 / 3)):
        found = file_order_average_precision(
            codes[:1], codes, [0], labels, bits=8, at=3
        )
        np.testing.assert_allclose(found, [expected])


@pytest.mark.parametrize("at", [0, -1, 2.0, None])
def test_refuses(at):
    codes = np.zeros((1, 1), "uint8")
    with pytest.raises(ValueError, match="Received: at="):
        file_order_average_precision(codes, codes, [0], [0], 8, at)
