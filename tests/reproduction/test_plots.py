import csv
import dataclasses

import numpy as np
import pytest

from hashnet_tf.methods import METHODS
from hashnet_tf.reproduction import Row
from hashnet_tf.reproduction.paper import paper_curve
from hashnet_tf.reproduction.plots import _classes, draw_curves


def curves_of(path):
    """Curves by name from the table beside a figure."""
    curves = {}
    with path.with_suffix(".csv").open(newline="") as file:
        header, *lines = csv.reader(file)
    for name, x, value in lines:
        curves.setdefault(name, {})[float(x)] = float(value)
    return curves


def test_the_means_at_the_most_bits(row_of, tmp_path):
    rows = [row_of(name, k) for name in ("hashnet", "itq") for k in (16, 32)]
    paths = draw_curves(rows, tmp_path)
    assert [path.name for path in paths] == [
        "precision_radius2.png",
        "map.png",
        "empty_balls.png",
        "precision_at_recall.png",
        "precision_at.png",
    ]
    radius2, found, empty, recall, at = map(curves_of, paths)
    assert list(radius2) == list(recall) == list(at) == ["HashNet", "ITQ"]
    for row in rows:
        reports = [result.report for result in row.results.values()]
        here = [report.precision_radius2 for report in reports]
        for drawn, values in (
            (radius2, here),
            (found, [report.map for report in reports]),
            (empty, [report.empty_balls[2] for report in reports]),
        ):
            assert drawn[row.method.title][row.bits] == pytest.approx(
                np.mean(values)
            )
        if row.bits == 32:
            for drawn, name in (
                (recall, "precision_at_recall"),
                (
                    at,
                    "precision_at",
                ),
            ):
                curves = [getattr(report, name) for report in reports]
                assert drawn[row.method.title] == {
                    x: pytest.approx(np.mean([curve[x] for curve in curves]))
                    for x in curves[0]
                }


@pytest.mark.parametrize("bits", [32, 64])
def test_the_paper_is_drawn_where_it_can_be_compared(bits, row_of, tmp_path):
    rows = [row_of("hashnet", bits)]
    paths = draw_curves(rows, tmp_path, "MS COCO")
    for path in paths:
        measure, paper = path.stem, curves_of(path).get("HashNet (paper)")
        # The paper's curves over recall and N are of 64 bits.
        if measure == "precision_radius2" or bits == 64:
            assert paper == paper_curve(measure, "MS COCO")
        else:
            assert paper is None


def test_other_data_have_no_paper(row_of, tmp_path):
    for path in draw_curves([row_of("hashnet", 64)], tmp_path, None):
        assert list(curves_of(path)) == ["HashNet"]


def test_what_is_not_measured_is_left_out(row_of, tmp_path):
    empty = Row(METHODS["itq"], 64, {})
    assert draw_curves([empty], tmp_path) == []
    paths = draw_curves([empty, row_of("lsh", 16)], tmp_path)
    assert [list(curves_of(path)) for path in paths] == [["LSH"]] * 5


def test_databases_of_other_sizes_share_what_both_have(result_of, tmp_path):
    first, second = result_of(0), result_of(1)
    at = {100: 0.5, 200: 0.25}
    report = dataclasses.replace(second.report, precision_at=at)
    second = dataclasses.replace(second, report=report)
    row = Row(METHODS["itq"], 16, {0: second, 1: first})
    path = draw_curves([row], tmp_path)[-1]
    mean = (0.5 + first.report.precision_at[100]) / 2
    assert curves_of(path) == {"ITQ": {100: pytest.approx(mean)}}


def test_a_small_database_has_no_precision_at_100(result_of, tmp_path):
    result = result_of(0)
    report = dataclasses.replace(result.report, precision_at={})
    row = Row(
        METHODS["itq"], 16, {0: dataclasses.replace(result, report=report)}
    )
    names = [path.name for path in draw_curves([row], tmp_path)]
    assert "precision_at_recall.png" in names
    assert "precision_at.png" not in names


def test_real_distances_are_not_drawn_within_a_radius(
    row_of, real_result, tmp_path
):
    floats = Row(METHODS["floats"], 16, {0: real_result})
    drawn = draw_curves([row_of("itq"), floats], tmp_path)
    names = {path.stem: list(curves_of(path)) for path in drawn}
    both = ["ITQ", "Floats"]
    assert names == {
        "precision_radius2": ["ITQ"],
        "map": both,
        "empty_balls": ["ITQ"],
        "precision_at_recall": both,
        "precision_at": both,
    }
    names = [path.stem for path in draw_curves([floats], tmp_path)]
    assert names == ["map", "precision_at_recall", "precision_at"]


def test_classes():
    ids = np.array([2, -1, 0])
    assert _classes(ids).tolist() == [2, -1, 0]
    one = np.array([[0, 0, 1], [0, 0, 0], [1, 0, 0]], np.uint8)
    assert _classes(one).tolist() == [2, -1, 0]
    assert _classes(np.array([[0, 1, 1]], np.uint8)) is None
