"""That what learns beats what is drawn by chance."""

import pytest
from sklearn.datasets import load_digits

from hashnet_tf.retrieval import evaluate
from hashnet_tf.shallow import BRE, ITQ, ITQCCA, KSH, LSH, SDH

SEEDS = range(3)
QUERIES = 300


def scores(make):
    data = load_digits()
    x, labels = data.data, data.target
    found = []
    for seed in SEEDS:
        rival = make(seed).fit(x[QUERIES:], labels[QUERIES:])
        report = evaluate(
            rival.encode(x[:QUERIES]),
            rival.encode(x[QUERIES:]),
            labels[:QUERIES],
            labels[QUERIES:],
            bits=rival.bits,
        )
        found.append(report.map)
    return found


@pytest.fixture(scope="module", params=[16, 32])
def by_chance(request):
    bits = request.param
    return bits, max(scores(lambda seed: LSH(bits, seed)))


@pytest.mark.parametrize(
    "rival, settings",
    [
        (BRE, {"samples": 600, "rounds": 30}),
        (ITQ, {}),
        (ITQCCA, {}),
        (KSH, {"anchors": 60, "samples": 200}),
        (SDH, {"anchors": 300}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_beats_random_hyperplanes(rival, settings, by_chance):
    bits, best = by_chance
    learned = scores(lambda seed: rival(bits, seed=seed, **settings))
    assert min(learned) > best
