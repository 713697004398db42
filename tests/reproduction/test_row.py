import dataclasses

from hashnet_tf.methods import METHODS
from hashnet_tf.reproduction import Row


def test_mean_and_half_the_range(result_of):
    results = {seed: result_of(seed) for seed in range(3)}
    row = Row(METHODS["itq"], 16, results)
    reports = [result.report for result in results.values()]
    of = {
        "tie-aware": [report.map for report in reports],
        "thuml-caffe": [report.presets["thuml-caffe"] for report in reports],
        "deephash": [report.presets["deephash"] for report in reports],
        "precision_radius2": [report.ball_precision[2] for report in reports],
    }
    for measure, (a, b, c) in of.items():
        assert a != b != c != a
        assert row.values(measure) == [a, b, c]
        assert abs(row.mean(measure) - (a + b + c) / 3) < 1e-12
        low, _, high = sorted([a, b, c])
        assert abs(row.spread(measure) - (high - low) / 2) < 1e-12


def test_what_is_not_known_does_not_count(result_of):
    first, second = result_of(0), result_of(1, seconds=4.0)
    first = dataclasses.replace(first, seconds=None)
    row = Row(METHODS["itq"], 16, {0: first, 1: second})
    assert (row.mean("seconds"), row.spread("seconds")) == (4.0, 0.0)
    empty = Row(METHODS["itq"], 16, {})
    assert (empty.mean("seconds"), empty.spread("seconds")) == (None, None)
