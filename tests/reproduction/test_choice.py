import dataclasses
import importlib
import json

import pytest

from hashnet_tf.methods import METHODS
from hashnet_tf.reproduction import Cell, reproduce
from hashnet_tf.reproduction.choice import SEEDS, choose, middle, tries_of

DEEP = [method for method in METHODS.values() if method.is_deep]


def test_each_deep_method_has_as_many_tries():
    for method in DEEP:
        tries = tries_of(method)
        assert len(tries) == 6
        assert len({json.dumps(tried) for tried in tries}) == 6


def test_the_middle_length():
    assert middle([16, 32, 48, 64]) == 48
    assert middle([64, 16]) == 64
    assert middle([12]) == 12


def finish(out, base, method, scores, result_of, validation=30):
    """Writes a result of each try and seed, by (MAP, P@H<=2) of each."""
    base = dataclasses.replace(base, validation=validation)
    for number, tried in enumerate(tries_of(METHODS[method])):
        for seed in SEEDS:
            cell = Cell.of(out / f"try{number}", base, method, 12, seed, tried)
            result = result_of(seed, 12)
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
    # The third has the highest MAP, the second by both measures and seeds.
    scores = [LOW, [(0.5, 0.6), (0.5, 0.4)], [(0.8, 0.1), (0.8, 0.1)]]
    finish(tmp_path, base, "dch", [*scores, LOW, LOW, LOW], result_of)
    # Of equals the first.
    finish(tmp_path, base, "hashnet", [LOW] * 6, result_of)
    in_this_process.clear()
    methods = [METHODS[name] for name in ("dch", "itq", "hashnet")]
    chosen = choose(tmp_path, base, methods, 12, 30)
    assert in_this_process == []
    assert chosen == {
        "dch": {"learning_rate": 1e-4, "gamma": 10.0},
        "hashnet": {"learning_rate": 1e-4, "beta": 1.0},
    }
    record = json.loads((tmp_path / "choice.json").read_text("utf-8"))
    assert record["chosen"] == chosen
    assert (record["validation"], record["bits"]) == (30, 12)
    assert [len(tried) for tried in record["tried"].values()] == [6, 6]
    second = record["tried"]["dch"][1]
    assert second["score"] == pytest.approx(0.5)
    assert second["map"] == [0.5, 0.5]
    assert second["precision_radius2"] == [0.6, 0.4]


def test_refuses_validation_images_of_its_own(config_of, tmp_path):
    with pytest.raises(ValueError, match="Received: validation=9"):
        choose(tmp_path, config_of(validation=9), [], 12, 30)


@pytest.mark.slow
def test_a_table_takes_what_was_chosen(
    config_of, in_this_process, monkeypatch, tmp_path
):
    # Half of the tries will do.
    module = importlib.import_module("hashnet_tf.reproduction.choice")
    monkeypatch.setattr(module, "LEARNING_RATES", (1e-3,))
    base = config_of()
    in_this_process.clear()
    reproduce(tmp_path, base, 1, (12,), ["dch", "lsh"], 1, validation=30)
    cells = [cell for _, cell, *_ in in_this_process if type(cell) is Cell]
    tried = [cell for cell in cells if "choice" in cell.folder.parts]
    assert len(tried) == len(cells) - 2 == 6
    assert {cell.config.validation for cell in tried} == {30}
    table = json.loads((tmp_path / "table_1.json").read_text("utf-8"))
    choice = json.loads((tmp_path / "choice/choice.json").read_text("utf-8"))
    assert table["chosen"] == choice["chosen"] != {}
    (cell,) = (tmp_path / "cells").glob("dch-*/cell.json")
    settings = json.loads(cell.read_text("utf-8"))["settings"]
    assert settings["validation"] is None
    for name, value in choice["chosen"]["dch"].items():
        assert settings[name] == value
    # The same again makes nothing anew.
    in_this_process.clear()
    reproduce(tmp_path, base, 1, (12,), ["dch", "lsh"], 1, validation=30)
    assert in_this_process == []
