import importlib
import json
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import pytest
from PIL import Image

from hashnet_tf._files import only_writer
from hashnet_tf.reproduction import TABLES, Cell, processes, reproduce
from hashnet_tf.reproduction.job import run_cell_in_turn, train_cell
from hashnet_tf.reproduction.shared import prepare

SYSTEMS = ["hashnet", "hashnet-sgn", "itq"]


@pytest.fixture(scope="module")
def made(config_of, tmp_path_factory):
    """Table 3 with ITQ, of two lengths and one seed: its folder and paths."""
    out = tmp_path_factory.mktemp("reproduction") / "out"
    return out, reproduce(out, config_of(), 3, (12, 16), SYSTEMS, 1)


def cells_run(called):
    return [
        arguments[0].name for work, *arguments in called if work is not prepare
    ]


@pytest.mark.slow
def test_all_files_are_there(made):
    out, paths = made
    drawn = out / "figures" / "table_3"
    names = [
        "precision_radius2",
        "map",
        "empty_balls",
        "precision_at_recall",
        "precision_at",
        "neighbours-hashnet",
        "tsne-hashnet",
        "neighbours-hashnet-sgn",
        "tsne-hashnet-sgn",
        "losses",
        "distances",
        "code_histogram",
    ]
    assert paths == [
        *(out / f"table_3.{ending}" for ending in ("md", "csv", "json")),
        *(drawn / f"{name}.png" for name in names),
    ]
    assert all(path.stat().st_size for path in paths)
    assert {path.name for path in (out / "cells").iterdir()} == {
        f"{name}-{bits}bits-seed0" for name in SYSTEMS for bits in (12, 16)
    }
    with drawn.joinpath("code_histogram.csv").open() as table:
        assert table.readline() == "from,to,HashNet,HashNet-sgn\n"
    losses = drawn.joinpath("losses.csv").read_text().splitlines()
    assert {line.split(",")[0] for line in losses[1:]} == {
        "HashNet",
        "HashNet-sgn",
    }


@pytest.mark.slow
def test_the_table_is_that_of_the_cells(made):
    out, paths = made
    values = json.loads(paths[2].read_text("utf-8"))
    assert len(values["rows"]) == 6
    assert values["failed"] == []
    for row in values["rows"]:
        folder = f"{row['method']}-{row['bits']}bits-seed0"
        text = (out / "cells" / folder / "cell.json").read_text("utf-8")
        cell = json.loads(text)
        report = cell["report"]
        assert row["paper"] is None
        assert row["tie-aware"]["mean"] == report["map"]
        assert row["precision_radius2"]["mean"] == report["precision_radius2"]
        for preset in ("thuml-caffe", "deephash"):
            assert row[preset]["mean"] == report["presets"][preset]
        for cost in ("seconds", "peak_memory_mb"):
            assert row[cost] == {
                "mean": cell[cost],
                "spread": 0,
                "values": [cell[cost]],
            }


@pytest.mark.slow
def test_a_finished_cell_is_not_run_again(made, config_of, in_this_process):
    out, paths = made
    tables = [path.read_bytes() for path in paths[:3]]
    in_this_process.clear()
    assert reproduce(out, config_of(), 3, (12, 16), SYSTEMS, 1) == paths
    assert in_this_process == []
    assert [path.read_bytes() for path in paths[:3]] == tables


@pytest.mark.slow
def test_only_what_is_missing_or_damaged_is_run(
    made, config_of, in_this_process, tmp_path
):
    out, paths = made
    before = json.loads(paths[2].read_text("utf-8"))["rows"]
    path = out / "cells" / "itq-12bits-seed0" / "cell.json"
    text = path.read_text("utf-8")
    path.write_text(text[:-40], "utf-8")
    in_this_process.clear()
    reproduce(out, config_of(), 3, (12, 16), SYSTEMS, 1)
    assert cells_run(in_this_process) == ["itq-12bits-seed0"]
    after = json.loads(paths[2].read_text("utf-8"))["rows"]
    for measure in ("tie-aware", "thuml-caffe", "deephash"):
        assert [row[measure] for row in before] == [
            row[measure] for row in after
        ]


@pytest.mark.slow
def test_tables_share_cells(made, config_of, in_this_process):
    out, _ = made
    in_this_process.clear()
    reproduce(out, config_of(), 1, (12,), ["hashnet", "lsh"], 1)
    assert cells_run(in_this_process) == ["lsh-12bits-seed0"]
    assert (out / "table_1.md").exists() and (out / "table_3.md").exists()


@pytest.mark.slow
def test_other_settings_are_refused_before_anything_is_run(
    made, config_of, in_this_process
):
    out, _ = made
    in_this_process.clear()
    with pytest.raises(ValueError, match="Received: epochs=2 instead of 1$"):
        reproduce(out, config_of(epochs=2), 3, (12, 24), SYSTEMS, 1)
    assert in_this_process == []


@pytest.mark.parametrize(
    "table, changes, received",
    [
        (1, {"bits": ()}, r"bits=\(\), seeds=1"),
        (1, {"bits": (0, 12)}, r"bits=\(0, 12\), seeds=1"),
        (1, {"seeds": 0}, r"bits=\(12,\), seeds=0"),
        (1, {"methods": ["other"]}, "other"),
        (2, {}, "table=2, unseen_classes=None"),
        (5, {}, "table=5"),
    ],
)
def test_bad_arguments(table, changes, received, config_of, tmp_path):
    arguments = {"bits": (12,), "methods": ["lsh"], "seeds": 1, **changes}
    with pytest.raises(ValueError, match=f"Received: {received}$"):
        reproduce(tmp_path / "out", config_of(), table, **arguments)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_unseen_classes_are_for_table_2(config_of, tmp_path):
    base = config_of(unseen_classes=3)
    with pytest.raises(ValueError, match="table=1, unseen_classes=3$"):
        reproduce(tmp_path, base, 1, (12,), ["lsh"], 1)
    reproduce(tmp_path, base, 2, (12,), ["lsh"], 2)
    values = json.loads((tmp_path / "table_2.json").read_text("utf-8"))
    assert len(values["protocols"]) == 2
    assert all("3 of 10 classes" in text for text in values["protocols"])


def write_lists(folder):
    """Writes 60 images of 4 labels, of which 40 are trained on."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    lines = []
    for i in range(60):
        pixels = rng.integers(0, 256, (8, 8, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{i:02}.png")
        row = rng.integers(0, 2, 4)
        row[i % 4] = 1
        lines.append(f"{i:02}.png {' '.join(map(str, row))}")
    parts = {"train": lines[:40], "query": lines[40:], "database": lines[:40]}
    for part, chosen in parts.items():
        (folder / f"{part}.txt").write_text("\n".join(chosen), "utf-8")


@pytest.mark.slow
def test_images_of_several_labels(config_of, tmp_path):
    write_lists(tmp_path / "lists")
    base = config_of(
        data=f"lists:{tmp_path / 'lists'}", train_per_class=None, batch_size=10
    )
    methods = ["hashnet", "ksh", "itq-cca"]
    paths = reproduce(tmp_path / "out", base, 1, (12,), methods, 1)
    values = json.loads(paths[2].read_text("utf-8"))
    assert all(0 < row["tie-aware"]["mean"] < 1 for row in values["rows"])
    # A point of Figure 6 has one color, so one class.
    assert [path.name for path in paths[3:]] == [
        "precision_radius2.png",
        "map.png",
        "empty_balls.png",
        "precision_at_recall.png",
        "neighbours-hashnet.png",
        "losses.png",
        "distances.png",
    ]


@pytest.mark.parametrize("data", ["other", "folder:missing"])
def test_data_at_fault_stop_before_the_first_cell(
    data, config_of, in_this_process, tmp_path
):
    in_this_process.clear()
    with pytest.raises(ValueError, match=data):
        reproduce(tmp_path, config_of(data=data), 1, (12,), ["lsh", "itq"], 1)
    assert cells_run(in_this_process) == []


@pytest.mark.slow
def test_a_cell_that_fails_does_not_stop_the_others(config_of, tmp_path):
    with pytest.raises(
        ValueError, match=r"1 cells could not .* Received: itq-300bits-seed0: "
    ):
        # There are 192 values in an image.
        reproduce(tmp_path, config_of(), 1, (300,), ["itq", "lsh"], 1)
    values = json.loads((tmp_path / "table_1.json").read_text("utf-8"))
    (failed,) = values["failed"]
    assert failed.startswith("itq-300bits-seed0: ")
    assert [row["seeds"] for row in values["rows"]] == [[], [0]]


def test_pq_of_half_a_byte_is_told_in_the_table(config_of, tmp_path):
    pytest.importorskip("faiss")
    with pytest.raises(ValueError, match="pq-12bits-seed0: `bits` must be a"):
        reproduce(tmp_path, config_of(), 1, (12,), ["pq"], 1)


@pytest.mark.slow
def test_a_library_that_is_missing_fails_its_cell_alone(
    config_of, tmp_path, monkeypatch
):
    def call(self, work, cell, *others):
        if work is run_cell_in_turn and cell.method.name == "itq":
            raise ImportError("itq wants a library")
        return work(cell, *others)

    monkeypatch.setattr(processes.OwnProcess, "call", call)
    with pytest.raises(ValueError, match="itq-12bits-seed0: itq wants a lib"):
        reproduce(tmp_path, config_of(), 1, (12,), ["itq", "lsh"], 1)
    values = json.loads((tmp_path / "table_1.json").read_text("utf-8"))
    assert [row["seeds"] for row in values["rows"]] == [[], [0]]


@pytest.mark.slow
def test_a_method_that_cannot_be_chosen_is_told(
    config_of, tmp_path, monkeypatch
):
    module = importlib.import_module("hashnet_tf.reproduction.table")
    monkeypatch.setattr(module, "choose", lambda *arguments: {})
    with pytest.raises(ValueError, match="csq at 12 bits: no try of it could"):
        reproduce(tmp_path, config_of(), 1, (12,), ["csq", "lsh"], 1, 30)
    values = json.loads((tmp_path / "table_1.json").read_text("utf-8"))
    assert [row["method"] for row in values["rows"]] == ["lsh"]
    told = "csq at 12 bits: no try of it could be trained"
    assert values["failed"] == [told]


@pytest.mark.slow
def test_a_killed_table_goes_on(config_of, tmp_path, monkeypatch):
    calls = []

    def killed(self, work, *arguments):
        calls.append(arguments[0])
        if len(calls) == 3:
            raise KeyboardInterrupt
        return work(*arguments)

    monkeypatch.setattr(processes.OwnProcess, "call", killed)
    arguments = (tmp_path, config_of(), 1, (12,), ["lsh", "itq", "sh"], 1)
    with pytest.raises(KeyboardInterrupt):
        reproduce(*arguments)
    # The table so far is there.
    values = json.loads((tmp_path / "table_1.json").read_text("utf-8"))
    assert [row["seeds"] for row in values["rows"]] == [[0], [], []]
    calls.clear()
    with monkeypatch.context() as patch:
        patch.setattr(
            processes.OwnProcess,
            "call",
            lambda _, work, *a: calls.append(a[0]) or work(*a),
        )
        reproduce(*arguments)
    names = [cell.name for cell in calls if isinstance(cell, Cell)]
    assert names == ["itq-12bits-seed0", "sh-12bits-seed0"]


@pytest.mark.parametrize(
    "data, paper", [("imagenet100:DIR", 0.5059), ("digits", None)]
)
def test_the_papers_values_stand_beside_the_papers_data(
    data, paper, config_of, result_of, in_this_process, tmp_path
):
    base = config_of(data=data, train_per_class=None)
    for method in TABLES[1][4:]:
        Cell.of(tmp_path, base, method, 16, 0).finish(result_of(0))
    in_this_process.clear()
    reproduce(tmp_path, base, 1, (16,), TABLES[1][4:], 1)
    assert in_this_process == []
    values = json.loads((tmp_path / "table_1.json").read_text("utf-8"))
    papers = [row["paper"] for row in values["rows"]]
    if paper is None:
        assert papers == [None] * 7
    else:
        assert papers == [
            0.2985,
            0.1599,
            0.2659,
            0.3255,
            0.0628,
            0.2066,
            0.1007,
        ]


def test_which_cells_share_a_process(config_of, monkeypatch, tmp_path):
    log = []

    class Told(processes.OwnProcess):
        def call(self, work, cell, *others):
            log.append(cell.name.partition("-")[0])

        def end(self):
            log.append("end")

    monkeypatch.setattr(processes, "OwnProcess", Told)
    monkeypatch.setattr(processes, "AT_ONCE", 2)
    names = ("hashnet", "lsh", "itq", "sh", "csq", "dhn")
    cells = [Cell.of(tmp_path, config_of(), name, 12, 0) for name in names]
    assert processes.make_cells(cells, tmp_path) == []
    assert log == ("hashnet end lsh itq end sh end csq end dhn end".split())


def test_a_second_command_is_refused(config_of, tmp_path):
    with (
        only_writer(tmp_path),
        pytest.raises(OSError, match=f"{tmp_path}.* process"),
    ):
        reproduce(tmp_path, config_of(), 1, (12,), ["lsh"], 1)


@pytest.mark.slow
def test_a_network_that_cannot_be_drawn_does_not_hide_the_rest(
    config_of, weights_file, monkeypatch, tmp_path
):
    def call(self, work, cell, *others):
        if work is train_cell:
            raise BrokenProcessPool("out of memory")
        return work(cell, *others)

    monkeypatch.setattr(processes.OwnProcess, "call", call)
    base = config_of(weights=weights_file, freeze_backbone=True)
    with pytest.raises(ValueError, match="hashnet-12bits-seed0: out of memory"):
        reproduce(tmp_path, base, 1, (12,), ["hashnet", "lsh"], 1)
    values = json.loads((tmp_path / "table_1.json").read_text("utf-8"))
    assert [row["seeds"] for row in values["rows"]] == [[0], [0]]
    assert values["failed"] == ["hashnet-12bits-seed0: out of memory"]
