"""Each metric against lists of grades, in every order that ties can take."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashnet_tf.retrieval import (
    distances,
    mean_average_precision,
    ndcg_at_k,
    pack,
    precision_at_k,
    precision_recall_curve,
    precision_within_radius,
    recall_at_k,
    recall_within_radius,
)


def one_query(away, grades, bits):
    """Codes and grades of items `away` bits from a query, as arguments."""
    signs = np.ones((len(away), bits))
    for row, count in zip(signs, away, strict=True):
        row[:count] = -1
    query = pack(np.ones((1, bits)))
    return query, pack(signs), lambda _, part: np.asarray(grades)[part], None


def slow_average_precision(ranked, at):
    relevant = sum(grade > 0 for grade in ranked)
    found, total = 0, 0.0
    for place, grade in enumerate(ranked[:at], start=1):
        if grade:
            found += 1
            total += found / place
    return total / min(at, relevant, len(ranked)) if relevant else 0.0


def slow_precision(ranked, at):
    return sum(grade > 0 for grade in ranked[:at]) / at


def slow_recall(ranked, at):
    relevant = sum(grade > 0 for grade in ranked)
    return sum(g > 0 for g in ranked[:at]) / relevant if relevant else 0.0


def slow_ndcg(ranked, at):
    def dcg(grades):
        return sum(
            (2**grade - 1) / np.log2(place + 1)
            for place, grade in enumerate(grades[:at], start=1)
        )

    best = dcg(sorted(ranked, reverse=True))
    return dcg(ranked) / best if best else 0.0


def best_order(*data, **options):
    return mean_average_precision(*data, ties="best", **options)


def worst_order(*data, **options):
    return mean_average_precision(*data, ties="worst", **options)


# A metric, the same of one ranking, and what is taken over all orders.
RANKED = [
    (mean_average_precision, slow_average_precision, np.mean),
    (best_order, slow_average_precision, max),
    (worst_order, slow_average_precision, min),
    (precision_at_k, slow_precision, np.mean),
    (recall_at_k, slow_recall, np.mean),
    (ndcg_at_k, slow_ndcg, np.mean),
]


def all_orders(away, grades):
    groups = [
        [g for d, g in zip(away, grades, strict=True) if d == level]
        for level in sorted(set(away))
    ]
    for order in itertools.product(*map(itertools.permutations, groups)):
        yield list(itertools.chain(*order))


@settings(deadline=None, derandomize=True, max_examples=100)
@given(
    st.lists(
        st.tuples(
            # Few levels, that there are ties; half of the items irrelevant.
            st.sampled_from([0, 1, 5]),
            st.sampled_from([0, 0, 0, 1, 2, 3]),
        ),
        min_size=1,
        max_size=6,
    ),
    st.integers(1, 8),
    st.sampled_from([5, 12, 64]),
)
def test_all_orders_of_ties(items, at, bits):
    away, grades = (list(values) for values in zip(*items, strict=True))
    data = one_query(away, grades, bits)
    orders = list(all_orders(away, grades))
    for metric, slow, over in RANKED:
        expected = over([slow(order, at) for order in orders])
        found = metric(*data, at, bits=bits)
        assert found == pytest.approx(expected, abs=1e-13), metric.__name__


def test_random_orders_of_many_items():
    rng = np.random.default_rng(0)
    away, grades = rng.integers(0, 5, 300), rng.integers(0, 4, 300)
    grades *= rng.random(300) < 0.4
    orders = []
    for _ in range(400):
        shuffled = rng.permutation(300)
        order = np.argsort(away[shuffled], kind="stable")
        orders.append(grades[shuffled][order].tolist())
    for metric, slow, over in RANKED:
        found = metric(*one_query(away, grades, 7), 100, bits=7)
        values = [slow(order, 100) for order in orders]
        if over is np.mean:
            error = np.std(values) / np.sqrt(len(values))
            assert 0 < error < 0.01
            assert abs(found - np.mean(values)) < 4 * error
        else:
            assert over([found, over(values)]) == found != over(values)


def test_without_ties_there_is_one_order():
    rng = np.random.default_rng(0)
    grades = rng.integers(0, 3, 65).tolist()
    data = one_query(range(65), grades, 64)
    for at in (1, 10, 65, 70):
        for metric, slow, _ in RANKED:
            found = metric(*data, at, bits=64)
            assert found == pytest.approx(slow(grades, at), abs=1e-13)


def test_large_groups_keep_their_digits():
    # Chance level: one group, of which a tenth is relevant.
    n, r, at = 10**6, 10**5, 5000
    places = np.arange(1, at + 1, dtype=np.longdouble)
    terms = r / n * (1 + (places - 1) * (r - 1) / (n - 1)) / places
    codes = np.zeros((n, 1), np.uint8)
    labels = (np.arange(n) < r).astype(int)
    found = mean_average_precision(codes[:1], codes, [1], labels, at)
    assert found == pytest.approx(float(terms.sum() / at), rel=1e-12)


def test_without_top_k_it_is_the_whole_database():
    rng = np.random.default_rng(0)
    codes, labels = pack(rng.normal(size=(40, 6))), rng.integers(0, 3, 40)
    data = codes[:5], codes, labels[:5], labels
    for ties in ("expected", "best", "worst", "file_order"):
        found = mean_average_precision(*data, ties=ties, bits=6)
        for top_k in (40, 1000):
            assert found == mean_average_precision(*data, top_k, ties, bits=6)
        assert found != mean_average_precision(*data, 20, ties, bits=6)


def test_hits_beyond_the_cut_count_only_in_the_denominator():
    data = one_query([0, 1, 2, 3], [1, 0, 1, 1], 3)
    for ties in ("expected", "best", "worst", "file_order"):
        assert mean_average_precision(*data, 2, ties, bits=3) == 0.5


def random_case(seed, bits, q=12, n=41):
    """Signs and class ids, some unknown and one that the database lacks."""
    rng = np.random.default_rng(seed)
    queries = rng.choice([-1, 1], size=(q, bits))
    items = rng.choice([-1, 1], size=(n, bits))
    ours, theirs = rng.integers(-1, 5, q), rng.integers(-1, 4, n)
    ours[0], ours[1] = 4, -1
    return queries, items, ours, theirs


def by_query(queries, items, ours, theirs):
    """Yields the distances and hits of each query, in file order."""
    for query, label in zip(queries, ours, strict=True):
        away = [int(np.sum(query != item)) for item in items]
        yield away, [int(label == other >= 0) for other in theirs]


@pytest.mark.parametrize("bits", [1, 7, 12, 64])
def test_file_order(bits):
    queries, items, ours, theirs = case = random_case(bits, bits)
    for top_k in (1, 4, 41, 100):
        values = []
        for away, hits in by_query(*case):
            order = sorted(range(41), key=lambda i: (away[i], i))
            values.append(
                slow_average_precision([hits[i] for i in order], top_k)
            )
        found = mean_average_precision(
            pack(queries), pack(items), ours, theirs, top_k, "file_order", bits
        )
        assert found == pytest.approx(np.mean(values), rel=1e-13)


@pytest.mark.parametrize("bits", [7, 64])
def test_mean_over_queries(bits):
    queries, items, ours, theirs = case = random_case(bits, bits)
    data = pack(queries), pack(items), ours, theirs
    for metric, _, _ in RANKED:
        values = [
            metric(*one_query(away, hits, bits), 9, bits=bits)
            for away, hits in by_query(*case)
            # Without something to find there is no recall.
            if metric is not recall_at_k or any(hits)
        ]
        expected = pytest.approx(np.mean(values), rel=1e-13)
        assert metric(*data, 9, bits=bits) == expected
        assert metric(*data, 9, bits=bits, threads=1) == expected


@pytest.mark.parametrize("bits", [7, 12])
def test_within_a_radius(bits):
    queries, items, ours, theirs = case = random_case(bits, bits)
    data = pack(queries), pack(items), ours, theirs
    empty = 0
    for radius in range(bits + 2):
        precisions, recalls, balls = [], [], 0
        for away, hits in by_query(*case):
            inside = [h for d, h in zip(away, hits, strict=True) if d <= radius]
            balls += bool(inside)
            precisions.append(sum(inside) / len(inside) if inside else 0.0)
            if sum(hits):
                recalls.append(sum(inside) / sum(hits))
        empty += balls < 12
        for rule, expected in (
            ("zero", sum(precisions) / 12),
            ("skip", sum(precisions) / balls if balls else 0.0),
        ):
            found = precision_within_radius(*data, radius, rule, bits)
            assert found == pytest.approx(expected, rel=1e-13)
        found = recall_within_radius(*data, radius, bits)
        assert found == pytest.approx(np.mean(recalls), rel=1e-13)
    assert len(recalls) < 12 and empty


def test_the_radius_is_two_unless_given():
    queries, items, ours, theirs = random_case(3, 12)
    data = pack(queries), pack(items), ours, theirs
    for metric in (precision_within_radius, recall_within_radius):
        assert metric(*data) == metric(*data, radius=2) != metric(*data, 3)


RECALLS = [0.0, 0.05, 0.1, 0.3, 0.5, 0.7, 0.99, 1.0]


def test_precision_recall_curve():
    queries, items, ours, theirs = case = random_case(0, 12, q=30, n=60)
    data = pack(queries), pack(items), ours, theirs
    precision, recall = precision_recall_curve(*data, RECALLS, bits=12)
    assert recall.tolist() == RECALLS
    for value, wanted in zip(precision, RECALLS, strict=True):
        values = []
        for away, hits in by_query(*case):
            away, hits = np.array(away), np.array(hits)
            inside = [hits[away <= r] for r in range(13)]
            if hits.any():
                values.append(
                    max(
                        ball.mean()
                        for ball in inside
                        if len(ball) and ball.sum() >= wanted * hits.sum()
                    )
                )
        assert 0 < len(values) < 30
        assert value == pytest.approx(np.mean(values))
    assert (np.diff(precision) <= 1e-12).all()


def test_a_recall_that_is_no_binary_fraction_is_reached():
    # 3 of 10, though 0.3 * 10 is a little above 3 in floating point.
    for wrong in (0, 20):
        hits = [1] * 10 + [0] * wrong
        away = [0] * 3 + [1] * (7 + wrong)
        data = one_query(away, hits, 2)
        assert precision_recall_curve(*data, [0.3], bits=2)[0].tolist() == [1.0]


def test_nothing_is_relevant():
    codes = np.zeros((2, 1), "uint8")
    data = codes, codes, [-1, 1], [2, -1]
    for metric, _, _ in RANKED:
        assert metric(*data, 5) == 0.0
    assert mean_average_precision(*data, ties="file_order") == 0.0
    assert precision_within_radius(*data) == recall_within_radius(*data) == 0
    assert precision_recall_curve(*data, [0, 1])[0].tolist() == [0, 0]


def test_every_ball_is_empty():
    data = one_query([5, 7], [1, 1], 8)
    for rule in ("zero", "skip"):
        assert precision_within_radius(*data, 4, rule) == 0.0
    assert recall_within_radius(*data, 4) == 0.0


def test_a_memory_map_and_grades_by_a_function(tmp_path):
    rng = np.random.default_rng(0)
    codes = pack(rng.normal(size=(50, 12)))
    rows = (rng.random((50, 4)) < 0.4).astype(int)
    np.save(tmp_path / "codes.npy", codes)
    mapped = np.load(tmp_path / "codes.npy", mmap_mode="r")
    for metric, _, _ in RANKED:
        one = metric(codes[:5], codes, rows[:5], rows, 9, bits=12)
        other = metric(
            codes[:5], mapped, lambda i, part: rows[part] @ rows[i], None, 9
        )
        assert one == pytest.approx(other, rel=1e-13)


def test_permuting_the_database_changes_nothing():
    rng = np.random.default_rng(2)
    codes, labels = pack(rng.normal(size=(50, 4))), rng.integers(0, 3, 50)
    order = rng.permutation(50)
    assert np.unique(distances(codes[:1], codes)).size < 6
    for metric, _, _ in RANKED:
        one = metric(codes[:5], codes, labels[:5], labels, 20, bits=4)
        other = metric(
            codes[:5], codes[order], labels[:5], labels[order], 20, bits=4
        )
        assert one == other


CODES = np.zeros((2, 1), "uint8")
LABELS = [0, 1]


@pytest.mark.parametrize("wrong", [0, -1, 2.0, True])
def test_refuses_a_rank(wrong):
    for metric, _, _ in RANKED:
        with pytest.raises(ValueError, match=f"Received: (top_)?k={wrong}$"):
            metric(CODES, CODES, LABELS, LABELS, wrong)
    with pytest.raises(ValueError, match=f"Received: top_k={wrong}$"):
        mean_average_precision(
            CODES, CODES, LABELS, LABELS, wrong, ties="file_order"
        )


@pytest.mark.parametrize(
    "metric, wrong, message",
    [
        (mean_average_precision, {"ties": "file"}, "ties='file'"),
        (precision_within_radius, {"radius": -1}, "radius=-1"),
        (recall_within_radius, {"radius": 1.0}, "radius=1.0"),
        (precision_within_radius, {"empty_ball": "one"}, "empty_ball='one'"),
        (precision_recall_curve, {"recalls": [-0.1]}, r"recalls=\[-0.1\]"),
        (precision_recall_curve, {"recalls": [1.1]}, r"recalls=\[1.1\]"),
        (precision_recall_curve, {"recalls": [np.nan]}, r"recalls=\[nan\]"),
        (precision_recall_curve, {"recalls": 0.5}, "recalls=0.5"),
    ],
)
def test_refuses_an_argument(metric, wrong, message):
    with pytest.raises(ValueError, match=f"Received: {message}$"):
        metric(CODES, CODES, LABELS, LABELS, **wrong)


@pytest.mark.parametrize(
    "data, message",
    [
        ((CODES[:0], CODES, [], LABELS), "must not be empty"),
        ((CODES, CODES[:0], LABELS, []), "must not be empty"),
        ((CODES, CODES, LABELS, [0]), "`database_labels` must hold one"),
        ((CODES, CODES * 1.0, LABELS, LABELS), "database_codes.dtype=float64"),
        ((CODES, np.zeros((2, 2), "u1"), LABELS, LABELS), r"shape=\(2, 2\)"),
    ],
)
def test_refuses_what_is_no_codes_or_labels(data, message):
    for metric in (
        mean_average_precision,
        precision_within_radius,
        recall_within_radius,
        precision_recall_curve,
    ):
        with pytest.raises(ValueError, match=message):
            metric(*data)
    for metric in (precision_at_k, recall_at_k, ndcg_at_k):
        with pytest.raises(ValueError, match=message):
            metric(*data, k=1)
