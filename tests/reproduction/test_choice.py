import dataclasses
import importlib
import json

import numpy as np
import pytest

from hashnet_tf.methods import METHODS
from hashnet_tf.reproduction import Cell, reproduce
from hashnet_tf.reproduction.choice import SEEDS, choose, tries_of
from hashnet_tf.runs.networks import build_pairwise_loss

DEEP = [method for method in METHODS.values() if method.is_deep]


def test_each_deep_method_has_as_many_tries():
    for method in DEEP:
        tries = tries_of(method, 1e-4)
        assert len(tries) == 6
        assert len({json.dumps(tried) for tried in tries}) == 6


@pytest.mark.parametrize("bits", [8, 16, 64])
def test_each_try_is_a_cell_of_any_length(bits, config_of, tmp_path):
    # As where a recipe waits for the loss to stand still.
    base = config_of(schedule="staged", patience=2)
    for method in DEEP:
        for tried in tries_of(method, base.learning_rate):
            cell = Cell.of(tmp_path, base, method.name, bits, 0, tried)
            assert cell.config.learning_rate == tried["learning_rate"]
            assert (cell.config.patience is None) == (cell.config.beta == 1)
            loss = build_pairwise_loss(cell.config, np.array([0, 0, 1]))
            assert loss.radius is None or loss.radius <= bits / 2


def finish(out, base, method, scores, result_of, validation=30, bits=12):
    """Writes a result of each try and seed, by (MAP, P@H<=2) of each."""
    base = dataclasses.replace(base, validation=validation)
    tries = tries_of(METHODS[method], base.learning_rate)
    for number, tried in enumerate(tries[: len(scores)]):
        for seed in SEEDS:
            cell = Cell.of(
                out / f"try{number}", base, method, bits, seed, tried
            )
            result = result_of(seed, bits)
            mean, within = scores[number][seed]
            report = dataclasses.replace(
                result.report,
                presets={**result.report.presets, "tie-aware": mean},
                ball_precision=[0.0, 0.0, within, *[0.0] * 10],
            )
            cell.finish(dataclasses.replace(result, report=report))


LOW = [(0.2, 0.2), (0.2, 0.2)]


def test_the_best_of_both_measures_is_chosen(
    config_of, result_of, in_this_process, tmp_path
):
    base = config_of(train_per_class=None)
    # The third has the highest MAP, the fourth the highest P@H<=2, the second
    # the highest mean of both over the seeds.
    scores = [
        LOW,
        [(0.5, 0.6), (0.5, 0.4)],
        [(0.8, 0.1), (0.8, 0.1)],
        [(0.1, 0.8), (0.1, 0.8)],
    ]
    finish(tmp_path, base, "dch", [*scores, LOW, LOW], result_of)
    # Of equals the first.
    finish(tmp_path, base, "hashnet", [LOW] * 6, result_of)
    in_this_process.clear()
    methods = [METHODS[name] for name in ("dch", "itq", "hashnet")]
    chosen = choose(tmp_path, base, methods, 12, 30, tmp_path / "shared")
    assert in_this_process == []
    assert chosen == {
        "dch": {"learning_rate": base.learning_rate, "gamma": 10.0},
        "hashnet": {"learning_rate": base.learning_rate, "beta": 1.0},
    }
    record = json.loads((tmp_path / "choice.json").read_text("utf-8"))
    assert (record["validation"], record["bits"]) == (30, 12)
    assert [len(tried) for tried in record["tried"].values()] == [6, 6]
    second = record["tried"]["dch"][1]
    assert second["score"] == pytest.approx(0.5)
    assert second["map"] == [0.5, 0.5]
    assert second["precision_radius2"] == [0.6, 0.4]
    # What was chosen of others before stays.
    again = choose(tmp_path, base, methods[:1], 12, 30, tmp_path / "shared")
    assert again == {"dch": chosen["dch"]}
    assert in_this_process == []
    again = json.loads((tmp_path / "choice.json").read_text("utf-8"))
    assert again == record
    with pytest.raises(ValueError, match="Received: validation=40"):
        choose(tmp_path, base, methods, 12, 40, tmp_path / "shared")


def test_what_cannot_be_trained_is_not_chosen(
    config_of, result_of, monkeypatch, tmp_path
):
    base = config_of(train_per_class=None)
    # Of one method the last two fail, of the other all.
    finish(tmp_path, base, "dch", [LOW, LOW, LOW, LOW], result_of)
    module = importlib.import_module("hashnet_tf.reproduction.choice")
    monkeypatch.setattr(module, "prepare_seeds", lambda *arguments: None)
    monkeypatch.setattr(module, "make_cells", lambda *arguments: ["no"])
    methods = [METHODS["dch"], METHODS["csq"]]
    chosen = choose(tmp_path, base, methods, 12, 30, tmp_path / "shared")
    first = {"learning_rate": base.learning_rate, "gamma": 5.0}
    assert chosen == {"dch": first}
    record = json.loads((tmp_path / "choice.json").read_text("utf-8"))
    scores = [one["score"] for one in record["tried"]["dch"]]
    assert scores[4:] == [None, None] and None not in scores[:4]


def test_refuses_validation_images_of_its_own(config_of, tmp_path):
    with pytest.raises(ValueError, match="Received: validation=9"):
        choose(
            tmp_path, config_of(validation=9), [], 12, 30, tmp_path / "shared"
        )


@pytest.mark.slow
def test_a_table_takes_what_was_chosen(
    config_of, in_this_process, monkeypatch, tmp_path
):
    # Half of the tries will do.
    module = importlib.import_module("hashnet_tf.reproduction.choice")
    monkeypatch.setattr(module, "RATES", (1,))
    base = config_of()
    in_this_process.clear()
    reproduce(tmp_path, base, 1, (12,), ["dch", "lsh"], 1, validation=30)
    cells = [cell for _, cell, *_ in in_this_process if type(cell) is Cell]
    tried = [cell for cell in cells if "choice" in cell.folder.parts]
    assert len(tried) == len(cells) - 2 == 6
    assert {cell.config.validation for cell in tried} == {30}
    table = json.loads((tmp_path / "table_1.json").read_text("utf-8"))
    path = tmp_path / "choice" / "12bits" / "choice.json"
    choice = json.loads(path.read_text("utf-8"))
    tries = [one["settings"] for one in choice["tried"]["dch"]]
    (chosen,) = table["chosen"].values()
    assert list(table["chosen"]) == ["dch"] and list(chosen) == ["12"]
    assert chosen["12"] in tries
    text = (tmp_path / "table_1.md").read_text("utf-8")
    assert "- Chosen of dch at 12 bits: learning_rate 0.001, gamma " in text
    (cell,) = (tmp_path / "cells").glob("dch-*/cell.json")
    settings = json.loads(cell.read_text("utf-8"))["settings"]
    assert settings["validation"] is None
    for name, value in chosen["12"].items():
        assert settings[name] == value
    # The same again makes nothing anew.
    in_this_process.clear()
    reproduce(tmp_path, base, 1, (12,), ["dch", "lsh"], 1, validation=30)
    assert in_this_process == []


@pytest.mark.slow
def test_unseen_classes_are_asked_by_what_seen_ones_chose(
    config_of, weights_file, in_this_process, monkeypatch, tmp_path
):
    module = importlib.import_module("hashnet_tf.reproduction.choice")
    monkeypatch.setattr(module, "RATES", (1,))
    base = config_of(weights=weights_file, freeze_backbone=True)
    out, features = tmp_path / "out", tmp_path / "features"
    reproduce(out, base, 1, (12,), ["dch", "lsh"], 1, 30, features)
    kept = sorted(features.rglob("*.npy"))
    # Two seeds of choice share the features of a test with that of them all.
    assert kept and not (out / "shared" / "features").exists()
    in_this_process.clear()
    unseen = dataclasses.replace(base, unseen_classes=3)
    reproduce(out, unseen, 2, (12,), ["dch"], 1, 30, features)
    cells = [cell for _, cell, *_ in in_this_process if type(cell) is Cell]
    assert [cell.name for cell in cells] == ["dch-12bits-seed0-unseen3"]
    one, two = (
        json.loads((out / f"table_{n}.json").read_text("utf-8"))["chosen"]
        for n in (1, 2)
    )
    assert one == two
    assert "Unseen classes" in cells[0].result().protocol


def test_each_length_has_a_choice_of_its_own(
    config_of, result_of, in_this_process, tmp_path
):
    base = config_of(train_per_class=None)
    best = [(0.9, 0.9), (0.9, 0.9)]
    for bits, scores in ((12, [best, LOW, LOW]), (16, [LOW, LOW, best])):
        place = tmp_path / "choice" / f"{bits}bits"
        finish(
            place, base, "dch", [*scores, LOW, LOW, LOW], result_of, bits=bits
        )
    for bits, gamma in ((12, 5.0), (16, 20.0)):
        tried = {"learning_rate": base.learning_rate, "gamma": gamma}
        cell = Cell.of(tmp_path, base, "dch", bits, 0, tried)
        cell.finish(result_of(0, bits))
    in_this_process.clear()
    reproduce(tmp_path, base, 1, (12, 16), ["dch"], 1, validation=30)
    assert in_this_process == []
    table = json.loads((tmp_path / "table_1.json").read_text("utf-8"))
    chosen = table["chosen"]["dch"]
    assert {k: s["gamma"] for k, s in chosen.items()} == {"12": 5, "16": 20}
