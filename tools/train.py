"""Trains a HashNet into a run directory, or goes on with one.

The same command after a kill goes on from the last whole epoch. The run
directory then holds config.json, model.keras, checkpoints/, logs/ (for
TensorBoard) and figures/, and every other command reads it:

  hashnet train --workdir=runs/cats --data=folder:cats
  hashnet evaluate --workdir=runs/cats

Of a folder of photographs no more than that is needed: without --recipe and
--backbone a frozen MobileNetV2 is taken, and only what stands above it is
trained, in minutes on a CPU.

A recipe holds the settings that fit a data set, and says what they reach; a
flag that is given wins over it:

  hashnet train --workdir=runs/cifar --recipe=cifar10 --data=cifar10-54k:DIR
"""

import argparse
import dataclasses
import os
import shlex
import types
import typing
from collections.abc import Collection, Mapping

import hashnet_tf as hn
from hashnet_tf._output import say
from hashnet_tf.methods import METHODS
from hashnet_tf.runs.config import TrainingConfig, setting_type
from hashnet_tf.runs.photographs import SETTINGS
from hashnet_tf.runs.recipe import load_recipe, recipe_names

# Of a picture, where it is to be changed in training.
VIEWS = 4
# What goes by the pictures or is usual for them.
OF_PHOTOGRAPHS = (*SETTINGS, "image_size", "batch_size", "views", "held_out")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds `--workdir` and a flag for each setting of a training."""
    parser.add_argument("--workdir", required=True, help="folder of the run")
    parser.add_argument(
        "--features",
        help="folder for the features of a frozen backbone, which several runs"
        " may share; none: the run's own",
    )
    add_settings(parser)


def add_settings(
    parser: argparse.ArgumentParser, without: Collection[str] = ()
) -> None:
    """Adds `--recipe` and a flag for each setting of a training.

    Args:
        parser: `argparse.ArgumentParser`.
        without: Names of settings that get no flag.
    """
    parser.add_argument(
        "--recipe",
        help=f"settings in place of the defaults: {', '.join(recipe_names())},"
        " or the path of a .toml; --data says where the data lie",
    )
    for field in dataclasses.fields(TrainingConfig):
        if field.name in without:
            continue
        kind, _ = setting_type(field.name)
        choices = field.metadata["choices"]
        options: dict[str, typing.Any] = {"type": kind, "choices": choices}
        if kind is bool:
            options = {"action": argparse.BooleanOptionalAction}
        told = field.metadata["help"]
        if field.default is not None:
            told += f" (default: {field.default})"
        # Without a default, so that it is known which flags were given.
        parser.add_argument(
            f"--{field.name}", help=told, default=argparse.SUPPRESS, **options
        )


def run(arguments: argparse.Namespace) -> int:
    """Trains; returns the exit code."""
    config = config_of(arguments, usual=of_photographs(arguments))
    hn.runs.train(config, arguments.workdir, arguments.features).draw()
    workdir = shlex.quote(f"--workdir={arguments.workdir}")
    print(
        f"The model lies in {arguments.workdir}. Measure it with:\n"
        f"  hashnet evaluate {workdir}"
    )
    return 0


def of_photographs(arguments: argparse.Namespace) -> dict[str, typing.Any]:
    """Returns what is taken where photographs come without a network.

    Args:
        arguments: `argparse.Namespace`, parsed.

    Returns:
        Dict of settings, empty where the data are no folder, or a network or a
        recipe is given.
    """
    given = vars(arguments)
    word, _, folder = given.get("data", "").partition(":")
    if word != "folder" or given["recipe"] or "backbone" in given:
        return {}
    if not os.path.isdir(folder):
        # Refused where it is read.
        return {}
    run = hn.runs.Run(given["workdir"])
    if run.config_path.exists():
        # The same command goes on, whatever came into the folder meanwhile.
        begun = run.config.as_dict()
        return {name: begun[name] for name in OF_PHOTOGRAPHS}
    settings = hn.runs.photograph_settings(folder, given.get("train_per_class"))
    if (classes := given.get("classes_per_batch")) is not None:
        whole = settings["batch_size"] // classes * classes
        settings["batch_size"] = max(whole, 2 * classes)
    if not given.get("freeze_backbone", True):
        # Its features change.
        del settings["standardize"]
    elif given.get("augmentation", "none") != "none":
        settings["views"] = VIEWS
    unread = METHODS[given.get("method", "hashnet-r")].unread
    settings = {n: v for n, v in settings.items() if n not in unread}
    told = {n: v for n, v in settings.items() if n not in given}
    words = [f"--{n}={v}" for n, v in told.items() if type(v) is not bool]
    words += [f"--{n}" for n, v in told.items() if v is True]
    say(f"As for photographs, where no flag says otherwise: {' '.join(words)}")
    return settings


def config_of(
    arguments: argparse.Namespace,
    without: Collection[str] = (),
    usual: Mapping[str, typing.Any] = types.MappingProxyType({}),
) -> TrainingConfig:
    """Returns the `TrainingConfig` that parsed flags describe.

    A setting that has no flag is as the recipe says, or as by default.

    Args:
        arguments: `argparse.Namespace`.
        without: Names of settings that are left at their defaults.
        usual: Settings in place of the defaults.
    """
    names = {field.name for field in dataclasses.fields(TrainingConfig)}
    settings, example = dict(usual), "digits"
    if arguments.recipe is not None:
        chosen = load_recipe(arguments.recipe)
        settings, example = (
            chosen.settings,
            f"{chosen.protocol or 'folder'}:DIR",
        )
    given = {**settings, **vars(arguments)}
    if "data" not in given:
        raise ValueError(
            f"`--data` is needed, such as --data={example}; a recipe does not"
            " know where the data lie."
            f" Received: no --data, recipe={arguments.recipe!r}"
        )
    return TrainingConfig(
        **{n: v for n, v in given.items() if n in names and n not in without}
    )


if __name__ == "__main__":
    from hashnet_tf.tools.main import main_of

    main_of("train")
