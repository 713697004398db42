import dataclasses
import json

import numpy as np
import pytest

from hashnet_tf.retrieval import RetrievalReport, blocks, evaluate, pack


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
    report = evaluate(queries, database, [0, -1, 7, 0], labels, bits=4, at=100)
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
    in_file_order = (1 + 2 / 3 + 3 / 4) / 3, (1 / 2 + 2 / 4 + 3 / 5) / 3
    assert report.map_file_order == pytest.approx(np.mean(in_file_order))
    assert report.precision_radius2 == pytest.approx((2 / 3 + 1 / 2) / 4)
    assert report.empty_balls == 0.0


def test_empty_ball_counts_zero():
    codes = np.array([[0], [255]], "uint8")
    report = evaluate(codes, codes[:1], [0, 0], [0])
    assert report.precision_radius2 == 0.5
    assert report.empty_balls == 0.5


def test_bits_of_less_than_the_radius():
    codes = pack(np.array([[1], [-1]]))
    report = evaluate(codes, codes, [0, 1], [0, 1], bits=1)
    assert report.precision_radius2 == 0.5
    assert report.map == 1.0


def test_nothing_relevant_at_all():
    codes = np.zeros((2, 1), "uint8")
    report = evaluate(codes, codes, [-1, 1], [2, -1])
    assert report.map == report.map_file_order == 0.0
    assert report.queries_without_relevant == 2
    assert report.unlabelled_queries == 1


def test_one_hot_labels_and_ids_agree():
    rng = np.random.default_rng(0)
    codes, ids = pack(rng.normal(size=(40, 12))), rng.integers(0, 3, 40)
    rows = np.eye(3)[ids]
    one = evaluate(codes[:10], codes[10:], ids[:10], ids[10:], 12, 20)
    other = evaluate(codes[:10], codes[10:], rows[:10], rows[10:], 12, 20)
    assert one == other


def test_blocks_change_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    codes, ids = pack(rng.normal(size=(40, 12))), rng.integers(0, 3, 40)
    whole = evaluate(codes[:10], codes, ids[:10], ids, 12, 20)
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 1)
    assert evaluate(codes[:10], codes, ids[:10], ids, 12, 20) == whole


def test_report_is_json_and_text_with_its_rules():
    codes = np.zeros((3, 2), "uint8")
    report = evaluate(codes, codes, [0, 1, -1], [0, 1, -1])
    fields = {field.name for field in dataclasses.fields(RetrievalReport)}
    assert json.loads(json.dumps(report.as_dict())) == report.as_dict()
    assert set(report.as_dict()) == fields
    text = report.table()
    assert "16 bits, 3 queries, 3 in the database" in text
    assert f"MAP@3             {report.map:.4f}" in text
    assert "unlabelled queries: 1" in text
    assert "queries without relevant: 1" in text
    assert max(map(len, text.splitlines())) <= 78
    for rule in report.rules.values():
        assert rule in " ".join(text.split())
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.map = 1.0


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
        ((CODES, CODES, [0, 1], [0, 1], 17), "must be 3 bytes wide"),
        ((CODES, CODES[:, :1], [0, 1], [0, 1]), "must be 2 bytes wide"),
        ((CODES, CODES + 1, [0, 1], [0, 1], 12), "zeros behind bit 12"),
        ((CODES, CODES, [0, 1], [0, 1], 16, 0), "Received: at=0"),
        ((CODES, CODES, [0, 1], [0, 1], 16, None), "Received: at=None"),
        ((CODES * 1.0, CODES, [0, 1], [0, 1]), "query_codes.dtype=float64"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        evaluate(*arguments)
