import dataclasses
import itertools
import json
import tracemalloc

import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf.retrieval import (
    RetrievalReport,
    evaluate,
    evaluate_distances,
    pack,
)
from hashnet_tf.retrieval import distance_evaluation as module
from hashnet_tf.retrieval.metrics import RECALLS

BALLS = ("bits", "empty_ball", "ball_precision", "ball_recall", "empty_balls")


def matrices(q, n, labels=5, seed=0):
    rng = np.random.default_rng(seed)
    rows = (rng.random((q + n, labels)) < 0.3).astype(int)
    return rng, rows[:q], rows[q:]


def orders(distances):
    """All rankings of one query that its distances allow."""
    places = np.argsort(distances, kind="stable")
    tied = itertools.groupby(places, key=lambda place: distances[place])
    groups = [list(itertools.permutations(group)) for _, group in tied]
    for chosen in itertools.product(*groups):
        yield [place for group in chosen for place in group]


def loop(distances, ours, theirs, at, k):
    """AP@R, NDCG@R and precision@k, means over all rankings, of one query."""
    grades = theirs @ ours
    ap, ndcg, precision = [], [], []
    best = np.sort(grades)[::-1]
    discounts = 1 / np.log2(np.arange(2, len(grades) + 2))
    ideal = np.sum((2.0 ** best[:at] - 1) * discounts[:at])
    for order in orders(distances):
        found, total = 0, 0.0
        for place, item in enumerate(order[:at], start=1):
            if grades[item] > 0:
                found += 1
                total += found / place
        wanted = min(at, np.sum(grades > 0))
        ap.append(total / wanted if wanted else 0.0)
        ranked = grades[order[:at]]
        gain = np.sum((2.0**ranked - 1) * discounts[: len(ranked)])
        ndcg.append(gain / ideal if ideal else 0.0)
        precision.append(np.mean(grades[order[:k]] > 0))
    return ap, np.mean(ndcg), np.mean(precision)


@pytest.mark.parametrize("at", [1, 4, 7])
def test_against_a_slow_loop_over_all_orders_of_the_tied(at):
    rng, ours, theirs = matrices(9, 7)
    # A few of them equal, negative ones too.
    distances = rng.integers(-2, 3, (9, 7)) / 7
    report = evaluate_distances(distances, ours, theirs, at, ranks=[3])
    found = [
        loop(row, labels, theirs, at, 3)
        for row, labels in zip(distances, ours, strict=True)
    ]
    ap, ndcg, precision = zip(*found, strict=True)
    assert report.map == pytest.approx(np.mean([np.mean(a) for a in ap]))
    assert report.map_best == pytest.approx(np.mean([max(a) for a in ap]))
    assert report.map_worst == pytest.approx(np.mean([min(a) for a in ap]))
    assert report.ndcg == pytest.approx(np.mean(ndcg))
    assert report.precision_at == {3: pytest.approx(np.mean(precision))}


def as_codes(labels_of, seed=3):
    """Codes, their Hamming distances, and labels made by a function."""
    rng = np.random.default_rng(seed)
    codes = pack(rng.normal(size=(90, 12)))
    labels = labels_of(rng)
    data = codes[:20], codes[20:], labels[:20], labels[20:]
    return data, hn.retrieval.distances(*data[:2])


@pytest.mark.parametrize("dtype", ["uint16", "int64", "float32", "float64"])
@pytest.mark.parametrize(
    "labels_of",
    [
        lambda rng: rng.integers(-1, 3, 90),
        lambda rng: (rng.random((90, 6)) < 0.2).astype(int),
    ],
    ids=["ids", "matrix"],
)
def test_distances_of_codes_give_what_the_codes_give(labels_of, dtype):
    data, distances = as_codes(labels_of)
    wanted = evaluate(*data, bits=12, at=30, ranks=[5, 60])
    found = evaluate_distances(
        distances.astype(dtype), *data[2:], at=30, ranks=[5, 60]
    )
    for field in dataclasses.fields(RetrievalReport):
        if field.name not in BALLS:
            expected = getattr(wanted, field.name)
            assert getattr(found, field.name) == pytest.approx(
                expected, rel=1e-12
            )
    # Whatever keeps the order of the distances keeps the ranking.
    curved = evaluate_distances(
        np.exp(distances / 3) - 9, *data[2:], at=30, ranks=[5, 60]
    )
    assert curved == found


def test_a_function_gives_a_part_at_a_time(monkeypatch):
    data, distances = as_codes(lambda rng: rng.integers(-1, 3, 90))
    whole = evaluate_distances(distances, *data[2:], at=30)
    monkeypatch.setattr(module, "CELLS", 3 * 70)
    asked = []

    def some(rows):
        asked.append((rows.start, rows.stop))
        return distances[rows]

    found = evaluate_distances(some, *data[2:], at=30, threads=1)
    assert asked == [(i, min(i + 3, 20)) for i in range(0, 20, 3)]
    recall = dataclasses.asdict(found).pop("precision_at_recall")
    assert recall == pytest.approx(whole.precision_at_recall, rel=1e-12)
    assert found == dataclasses.replace(whole, precision_at_recall=recall)


def test_ties_by_hand():
    # The first is wrong, then one right and one wrong are tied.
    distances, labels = [[0.5, 0.75, 0.75]], ([7], [0, 7, 0])
    report = evaluate_distances(distances, *labels, ranks=[2])
    assert report.map == pytest.approx((1 / 2 + 1 / 3) / 2)
    found = report.map_best, report.map_worst
    assert found == pytest.approx((1 / 2, 1 / 3))
    assert report.precision_at == {2: 0.25}
    # The right one stands first in the file.
    assert report.presets["thuml-caffe"] == 1 / 2
    turned = evaluate_distances(distances, [7], [0, 0, 7])
    assert turned.presets["thuml-caffe"] == pytest.approx(1 / 3)
    assert turned.map == report.map
    # Both zeros are one distance, and infinity is the last of all.
    signed = evaluate_distances([[np.inf, -0.0, 0.0]], [7], [7, 0, 7])
    assert signed.map == pytest.approx(((1 + 1 / 2) / 2 + 2 / 3) / 2)


def test_queries_that_nothing_answers():
    distances = np.arange(12.0).reshape(4, 3)
    report = evaluate_distances(distances, [0, -1, 7, 0], [1, 0, 1])
    # Of two of the four the one right item stands second.
    assert report.map == pytest.approx(2 * (1 / 2) / 4)
    assert report.presets["thuml-caffe"] == pytest.approx(1 / 2)
    assert report.unlabelled_queries == 1
    assert report.queries_without_relevant == 2
    assert report.precision_at_recall == dict.fromkeys(RECALLS, 0.5)
    nothing = evaluate_distances(distances, [-1] * 4, [1, 0, -1])
    assert set(nothing.presets.values()) == {0.0}
    assert nothing.ndcg == nothing.map_best == nothing.map_all == 0.0
    assert nothing.precision_at_recall == dict.fromkeys(RECALLS, 0.0)


def test_relevance_may_be_a_function():
    rng, ours, theirs = matrices(6, 30)
    distances = rng.normal(size=(6, 30))
    one = evaluate_distances(distances, ours, theirs, at=9)
    other = evaluate_distances(
        distances, lambda i, part: theirs[part] @ ours[i], None, at=9
    )
    # A row without a label is unlabelled; a function says nothing of it.
    assert other == dataclasses.replace(one, unlabelled_queries=0)
    with pytest.raises(ValueError, match="Received: two functions"):
        evaluate_distances(lambda rows: distances[rows], lambda i, p: 1, None)


def test_threads_change_nothing():
    rng, ours, theirs = matrices(6, 30)
    data = rng.normal(size=(6, 30)), ours, theirs
    one = evaluate_distances(*data, threads=1)
    assert one == evaluate_distances(*data, threads=3)
    quick = evaluate_distances(*data, file_order=False)
    assert quick == dataclasses.replace(one, presets={"tie-aware": one.map})


def test_the_report_has_no_balls():
    report = evaluate_distances([[0.5, 0.25]], [3], [3, 3])
    assert report.bits is report.precision_radius2 is report.empty_ball is None
    assert report.ball_precision == report.ball_recall == []
    assert report.empty_balls == []
    values = json.loads(json.dumps(report.as_dict()))
    assert values["precision_radius2"] is None
    assert RetrievalReport.from_dict(values) == report
    rules = [values["rules"][name] for name in BALLS[2:]]
    assert rules == ["not measured: real distances have no Hamming balls"] * 3
    lines = report.table().splitlines()
    assert lines[0] == "real distances, 1 queries, 2 in the database"
    for name in ("P@H<=2", "  empty balls"):
        place = lines.index(f"{name:<20}-")
        assert lines[place + 1].strip() == rules[0]


@pytest.mark.slow
def test_memory_of_a_large_database():
    rng = np.random.default_rng(0)
    theirs = (rng.random((59_000, 38)) < 0.1).astype(np.uint8)
    x = rng.normal(size=(59_000, 8)).astype(np.float32)
    tracemalloc.start()
    try:
        report = evaluate_distances(
            lambda rows: x[rows] @ x.T, theirs[:60], theirs
        )
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert report.queries == 60
    assert peak < 200e6


D = np.zeros((2, 3))
LABELS = [0, 1], [0, 1, 1]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((D[0], *LABELS), r"Received: shape=\(3,\)"),
        ((D[:0], [], LABELS[1]), r"Received: shape=\(0, 3\)"),
        ((D[:, :0], LABELS[0], []), r"Received: shape=\(2, 0\)"),
        ((D * 1j, *LABELS), "dtype=complex128"),
        ((D == 0, *LABELS), "dtype=bool"),
        ((D + np.nan, *LABELS), "NaN for 2 queries, the first of them 0"),
        ((D, [0], LABELS[1]), "`query_labels` must hold one"),
        ((D, LABELS[0], [0]), "`database_labels` must hold one"),
        ((D, LABELS[0], None), "`database_labels`"),
        ((lambda rows: D, LABELS[0], None), "`database_labels`"),
        ((lambda rows: D[:1], *LABELS), r"shape \(2, 3\). .* shape=\(1, 3\)"),
        ((D, *LABELS, 0), "Received: at=0"),
        ((D, *LABELS, 5, [0]), "Received: ranks=0"),
        ((D, *LABELS, 5, [1], True, 0), "Received: threads=0"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        evaluate_distances(*arguments)
