import csv
import dataclasses
import json

import pytest

from hashnet_tf.methods import METHODS
from hashnet_tf.reproduction import Row
from hashnet_tf.reproduction.table_files import markdown, write_tables
from hashnet_tf.retrieval.presets import PRESETS

ABOUT = {"title": "A table", "settings": {"data": "digits"}}


def cells_of(text, system, table=0):
    """Cells of a system's lines of one of the tables of a Markdown text."""
    lines = text.split("\n\n")[-2:][table].splitlines()
    split = [line.strip("| ").split(" | ") for line in lines]
    return [line[1:] for line in split if line[0] == system]


def head_of(text, table=0):
    return text.split("\n\n")[-2:][table].splitlines()[0]


def mean_and_spread(values):
    mean = sum(values) / len(values)
    return f"{mean:.4f} ± {(max(values) - min(values)) / 2:.4f}"


def test_one_row_a_system(row_of):
    rows = [
        row_of("hashnet", 16, 0.5),
        row_of("hashnet", 32, 0.6),
        row_of("itq", 16),
        row_of("itq", 32, 0.4),
    ]
    text = markdown(rows, "A table")
    assert text.startswith("# A table\n")
    assert head_of(text) == (
        "| system | 16 bits, tie-aware | 16 bits, thuml-caffe | 16 bits, paper"
        " | 32 bits, tie-aware | 32 bits, thuml-caffe | 32 bits, paper |"
    )
    for system, papers in ("HashNet", "0.5000 0.6000"), ("ITQ", "- 0.4000"):
        (cells,) = cells_of(text, system)
        expected = []
        of_system = [row for row in rows if row.method.title == system]
        for row, paper in zip(of_system, papers.split(), strict=True):
            reports = [result.report for result in row.results.values()]
            expected += [
                mean_and_spread([report.map for report in reports]),
                mean_and_spread(
                    [report.presets["thuml-caffe"] for report in reports]
                ),
                paper,
            ]
        assert cells == expected


def test_the_paper_is_left_out_where_it_has_nothing(row_of):
    assert "paper |" not in head_of(markdown([row_of("itq")], ""))


def test_the_cost_of_each_cell(row_of, result_of):
    results = {
        0: result_of(0, seconds=1.0, peak_memory_mb=900.0),
        1: result_of(1, seconds=2.5, peak_memory_mb=1000.0),
    }
    text = markdown([Row(METHODS["itq"], 16, results), row_of("lsh")], "")
    assert head_of(text, 1) == (
        "| system | bits | bytes an item | deephash | P@H<=2 | empty balls"
        " | P@100 | J | L | gap | seconds a cell | peak MB a cell |"
    )
    (line,) = cells_of(text, "ITQ", 1)
    bits, size, deephash, radius2, empty, at_100, *training = line[:-2]
    seconds, peak = line[-2:]
    reports = [result.report for result in results.values()]
    assert (bits, size) == ("16", "2")
    assert deephash == mean_and_spread([r.presets["deephash"] for r in reports])
    assert radius2 == mean_and_spread([r.ball_precision[2] for r in reports])
    assert empty == mean_and_spread([r.empty_balls[2] for r in reports])
    assert at_100 == mean_and_spread([r.precision_at[100] for r in reports])
    assert training == ["-", "-", "-"]
    assert (seconds, peak) == ("1.8 ± 0.8", "950 ± 50")


def test_the_training_of_a_deep_cell(result_of):
    measured = [{"J": 0.5, "L": 0.75, "gap": 0.1}, {"J": 1, "L": 1, "gap": 0.2}]
    results = {
        seed: dataclasses.replace(result_of(seed), training=training)
        for seed, training in enumerate(measured)
    }
    text = markdown([Row(METHODS["hashnet"], 16, results)], "")
    (line,) = cells_of(text, "HashNet", 1)
    assert line[6:9] == [
        "0.7500 ± 0.2500",
        "0.8750 ± 0.1250",
        "0.1500 ± 0.0500",
    ]


def test_real_distances_have_no_ball_and_bytes_of_their_own(
    row_of, real_result, tmp_path
):
    rows = [row_of("itq"), Row(METHODS["floats"], 16, {0: real_result})]
    ((bits, size, deephash, radius2, *_),) = cells_of(
        markdown(rows, ""), "Floats", 1
    )
    report = real_result.report
    assert (bits, size, radius2) == ("16", "5120", "-")
    assert deephash == f"{report.presets['deephash']:.4f}"
    (maps,) = cells_of(markdown(rows, ""), "Floats")
    assert maps[0] == f"{report.map:.4f}"
    written = write_tables(rows, tmp_path / "table_1", ABOUT)
    with written[1].open(newline="") as file:
        _, line = csv.DictReader(file)
    assert line["precision_radius2_mean"] == ""
    assert line["bytes_per_item_mean"] == "5120.0"
    _, row = json.loads(written[2].read_text("utf-8"))["rows"]
    nothing = {"mean": None, "spread": None, "values": []}
    assert row["precision_radius2"] == nothing
    assert row["bytes_per_item"]["values"] == [5120]


def test_what_stands_above(row_of):
    text = markdown([row_of("itq")], "", ["ksh-16bits-seed0: too few."])
    assert "MAP@50, mean over the seeds 0, 1 ± half the range; the" in text
    for name in ("tie-aware", "thuml-caffe"):
        assert PRESETS[name].rule in text
    assert "- Drawn by hand; seed 0.\n- Drawn by hand; seed 1.\n" in text
    assert "- The shallow systems see pixels.\n" in text
    assert "- Not made: ksh-16bits-seed0: too few.\n" in text
    deep = markdown([row_of("hashnet")], "")
    assert "shallow" not in deep and "Not made" not in deep


def test_one_seed_has_no_spread(row_of):
    text = markdown([row_of("itq", seeds=(4,))], "")
    assert "±" not in "".join(cells_of(text, "ITQ")[0])


def test_what_is_missing_is_a_dash():
    rows = [Row(METHODS["itq"], 16, {}, 0.25)]
    assert cells_of(markdown(rows, ""), "ITQ") == [["-", "-", "0.2500"]]
    assert cells_of(markdown(rows, ""), "ITQ", 1) == [["16"] + ["-"] * 10]


def test_the_files_hold_the_numbers(row_of, tmp_path):
    rows = [row_of("hashnet", 16, 0.5), Row(METHODS["itq"], 16, {})]
    path = tmp_path / "new" / "table_1"
    written = write_tables(rows, path, ABOUT, ["a: b"])
    assert [each.name for each in written] == [
        "table_1.md",
        "table_1.csv",
        "table_1.json",
    ]
    assert sorted(path.parent.iterdir()) == sorted(written)
    text = written[0].read_text("utf-8")
    assert text == markdown(rows, "A table", ["a: b"])
    with written[1].open(newline="") as file:
        first, second = csv.DictReader(file)
    values = json.loads(written[2].read_text("utf-8"))
    assert values["settings"] == {"data": "digits"}
    assert values["failed"] == ["a: b"]
    assert values["protocols"] == [f"Drawn by hand; seed {k}." for k in (0, 1)]
    maps = [result.report.map for result in rows[0].results.values()]
    mean, spread = sum(maps) / 2, abs(maps[0] - maps[1]) / 2
    assert float(first["tie-aware_mean"]) == pytest.approx(mean, abs=1e-15)
    assert float(first["tie-aware_spread"]) == pytest.approx(spread, abs=1e-15)
    assert (first["method"], first["seeds"]) == ("hashnet", "2")
    assert (first["paper"], second["paper"]) == ("0.5", "")
    assert (second["seeds"], second["tie-aware_mean"]) == ("0", "")
    measured, empty = values["rows"]
    assert measured["tie-aware"]["values"] == maps
    assert measured["seeds"] == [0, 1]
    assert empty["tie-aware"] == {"mean": None, "spread": None, "values": []}
