"""That what learns beats what is drawn by chance."""

import pytest
from sklearn.datasets import load_digits

from hashnet_tf.retrieval import evaluate
from hashnet_tf.shallow import BRE, ITQ, ITQCCA, KSH, LSH, SDH

SEEDS = range(3)
QUERIES, ITEMS = 200, 800


def scores(make):
    data = load_digits()
    x, labels = data.data[:ITEMS], data.target[:ITEMS]
    found = []
    for seed in SEEDS:
        rival = make(seed).fit(x[QUERIES:], labels[QUERIES:])
        report = evaluate(
            rival.encode(x[:QUERIES]),
            rival.encode(x[QUERIES:]),
            labels[:QUERIES],
            labels[QUERIES:],
            bits=rival.bits,
            file_order=False,
        )
        found.append(report.map)
    return found


@pytest.fixture(
    scope="module", params=[16, pytest.param(32, marks=pytest.mark.slow)]
)
def by_chance(request):
    bits = request.param
    return bits, max(scores(lambda seed: LSH(bits, seed)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "rival, settings",
    [
        (BRE, {"samples": 400, "rounds": 15}),
        (ITQ, {"rounds": 20}),
        (ITQCCA, {}),
        (KSH, {"anchors": 40, "samples": 100}),
        (SDH, {"anchors": 100}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_beats_random_hyperplanes(rival, settings, by_chance):
    bits, best = by_chance
    learned = scores(lambda seed: rival(bits, seed=seed, **settings))
    assert min(learned) > best
