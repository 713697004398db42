"""The closed form against every order that ties can take."""

import itertools

import numpy as np
import pytest

from hashnet_tf.retrieval import histograms, pack
from hashnet_tf.retrieval._average_precision import average_precision


def ranked_average_precision(hits, at, relevant):
    found, total = 0, 0.0
    for place, hit in enumerate(hits[:at], start=1):
        if hit:
            found += 1
            total += found / place
    return total / min(at, relevant) if relevant else 0.0


def average_over_all_orders(distances, hits, at):
    groups = [
        [hit for d, hit in zip(distances, hits, strict=True) if d == distance]
        for distance in sorted(set(distances))
    ]
    orders = itertools.product(*map(itertools.permutations, groups))
    return np.mean(
        [
            ranked_average_precision(
                list(itertools.chain(*order)), min(at, len(hits)), sum(hits)
            )
            for order in orders
        ]
    )


def to_histograms(distances, hits, bits):
    counts = np.bincount(distances, minlength=bits + 1)
    relevant = np.bincount(distances, hits, minlength=bits + 1)
    return counts[None], relevant.astype(np.int64)[None]


@pytest.mark.parametrize("bits", [1, 7, 12, 64, 128])
@pytest.mark.parametrize("seed", range(6))
def test_random_ties(bits, seed):
    rng = np.random.default_rng([bits, seed])
    n = int(rng.integers(1, 7))
    levels = rng.choice(bits + 1, size=min(3, bits + 1), replace=False)
    distances = rng.choice(levels, size=n)
    hits = rng.random(n) < rng.choice([0.2, 0.5, 0.9])
    for at in (1, 2, 3, n, n + 5):
        found = average_precision(*to_histograms(distances, hits, bits), at)
        expected = average_over_all_orders(distances, hits, at)
        np.testing.assert_allclose(found, [expected], rtol=0, atol=1e-13)


@pytest.mark.parametrize("hits", list(itertools.product([0, 1], repeat=5)))
@pytest.mark.parametrize("at", [1, 3, 5, 9])
def test_all_tied(hits, at):
    distances = [4] * 5
    found = average_precision(*to_histograms(distances, hits, 7), at)
    expected = average_over_all_orders(distances, hits, at)
    np.testing.assert_allclose(found, [expected], rtol=0, atol=1e-13)


def test_no_hit_scores_zero_and_one_item_one():
    assert average_precision(*to_histograms([0, 1], [0, 0], 1), 5) == [0]
    assert average_precision(*to_histograms([3], [1], 7), 1) == [1]
    assert average_precision(*to_histograms([3], [0], 7), 1) == [0]


def test_hits_beyond_the_cut_count_only_in_the_denominator():
    found = average_precision(
        *to_histograms([0, 1, 2, 3], [1, 0, 1, 1], 3), at=2
    )
    np.testing.assert_allclose(found, [0.5])


def test_without_ties_it_is_the_plain_average_precision():
    rng = np.random.default_rng(0)
    hits = rng.random((4, 65)) < 0.3
    counts = np.ones((4, 65), np.int64)
    for at in (1, 10, 65):
        found = average_precision(counts, hits.astype(np.int64), at)
        expected = [
            ranked_average_precision(row.tolist(), at, row.sum())
            for row in hits
        ]
        np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_queries_do_not_mix():
    rng = np.random.default_rng(1)
    codes = pack(rng.normal(size=(30, 7)))
    labels = rng.integers(-1, 4, 30)
    found = histograms(codes[:9], codes, labels[:9], labels, 7)
    counts, relevant = found.counts, found.relevant
    together = average_precision(counts, relevant, 11)
    apart = [
        average_precision(counts[i : i + 1], relevant[i : i + 1], 11)[0]
        for i in range(9)
    ]
    np.testing.assert_array_equal(together, apart)


def test_large_groups_keep_their_digits():
    # Chance level: one group of a million, of which a tenth is relevant.
    n, r, at = 10**6, 10**5, 5000
    places = np.arange(1, at + 1, dtype=np.longdouble)
    terms = r / n * (1 + (places - 1) * (r - 1) / (n - 1)) / places
    found = average_precision(np.array([[n]]), np.array([[r]]), at)
    np.testing.assert_allclose(found, [float(terms.sum() / at)], rtol=1e-12)


def test_permuting_the_database_changes_nothing():
    rng = np.random.default_rng(2)
    codes, labels = pack(rng.normal(size=(50, 4))), rng.integers(0, 3, 50)
    order = rng.permutation(50)
    one = histograms(codes[:5], codes, labels[:5], labels, 4)
    other = histograms(codes[:5], codes[order], labels[:5], labels[order], 4)
    np.testing.assert_array_equal(
        average_precision(one.counts, one.relevant, 20),
        average_precision(other.counts, other.relevant, 20),
    )


@pytest.mark.parametrize("at", [0, -1, 2.0, None])
def test_refuses(at):
    with pytest.raises(ValueError, match="Received: at="):
        average_precision(np.array([[1]]), np.array([[1]]), at)


def test_against_random_orders(slow):
    rng = np.random.default_rng(0)
    distances = rng.integers(0, 5, 300)
    hits = (rng.random(300) < 0.3).astype(int)
    values = [
        slow.average_precision(order, 100)
        for order in slow.random_orders(distances, hits, 2000, seed=1)
    ]
    error = np.std(values) / np.sqrt(len(values))
    (found,) = average_precision(*to_histograms(distances, hits, 7), 100)
    assert 0 < error < 0.01
    assert abs(found - np.mean(values)) < 4 * error
