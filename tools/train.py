"""Trains a HashNet into a run directory, or goes on with one.

The same command after a kill goes on from the last whole epoch. The run
directory then holds config.json, model.keras, checkpoints/, logs/ (for
TensorBoard) and figures/, and every other command reads it:

  hashnet train --workdir=runs/cats --data=folder:cats
      --backbone=MobileNetV2 --weights=imagenet --image_size=224
  hashnet evaluate --workdir=runs/cats
"""

import dataclasses

import hashnet_tf as hn
from hashnet_tf.training_config import TrainingConfig, setting_type


def add_arguments(parser):
    """Adds `--workdir` and a flag for each setting of a training."""
    parser.add_argument("--workdir", required=True, help="folder of the run")
    parser.add_argument(
        "--features",
        help="folder for the features of a frozen backbone, which several runs"
        " may share; none: the run's own",
    )
    add_settings(parser)


def add_settings(parser, without=()):
    """Adds a flag for each setting of a training but those named."""
    for field in dataclasses.fields(TrainingConfig):
        if field.name in without:
            continue
        kind, _ = setting_type(field.name)
        options = {"type": kind, "choices": field.metadata["choices"]}
        if kind is bool:
            options = {"action": "store_true"}
        if field.name == "data":
            options["required"] = True
        else:
            options["default"] = field.default
        parser.add_argument(
            f"--{field.name}", help=field.metadata["help"], **options
        )


def run(arguments):
    """Trains; returns the exit code."""
    config = config_of(arguments)
    hn.runs.train(config, arguments.workdir, arguments.features)
    hn.runs.draw_training(arguments.workdir)
    print(
        f"The model lies in {arguments.workdir}. Measure it with:\n"
        f"  hashnet evaluate --workdir={arguments.workdir}"
    )
    return 0


def config_of(arguments):
    """Returns the `TrainingConfig` that parsed flags describe.

    A setting that has no flag is as by default.
    """
    names = {field.name for field in dataclasses.fields(TrainingConfig)}
    given = {name: v for name, v in vars(arguments).items() if name in names}
    return TrainingConfig(**given)


if __name__ == "__main__":
    from hashnet_tf.tools.main import main_of

    main_of("train")
