import argparse
import dataclasses
import json
import re

import keras
import pytest

import hashnet_tf as hn
from hashnet_tf.methods import METHODS
from hashnet_tf.reproduction import Cell, processes
from hashnet_tf.runs.config import TrainingConfig
from hashnet_tf.runs.recipe import load_recipe, recipe_names
from hashnet_tf.tools import main, reproduce

NEEDED = ["--table=1", "--data=digits", "--out=out"]


def parse(*words):
    return main.parse(["hashnet", "reproduce", *words])


def test_the_flags_are_those_of_a_training_and_the_tables():
    parser = argparse.ArgumentParser()
    reproduce.add_arguments(parser)
    names = [action.dest for action in parser._actions if action.dest != "help"]
    own = ["table", "out", "bits", "methods", "seeds", "choose", "features"]
    assert names[:8] == [*own, "recipe"]
    settings = [field.name for field in dataclasses.fields(TrainingConfig)]
    others = [n for n in settings if n not in reproduce.OF_CELLS]
    assert names[8:] == others
    assert all(action.help for action in parser._actions)


def test_the_help_names_every_system():
    parser = argparse.ArgumentParser()
    reproduce.add_arguments(parser)
    (told,) = [a.help for a in parser._actions if a.dest == "methods"]
    named = re.findall(r"[a-z+-]+", told.partition(", of ")[2])
    assert set(named) == set(METHODS)


def test_every_method_can_be_asked_for():
    assert parse(*NEEDED).methods is None
    assert parse(*NEEDED, "--methods=every").methods == list(METHODS)


@pytest.mark.parametrize("flag", ["--seed=5", "--method=itq", "--workdir=a"])
def test_what_the_table_settles_is_no_flag(flag, fails):
    line = fails("reproduce", *NEEDED, flag)
    assert f"unrecognized arguments: {flag}" in line


def test_defaults():
    arguments = parse(*NEEDED)
    assert arguments.bits == [16, 32, 48, 64]
    assert (arguments.methods, arguments.seeds) == (None, 3)
    base = reproduce.base_of(arguments)
    assert base == TrainingConfig(data="digits", method="hashnet")


def test_a_recipe_settles_what_cells_share(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        '[settings]\nmethod = "hashnet"\nbits = 16\nseed = 7\nepochs = 4\n'
        "alpha = 0.5"
    )
    arguments = parse(*NEEDED, f"--recipe={path}", "--alpha=0.25")
    assert reproduce.base_of(arguments) == TrainingConfig(
        data="digits", method="hashnet", epochs=4, alpha=0.25
    )
    assert arguments.bits == [16, 32, 48, 64]


def test_some_of_each():
    arguments = parse(*NEEDED, "--bits=8", "--methods=hashnet+c,itq-cca")
    assert arguments.bits == [8]
    assert arguments.methods == ["hashnet+c", "itq-cca"]
    assert parse(*NEEDED, "--methods=all").methods is None


@pytest.mark.parametrize("name", recipe_names())
def test_each_recipe_makes_every_cell(name):
    arguments = parse(*NEEDED, f"--recipe={name}")
    config = reproduce.base_of(arguments)
    settings = load_recipe(name).settings
    for method in METHODS:
        cell = Cell.of("out", config, method, 16, 1)
        assert (cell.config.bits, cell.config.seed) == (16, 1)
        assert cell.config.learning_rate == settings["learning_rate"]


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    """A table of one cell, which takes no training, and its folder."""
    out = tmp_path_factory.mktemp("reproduce") / "out"
    return out, [
        "reproduce",
        "--table=1",
        "--data=digits",
        "--image_size=8",
        "--bits=12",
        "--methods=lsh",
        "--seeds=1",
        f"--out={out}",
    ]


@pytest.fixture(scope="module")
def finished(words, hashnet):
    """How the table ended that first time."""
    return hashnet(*words[1])


@pytest.mark.slow
def test_measures_in_a_process_of_its_own(words, finished):
    (out, _), ended = words, finished
    assert (ended.code, ended.err) == (0, "")
    base = TrainingConfig(data="digits", image_size=8, method="hashnet")
    result = Cell.of(out, base, "lsh", 12, 0).result()
    assert result.report.queries == 200
    table = (out / "table_1.md").read_text("utf-8")
    assert f"| LSH | {result.report.map:.4f} |" in table
    assert table in ended.out
    values = json.loads((out / "table_1.json").read_text("utf-8"))
    assert values["settings"] == base.as_dict()
    last = ended.out.splitlines()[-1]
    assert last == str(out / "figures" / "table_1" / "precision_at.png")


@pytest.mark.slow
def test_the_same_command_again_runs_nothing(words, finished, hashnet):
    out, words = words
    cell = out / "cells" / "lsh-12bits-seed0" / "cell.json"
    before = cell.stat().st_mtime_ns
    ended = hashnet(*words)
    assert (ended.code, ended.err) == (0, "")
    assert "1 cells, of which 1 are finished" in ended.out
    assert cell.stat().st_mtime_ns == before


@pytest.mark.slow
def test_other_settings_than_those_of_the_table(words, finished, fails):
    line = fails(*words[1], "--image_size=9")
    assert line.endswith("Received: image_size=9 instead of 8")


@pytest.mark.parametrize(
    "changes, received",
    [
        (["--methods=other"], "other"),
        (["--bits=0"], "bits=[0], seeds=1"),
        (["--table=2"], "table=2, unseen_classes=None"),
    ],
)
def test_bad_input(changes, received, words, fails):
    _, words = words
    assert fails(*words, *changes).endswith(f"Received: {received}")


@pytest.fixture
def on_digits(hashnet, tmp_path, monkeypatch):
    """Makes table 1 of methods on digits; MAP by method."""
    # The processes of the cells are tried above; one for each takes minutes.
    monkeypatch.setattr(
        processes.OwnProcess, "call", lambda _, work, *a: work(*a)
    )

    def make(names, *flags):
        ended = hashnet(
            "reproduce",
            "--table=1",
            "--data=digits",
            "--backbone=small_cnn",
            "--image_size=16",
            "--batch_size=100",
            "--learning_rate=0.001",
            "--bits=16",
            f"--methods={','.join(names)}",
            "--seeds=1",
            f"--out={tmp_path / 'out'}",
            *flags,
        )
        assert ended.code == 0, ended.err
        text = (tmp_path / "out" / "table_1.json").read_text("utf-8")
        rows = json.loads(text)["rows"]
        return {row["method"]: row["tie-aware"]["mean"] for row in rows}

    return make


@pytest.mark.slow
@pytest.mark.longest
# Some rivals do not get off the ground in so few steps.
@pytest.mark.filterwarnings("ignore:All codes of the watched sample are one")
def test_every_system_on_digits(on_digits, tmp_path):
    # Those of real distances are cells in reproduction/test_job.py.
    names = [n for n, method in METHODS.items() if method.kind != "vectors"]
    weights = tmp_path / "small.weights.h5"
    # Features that tell the digits apart, of one short training for all.
    keras.utils.set_random_seed(0)
    train = hn.datasets.load("digits").train
    network = hn.models.backbone("small_cnn", (16, 16, 3))
    classes = keras.layers.Dense(10, activation="softmax")(network.output)
    model = keras.Model(network.input, classes)
    model.compile("adam", "sparse_categorical_crossentropy")
    pixels = hn.datasets.pixel_array(train, (16, 16))
    model.fit(pixels, train.labels, epochs=2, verbose=0)
    network.save_weights(weights)
    found = on_digits(
        names, "--freeze_backbone", f"--weights={weights}", "--epochs=12"
    )
    assert list(found) == names
    assert {name: map for name, map in found.items() if map < 0.5} == {}


@pytest.mark.slow
@pytest.mark.longest
def test_each_kind_of_network_on_digits(on_digits):
    found = on_digits(["hashnet", "csq", "greedyhash", "lsh"], "--epochs=6")
    assert min(found["hashnet"], found["csq"]) > 0.8
    assert found["greedyhash"] > found["lsh"] > 0.1
