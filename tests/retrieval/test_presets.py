"""Each rule against a transcription of its own, from its description."""

import numpy as np
import pytest

from hashnet_tf.retrieval import PRESETS, evaluate, pack
from hashnet_tf.retrieval.presets import preset_map


def ranked(query, items, labels, query_label, at):
    """Relevance in the order of distance, ties by position, cut at R."""
    order = sorted(
        range(len(items)), key=lambda j: (int(np.sum(query != items[j])), j)
    )
    return [bool((labels[j] & query_label).any()) for j in order[:at]]


def over_hits(hits):
    places = [place for place, hit in enumerate(hits, start=1) if hit]
    return np.mean([(k + 1) / place for k, place in enumerate(places)])


def thuml_caffe(queries, items, query_labels, labels, at):
    values = []
    for query, label in zip(queries, query_labels, strict=True):
        if not (labels & label).any():
            continue
        hits = ranked(query, items, labels, label, at)
        values.append(over_hits(hits) if any(hits) else 0.0)
    return np.mean(values)


def thuml_pytorch(queries, items, query_labels, labels, at):
    values = []
    for query, label in zip(queries, query_labels, strict=True):
        hits = ranked(query, items, labels, label, at)
        if any(hits):
            values.append(over_hits(hits))
    return np.mean(values)


def deephash(queries, items, query_labels, labels, at):
    total = 0.0
    for query, label in zip(queries, query_labels, strict=True):
        hits = ranked(query, items, labels, label, at)
        if any(hits):
            total += over_hits(hits)
    return total / len(queries)


TRANSCRIBED = {
    "thuml-caffe": thuml_caffe,
    "thuml-pytorch": thuml_pytorch,
    "deephash": deephash,
}


@pytest.fixture(scope="module", params=[2, 6, 24])
def case(request):
    """Codes with many ties, labels with queries that have no answer."""
    bits = request.param
    rng = np.random.default_rng(bits)
    labels = (rng.random((60, 8)) < 0.12).astype(int)
    query_labels = (rng.random((25, 8)) < 0.15).astype(int)
    query_labels[0] = 0
    labels[:, 7] = 0
    query_labels[1] = np.eye(8, dtype=int)[7]
    # One relevant item, as far from its query as can be.
    labels[:, 6] = 0
    labels[59, 6] = 1
    query_labels[2] = np.eye(8, dtype=int)[6]
    queries = rng.choice([-1, 1], size=(25, bits))
    items = rng.choice([-1, 1], size=(60, bits))
    items[59] = -queries[2]
    return queries, items, query_labels, labels, bits


@pytest.mark.parametrize("name", TRANSCRIBED)
@pytest.mark.parametrize("at", [1, 5, 20, 60])
def test_file_order_rules(case, name, at):
    queries, items, query_labels, labels, bits = case
    report = evaluate(
        pack(queries), pack(items), query_labels, labels, bits, at
    )
    expected = TRANSCRIBED[name](queries, items, query_labels, labels, at)
    assert report.presets[name] == pytest.approx(expected, abs=1e-13)


def test_the_rules_differ(case):
    queries, items, query_labels, labels, bits = case
    report = evaluate(
        pack(queries), pack(items), query_labels, labels, bits, at=20
    )
    assert len({round(value, 6) for value in report.presets.values()}) == 4
    assert report.unlabelled_queries >= 1
    assert report.queries_without_relevant > report.unlabelled_queries


def test_an_unstable_sort_where_order_cannot_matter():
    # All distances differ, so that any sort gives one ranking.
    rng = np.random.default_rng(0)
    bits = 40
    items = np.where(np.tri(41, 40, -1) > 0, 1, -1)
    labels = np.eye(3, dtype=int)[rng.integers(0, 3, 41)]
    query = -np.ones((1, bits))
    similarity = items @ query[0]
    order = np.argsort(-similarity)
    hits = (labels[order] @ labels[0] > 0)[:15]
    expected = over_hits(hits)
    report = evaluate(
        pack(query), pack(items.astype(float)), labels[:1], labels, bits, 15
    )
    for name in TRANSCRIBED:
        assert report.presets[name] == pytest.approx(expected)


def test_every_preset_tells_its_rule():
    assert list(PRESETS) == ["tie-aware", *TRANSCRIBED]
    assert len({preset.rule for preset in PRESETS.values()}) == 4


def test_nothing_counts():
    none = np.zeros(2)
    assert preset_map("thuml-pytorch", none, none, none > 0) == 0.0


def test_refuses_an_unknown_name():
    one = np.ones(1)
    with pytest.raises(ValueError, match="Received: preset='thuml'"):
        preset_map("thuml", one, one, one > 0)
