import argparse
import dataclasses
import json

import pytest

import hashnet_tf as hn
from hashnet_tf._files import write_json
from hashnet_tf.runs.config import TrainingConfig
from hashnet_tf.tools import main, train

# A value of each flag that is not its default, all of them together valid
# but for the framing, which goes with no augmentation, and alpha, which goes
# with the other likelihood, and what goes with a rival.
FLAGS = {
    "data": "lists:photos",
    "seed": 3,
    "query_per_class": 5,
    "train_per_class": 6,
    "held_out": 0.0,
    "validation": 9,
    "unseen_classes": 2,
    "imbalance": 30.0,
    "pairs": None,
    "backbone": "MobileNetV2",
    "weights": "imagenet",
    "image_size": 96,
    "framing": "whole",
    "freeze_backbone": True,
    "standardize": True,
    "hidden": 64,
    "dropout": 0.25,
    "bits": 16,
    "method": "hashnet+c",
    "similarity": "jaccard",
    "class_weights": "dataset",
    "likelihood": "radius",
    "alpha": None,
    "radius": 10.0,
    "power": 2.0,
    "quantization": None,
    "margin": None,
    "gamma": None,
    "schedule": "staged",
    "beta": 4.0,
    "patience": 2,
    "optimizer": "paper",
    "learning_rate": 0.01,
    "head_multiplier": 2.0,
    "batch_size": 64,
    "classes_per_batch": 16,
    "epochs": 7,
    "augmentation": "shift_flip",
    "views": 4,
    "cache_images": "never",
    "skip_undecodable": True,
}


def parse(*words):
    return main.parse(["hashnet", "train", "--workdir=run", *words])


def test_every_flag_is_a_setting():
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    names = [action.dest for action in parser._actions if action.dest != "help"]
    settings = [field.name for field in dataclasses.fields(TrainingConfig)]
    assert names == ["workdir", "features", "recipe", *settings]
    assert list(FLAGS) == settings


def test_defaults_are_those_of_the_settings():
    arguments = parse("--data=digits")
    assert train.config_of(arguments) == TrainingConfig(data="digits")
    assert (arguments.workdir, arguments.features) == ("run", None)


@pytest.mark.parametrize("separate", [True, False])
def test_each_flag_sets_its_setting(separate):
    words = []
    for name, value in FLAGS.items():
        if value is None:
            continue
        if value is True:
            words.append(f"--{name}")
        elif separate:
            words += [f"--{name}", str(value)]
        else:
            words.append(f"--{name}={value}")
    assert train.config_of(parse(*words)) == TrainingConfig(**FLAGS)


def test_a_folder_is_taken_for_photographs(photos, capsys):
    data = f"--data=folder:{photos}"
    usual = hn.runs.photograph_settings(photos)

    def settings(*words):
        arguments = parse(data, *words)
        return train.config_of(arguments, usual=train.of_photographs(arguments))

    assert settings("--weights=w.h5") == TrainingConfig(
        f"folder:{photos}", **{**usual, "weights": "w.h5"}
    )
    told = capsys.readouterr().out
    assert told.startswith("As for photographs, where no flag says otherwise:")
    assert "--hidden=512" in told and "--weights" not in told
    assert "--standardize" in told
    whole = settings("--no-freeze_backbone")
    assert (whole.standardize, whole.freeze_backbone) == (False, False)
    assert whole.backbone == "MobileNetV2"
    varied = settings("--augmentation=shift_flip", "--classes_per_batch=3")
    assert (varied.views, varied.batch_size) == (4, 9)
    # Whoever names a network or a recipe has said how.
    capsys.readouterr()
    small = settings("--backbone=small_cnn")
    assert small == TrainingConfig(f"folder:{photos}")
    assert settings("--recipe=cifar10").backbone == "MobileNetV2"
    assert not capsys.readouterr().out
    digits = parse("--data=digits")
    assert train.of_photographs(digits) == {}


def test_the_same_command_goes_on_whatever_came(photos, tmp_path):
    config = TrainingConfig(
        f"folder:{photos}", backbone="tiny", held_out=0.0, epochs=1
    )
    run = hn.runs.Run(tmp_path / "run")
    write_json(run.config_path, config.as_dict(), seal=True)
    words = ["hashnet", "train", f"--workdir={run.path}"]
    arguments = main.parse([*words, f"--data=folder:{photos}"])
    usual = train.of_photographs(arguments)
    assert train.config_of(arguments, usual=usual) == config


def test_each_flag_has_a_help():
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    helps = {action.dest: action.help for action in parser._actions}
    assert all(helps.values())
    for field in dataclasses.fields(TrainingConfig):
        told = f"(default: {field.default})" in helps[field.name]
        assert told == (field.default is not None)


def test_the_help_tells_of_recipes(hashnet):
    assert "--recipe RECIPE" in hashnet("train", "--help").out


@pytest.fixture
def mine(tmp_path):
    """Flag of a recipe that has another value for each setting but the data."""
    path = tmp_path / "mine.toml"
    lines = [
        f"{name} = {json.dumps(value)}"
        for name, value in FLAGS.items()
        if name != "data" and value is not None
    ]
    path.write_text("\n".join(["[settings]", *lines]))
    return f"--recipe={path}"


def test_a_recipe_is_in_place_of_the_defaults(mine):
    config = train.config_of(parse("--data=lists:photos", mine))
    assert config == TrainingConfig(**FLAGS)


@pytest.mark.parametrize("first", [True, False])
def test_a_flag_wins_over_the_recipe(first, mine):
    # Two of them say what is the default anyway.
    words = ["--data=lists:photos", "--bits=24", "--epochs=30", "--views=1"]
    words += ["--no-freeze_backbone", "--no-standardize"]
    words.append("--augmentation=none")
    words.insert(0 if first else len(words), mine)
    changed = {"bits": 24, "epochs": 30, "views": 1, "freeze_backbone": False}
    changed |= {"augmentation": "none", "standardize": False}
    expected = TrainingConfig(**{**FLAGS, **changed})
    assert train.config_of(parse(*words)) == expected


@pytest.mark.parametrize(
    "words, message",
    [
        ([], "Received: no --data, recipe=None"),
        (["--recipe=cifar10"], "Received: no --data, recipe='cifar10'"),
        (["--recipe=other", "--data=digits"], "Received: other"),
        (
            ["--recipe=cifar10", "--data=digits", "--bits=0"],
            "Received: bits=0",
        ),
    ],
)
def test_bad_recipes(words, message, fails, tmp_path):
    line = fails("train", f"--workdir={tmp_path / 'run'}", *words)
    assert line.endswith(message)
    if "no --data" in message:
        asked = "cifar10-59k:DIR" if words else "digits"
        assert f"`--data` is needed, such as --data={asked};" in line
    assert not (tmp_path / "run").exists()


def test_trains(trained):
    run, ended = trained
    assert (ended.code, ended.err) == (0, "")
    assert run.model.bits == 12
    assert {"code_histogram.png", "training.png"} <= {
        path.name for path in run.figures_path.iterdir()
    }
    # Keras' progress shows beta, and the last line tells what comes next.
    assert "beta: " in ended.out
    next_line = ended.out.splitlines()[-1]
    assert next_line == f"  hashnet evaluate --workdir={run.path}"


def test_the_same_command_again_does_nothing(trained, hashnet, flags):
    run, _ = trained
    before = run.model_path.stat().st_mtime_ns
    ended = hashnet("train", f"--workdir={run.path}", *flags)
    assert (ended.code, ended.err) == (0, "")
    assert "trained already" in ended.out
    assert run.model_path.stat().st_mtime_ns == before


def test_other_settings_are_refused(trained, fails, flags):
    run, _ = trained
    line = fails("train", f"--workdir={run.path}", *flags, "--bits=16")
    assert line.endswith("Received: bits=16 instead of 12")


@pytest.mark.parametrize(
    "changes, message",
    [
        (["--data=other"], "Received: data='other'"),
        (["--data=folder:/gone"], "Received: folder:/gone"),
        (["--data=npz:/gone.npz"], "Received: npz:/gone.npz"),
        (["--bits=0"], "Received: bits=0"),
        (["--method=csq", "--alpha=1"], "method='csq', alpha=1.0"),
        (["--beta=nan"], "Received: beta=nan"),
        (["--freeze_backbone"], "Received: weights=None"),
        (["--batch_size=9999"], "Received: batch_size=9999"),
        (["--weights=missing.h5"], "Received: weights='missing.h5'"),
        (["--backbone=other"], "Received: name='other'"),
        (["--backbone=MobileNetV2", "--weights=x"], "weights='x'"),
    ],
)
def test_bad_input(changes, message, fails, flags, tmp_path):
    line = fails("train", f"--workdir={tmp_path / 'run'}", *flags, *changes)
    assert line.endswith(message)
    assert not (tmp_path / "run").exists()


def test_a_place_that_is_a_file(fails, flags, tmp_path):
    (tmp_path / "file").write_text("mine")
    line = fails("train", f"--workdir={tmp_path / 'file'}", *flags)
    assert str(tmp_path / "file") in line
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.slow
def test_features_lie_where_they_are_wanted(hashnet, flags, tmp_path):
    weights = tmp_path / "tiny.weights.h5"
    hn.models.backbone("tiny", (8, 8, 3)).save_weights(weights)
    ended = hashnet(
        "train",
        f"--workdir={tmp_path / 'run'}",
        *flags,
        "--freeze_backbone",
        f"--weights={weights}",
        f"--features={tmp_path / 'shared'}",
    )
    assert ended.code == 0
    assert len(list((tmp_path / "shared").glob("*/*.npy"))) == 1
    assert not (tmp_path / "run" / "features").exists()
    # Those of the queries and of the database come to it.
    words = [
        f"--workdir={tmp_path / 'run'}",
        f"--features={tmp_path / 'shared'}",
    ]
    assert hashnet("evaluate", *words).code == 0
    assert len(list((tmp_path / "shared").glob("*/*.npy"))) == 3
