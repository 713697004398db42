import dataclasses
import json

import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf.retrieval import RetrievalReport, evaluate, pack
from hashnet_tf.retrieval.metrics import RECALLS


def test_a_case_worked_by_hand():
    # Distances of the query 1111: 0, 1, 1, 3, 4.
    database = pack(
        np.array(
            [
                [1, 1, 1, 1],
                [1, 1, 1, -1],
                [1, 1, -1, 1],
                [-1, -1, -1, 1],
                [-1, -1, -1, -1],
            ]
        )
    )
    labels = np.array([0, 1, 0, 0, 1])
    # The second query is unlabelled; to the third nothing is relevant and
    # its ball is not empty; the fourth is far from the rest of its class.
    queries = database[[0, 0, 0, 4]]
    report = evaluate(
        queries, database, [0, -1, 7, 0], labels, bits=4, at=100, ranks=[2, 9]
    )
    # 1; then place 2 or 3; then 3/4.
    first = (1 + (1 + 2 / 3) / 2 + 3 / 4) / 3
    # Distances 4, 3, 3, 1, 0: wrong, right, then one of two, then right.
    fourth = (1 / 2 + (2 / 3 + 2 / 4) / 2 + 3 / 5) / 3
    assert report.bits == 4
    assert report.at == 5
    assert (report.queries, report.database) == (4, 5)
    assert report.unlabelled_queries == 1
    assert report.queries_without_relevant == 2
    assert report.map == pytest.approx((first + fourth) / 4)
    assert report.map_all == pytest.approx(report.map)
    best = (1 + 1 + 3 / 4) / 3 + (1 / 2 + 2 / 3 + 3 / 5) / 3
    worst = (1 + 2 / 3 + 3 / 4) / 3 + (1 / 2 + 2 / 4 + 3 / 5) / 3
    assert report.map_best == pytest.approx(best / 4)
    assert report.map_worst == pytest.approx(worst / 4)
    in_file_order = (1 + 2 / 3 + 3 / 4) / 3, (1 / 2 + 2 / 4 + 3 / 5) / 3
    assert report.presets["thuml-caffe"] == pytest.approx(
        np.mean(in_file_order)
    )
    assert report.presets["deephash"] == pytest.approx(sum(in_file_order) / 4)
    assert report.precision_radius2 == pytest.approx((2 / 3 + 1 / 2) / 4)
    assert report.ball_precision[0] == pytest.approx((1 + 0) / 4)
    assert report.ball_recall == pytest.approx(
        [(1 / 3 + 0) / 2, (2 / 3 + 1 / 3) / 2, 1 / 2, (1 + 2 / 3) / 2, 1]
    )
    assert report.empty_balls == [0.0] * 5
    # Of its two nearest: the query itself and one of the pair; or one right.
    assert report.precision_at == {2: pytest.approx((0.75 + 0.5) / 4)}
    gain = 1 + (1 / np.log2(3) + 1 / 2) / 2 + 1 / np.log2(5)
    other = 1 / np.log2(3) + (1 / 2 + 1 / np.log2(5)) / 2 + 1 / np.log2(6)
    ideal = 1 + 1 / np.log2(3) + 1 / 2
    assert report.ndcg == pytest.approx((gain + other) / ideal / 4)
    assert set(report.precision_at_recall) == set(RECALLS)
    assert report.precision_at_recall[1.0] == pytest.approx((3 / 4 + 3 / 5) / 2)


@pytest.mark.parametrize("empty_ball", ["zero", "skip"])
def test_is_what_the_metrics_are_one_by_one(empty_ball):
    rng = np.random.default_rng(0)
    codes = pack(rng.normal(size=(90, 12)))
    rows = (rng.random((90, 6)) < 0.2).astype(int)
    data = codes[:20], codes[20:], rows[:20], rows[20:]
    report = evaluate(
        *data, bits=12, at=30, ranks=[5, 60], empty_ball=empty_ball
    )
    metrics = hn.retrieval
    for ties, value in (
        ("expected", report.map),
        ("best", report.map_best),
        ("worst", report.map_worst),
    ):
        found = metrics.mean_average_precision(*data, 30, ties, bits=12)
        assert found == value
    assert metrics.mean_average_precision(*data, bits=12) == report.map_all
    assert metrics.ndcg_at_k(*data, 30, bits=12) == report.ndcg
    for k, value in report.precision_at.items():
        assert metrics.precision_at_k(*data, k, bits=12) == value
    for radius in range(13):
        found = metrics.precision_within_radius(
            *data, radius, empty_ball, bits=12
        )
        assert found == report.ball_precision[radius]
        found = metrics.recall_within_radius(*data, radius, bits=12)
        assert found == report.ball_recall[radius]
        near = hn.retrieval.range_search(codes[:20], codes[20:], radius)[1]
        empty = np.mean([len(found) == 0 for found in near])
        assert report.empty_balls[radius] == pytest.approx(empty)
    precision, recall = metrics.precision_recall_curve(*data, bits=12)
    assert report.precision_at_recall == dict(
        zip(recall.tolist(), precision.tolist(), strict=True)
    )


@pytest.mark.parametrize("empty_ball, expected", [("zero", 0.5), ("skip", 1)])
def test_empty_balls(empty_ball, expected):
    codes = np.array([[0], [255]], "uint8")
    report = evaluate(codes, codes[:1], [0, 0], [0], empty_ball=empty_ball)
    assert report.precision_radius2 == expected
    assert report.empty_balls[2] == 0.5
    rule = report.as_dict()["rules"]["ball_precision"]
    assert ("scores 0" in rule) == (empty_ball == "zero")


def test_bits_of_less_than_the_radius():
    codes = pack(np.array([[1], [-1]]))
    report = evaluate(codes, codes, [0, 1], [0, 1], bits=1)
    assert report.precision_radius2 == 0.5
    assert report.map == 1.0


def test_nothing_relevant_at_all():
    codes = np.zeros((2, 1), "uint8")
    report = evaluate(codes, codes, [-1, 1], [2, -1])
    assert set(report.presets.values()) == {0.0}
    assert report.map_best == report.map_worst == report.ndcg == 0.0
    assert report.queries_without_relevant == 2
    assert report.unlabelled_queries == 1


def test_one_item():
    code = np.zeros((1, 1), "uint8")
    report = evaluate(code, code, [4], [4], ranks=[1])
    assert set(report.presets.values()) == {1.0}
    assert report.ndcg == report.map_worst == report.precision_at[1] == 1.0


def test_one_hot_labels_ids_and_a_function_agree():
    rng = np.random.default_rng(0)
    codes, ids = pack(rng.normal(size=(40, 12))), rng.integers(0, 3, 40)
    rows = np.eye(3)[ids]
    one = evaluate(codes[:10], codes[10:], ids[:10], ids[10:], 12, 20)
    other = evaluate(codes[:10], codes[10:], rows[:10], rows[10:], 12, 20)
    third = evaluate(
        codes[:10],
        codes[10:],
        lambda i, part: ids[10:][part] == ids[i],
        None,
        12,
        20,
    )
    assert one == other == third


def test_threads_change_nothing():
    rng = np.random.default_rng(0)
    codes, ids = pack(rng.normal(size=(40, 12))), rng.integers(0, 3, 40)
    data = codes[:10], codes, ids[:10], ids, 12, 20
    assert evaluate(*data, threads=1) == evaluate(*data, threads=3)


def test_without_the_pass_in_file_order():
    rng = np.random.default_rng(0)
    codes, ids = pack(rng.normal(size=(40, 12))), rng.integers(0, 3, 40)
    data = codes[:10], codes, ids[:10], ids, 12, 20
    whole, quick = evaluate(*data), evaluate(*data, file_order=False)
    assert quick.presets == {"tie-aware": whole.map}
    assert quick == dataclasses.replace(whole, presets=quick.presets)
    with pytest.raises(ValueError, match="Received: preset='deephash'"):
        quick.table("deephash")


def test_report_is_json_and_text_with_its_rules():
    codes = np.zeros((3, 2), "uint8")
    report = evaluate(codes, codes, [0, 1, -1], [0, 1, -1], ranks=[1, 2])
    fields = {field.name for field in dataclasses.fields(RetrievalReport)}
    values = json.loads(json.dumps(report.as_dict()))
    assert values == report.as_dict()
    derived = {"map", "precision_radius2", "rules"}
    assert set(values) == fields | derived
    assert values["map"] == report.map
    assert values["precision_radius2"] == report.precision_radius2
    assert RetrievalReport.from_dict(values) == report
    text = report.table()
    assert "16 bits, 3 queries, 3 in the database" in text
    assert f"MAP@3               {report.map:.4f}" in text
    assert "unlabelled queries: 1" in text
    assert "queries without relevant: 1" in text
    assert max(map(len, text.splitlines())) <= 78
    for rule in values["rules"]["presets"].values():
        assert rule in " ".join(text.split())
    assert "thuml" not in report.table("tie-aware")
    with pytest.raises(ValueError, match="Received: preset='ours'"):
        report.table("ours")
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.at = 1


CODES = np.zeros((2, 2), "uint8")
NONE = np.zeros((0, 2), "uint8")


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((NONE, CODES, [], [0, 1]), "must not be empty"),
        ((CODES, NONE, [0, 1], []), "must not be empty"),
        ((CODES, CODES, [0], [0, 1]), "`query_labels` must hold one"),
        ((CODES, CODES, [0, 1], [0]), "`database_labels` must hold one"),
        ((CODES, CODES, [0, 1], np.eye(2)), "both be class ids or both"),
        ((CODES, CODES, [0, np.nan], [0, 1]), "query_labels.dtype=float64"),
        ((CODES, CODES, np.eye(2) * 2, np.eye(2)), r"query_labels\[0, 0\]=2"),
        ((CODES, CODES, [0, 1], [0, 1], 17), "must be 3 bytes wide"),
        ((CODES, CODES[:, :1], [0, 1], [0, 1], 16), "must be 2 bytes wide"),
        ((CODES, CODES + 1, [0, 1], [0, 1], 12), "zeros behind bit 12"),
        ((CODES, CODES, [0, 1], [0, 1], 16, 0), "Received: at=0"),
        ((CODES, CODES, [0, 1], [0, 1], 16, None), "Received: at=None"),
        ((CODES, CODES, [0, 1], [0, 1], 16, 5, [0]), "Received: ranks=0"),
        ((CODES, CODES, [0, 1], [0, 1], 16, 5, [1], "x"), "empty_ball='x'"),
        ((CODES * 1.0, CODES, [0, 1], [0, 1]), "query_codes.dtype=float64"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        evaluate(*arguments)


def test_codes_of_other_widths_without_bits():
    with pytest.raises(ValueError, match=r"database_codes.shape=\(2, 1\)"):
        evaluate(CODES, CODES[:, :1], [0, 1], [0, 1])


def test_a_report_of_another_version_is_refused():
    codes, labels = np.uint8([[0], [255]]), np.array([0, 1])
    values = evaluate(codes, codes, labels, labels, at=2).as_dict()
    del values["presets"]
    with pytest.raises(ValueError, match="Received: one without presets$"):
        RetrievalReport.from_dict(values)


def test_zeros_and_ones_are_no_packed_codes():
    codes = np.random.default_rng(0).integers(0, 2, (30, 12), "uint8")
    labels = np.arange(30) % 3
    for measure in (evaluate, hn.retrieval.mean_average_precision):
        with pytest.raises(ValueError, match=r"shape=\(30, 12\)"):
            measure(codes, codes, labels, labels)
    # Who gives the bits means what is there.
    wide = evaluate(codes, codes, labels, labels, bits=96)
    packed = pack(2.0 * codes - 1)
    found = evaluate(packed, packed, labels, labels, bits=12)
    assert found.map == pytest.approx(wide.map)
