import json

import numpy as np
import pytest

from hashnet_tf.retrieval import NeighborReport, evaluate_neighbors, pack
from hashnet_tf.retrieval.neighbor_evaluation import BINS

RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(60, 6)) + 3
BITS = 5
VALUES = (FEATURES - 3) @ RNG.normal(size=(6, BITS))
CODES = pack(VALUES)
QUERY, DATABASE = slice(0, 15), slice(15, 60)


def measured(*ranks):
    return evaluate_neighbors(
        CODES[QUERY],
        CODES[DATABASE],
        FEATURES[QUERY],
        FEATURES[DATABASE],
        bits=BITS,
        neighbors=4,
        ranks=ranks,
    )


@pytest.fixture(scope="module")
def report():
    return measured(1, 4, 20, 45, 46)


def cosines():
    centred = FEATURES - FEATURES[DATABASE].mean(axis=0)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    return unit[QUERY] @ unit[DATABASE].T


def hamming():
    bits = VALUES >= 0
    return (bits[QUERY][:, None] != bits[DATABASE][None]).sum(axis=2)


def test_recall_is_the_mean_over_orders_of_ties(report):
    # By drawn orders in place of the formula.
    rng = np.random.default_rng(1)
    found = {rank: [] for rank in (1, 4, 20)}
    for cosine, distance in zip(cosines(), hamming(), strict=True):
        near = set(np.argsort(-cosine)[:4].tolist())
        for _ in range(2000):
            order = np.lexsort((rng.random(45), distance))
            for rank, shares in found.items():
                shares.append(len(near & set(order[:rank].tolist())) / 4)
    for rank, shares in found.items():
        assert report.recall_at[rank] == pytest.approx(
            np.mean(shares), abs=0.01
        )
    assert report.recall_at[45] == 1
    assert list(report.recall_at) == [1, 4, 20, 45]
    assert report.neighbors == 4


def test_distortion_by_loop(report):
    rows = {}
    for cosine, distance in zip(
        cosines().ravel(), hamming().ravel(), strict=True
    ):
        rows.setdefault(int((1 - cosine) * BINS / 2), []).append(distance)
    assert len(report.distortion) == len(rows)
    for found, (place, values) in zip(
        report.distortion, sorted(rows.items()), strict=True
    ):
        assert found.cosine_distance == pytest.approx((place + 0.5) * 2 / BINS)
        assert found.pairs == len(values)
        assert found.mean == pytest.approx(np.mean(values))
        assert found.deviation == pytest.approx(np.std(values), abs=1e-6)
    assert sum(found.pairs for found in report.distortion) == 15 * 45


def test_bits(report):
    bits = (VALUES >= 0)[DATABASE].astype(float)
    assert report.ones == pytest.approx(bits.mean(axis=0).tolist())
    assert report.balance == pytest.approx(bits.mean())
    farthest = np.abs(bits.mean(axis=0) - 0.5).argmax()
    assert report.worst_bit == pytest.approx(bits.mean(axis=0)[farthest])
    correlation = np.abs(np.corrcoef(bits.T))
    upper = correlation[np.triu_indices(BITS, 1)]
    assert report.bit_correlation == pytest.approx(upper.mean())
    rows = [tuple(row) for row in bits.tolist()]
    shared = np.mean([rows.count(row) > 1 for row in rows])
    assert report.collisions == pytest.approx(shared)


def test_a_constant_bit_has_no_correlation():
    codes = np.array([[0b10000000], [0b10000000]], np.uint8)
    features = np.array([[1.0], [2.0]])
    report = evaluate_neighbors(codes, codes, features, features, bits=2)
    assert report.ones == [1.0, 0.0] and report.bit_correlation == 0
    assert report.collisions == 1 and report.neighbors == 2
    assert report.recall_at == {}


def test_codes_that_are_the_features_keep_all():
    rng = np.random.default_rng(3)
    features = np.where(rng.random((200, 64)) < 0.5, -1.0, 1.0)
    # Centred already: with each item comes its opposite.
    features = np.concatenate([features, -features])
    codes = pack(features)
    report = evaluate_neighbors(
        codes, codes, features, features, neighbors=1, ranks=(1,)
    )
    assert report.recall_at == {1: 1.0}
    # Distance = K (1 - cos) / 2, up to the width of a found.
    for found in report.distortion:
        assert abs(found.mean - 32 * found.cosine_distance) <= 64 / BINS


def test_blocks_of_queries_change_nothing(report, monkeypatch):
    monkeypatch.setattr(
        "hashnet_tf.retrieval.neighbor_evaluation.PAIRS", 45 * 4
    )
    monkeypatch.setattr("hashnet_tf.retrieval.neighbor_evaluation.ROWS", 7)
    again = measured(1, 4, 20, 45)
    assert again.recall_at == pytest.approx(report.recall_at)
    assert again.ones == pytest.approx(report.ones)
    assert again.bit_correlation == pytest.approx(report.bit_correlation)


def test_as_dict_and_back(report):
    text = json.dumps(report.as_dict())
    assert NeighborReport.from_dict(json.loads(text)) == report


def test_text(report):
    text = report.text()
    assert f"R = 4      {report.recall_at[4]:.4f} (the codes alone)" in text
    assert f"another: {report.collisions:.2%}" in text
    assert len(text.splitlines()) == 2 + 4 + 1 + len(report.distortion) + 3


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"query_features": FEATURES[:3]}, r"query_features.shape=\(3, 6\)"),
        ({"database_features": FEATURES[15:, :2]}, "must be of one width"),
        ({"query_features": FEATURES[QUERY] * np.nan}, "must be finite"),
        ({"query_codes": CODES[:0]}, "must not be empty"),
        ({"neighbors": 0}, "`neighbors` must be"),
        ({"ranks": [0]}, "`ranks` must be"),
    ],
)
def test_refuses(changed, message):
    given = {
        "query_codes": CODES[QUERY],
        "database_codes": CODES[DATABASE],
        "query_features": FEATURES[QUERY],
        "database_features": FEATURES[DATABASE],
        "bits": BITS,
    }
    with pytest.raises(ValueError, match=message):
        evaluate_neighbors(**{**given, **changed})
