"""Measures the paper's tables and figures anew, beside its own values.

Table 1 compares HashNet with ten rivals, table 2 the same on classes that
training has not seen, table 3 HashNet with its variants. A cell is a system at
one length by one seed. The same command after a kill goes on; what is finished
is not run again, so more lengths, seeds or methods can be asked for later. The
table holds what the last command asked for:

  hashnet reproduce --table=1 --data=imagenet100-lists:DIR --out=runs/table
      --backbone=ResNet50 --weights=imagenet --image_size=224 --freeze_backbone
  hashnet reproduce --table=1 --data=digits --image_size=16 --bits=16,32
      --methods=hashnet,itq,lsh --seeds=1 --epochs=20 --out=runs/small

With --choose each deep method is trained at its own settings, at each length
the best of six by MAP and P@H<=2 on training images that are not trained on
then; choice/ has them all.

The shallow systems see the features of the backbone with its weights, or the
pixels where it has none. --out then holds table_N.md, .csv and .json, the
figures and, in cells/, the run directories of networks that were trained whole
or are drawn. All other flags are those of hashnet train, --recipe too, but for
those of the rivals' losses; --bits, --seeds and --methods take the place of its
own. --methods=every asks for all that there are.
"""

import argparse
import pathlib

import hashnet_tf as hn
from hashnet_tf.datasets.sources.reading import check_place
from hashnet_tf.methods import METHODS, RIVAL_SETTINGS
from hashnet_tf.runs.config import TrainingConfig
from hashnet_tf.tools.train import add_settings, config_of

# Of the cells, not of what they share.
OF_CELLS = ("seed", "bits", "method", *RIVAL_SETTINGS)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of the command and those of the trainings."""
    # --seed=5 would be short for five seeds.
    parser.allow_abbrev = False
    parser.add_argument(
        "--table", type=int, choices=(1, 2, 3), required=True, help="which one"
    )
    parser.add_argument("--out", required=True, help="folder of the table")
    parser.add_argument(
        "--bits",
        type=_bits,
        default="16,32,48,64",
        help="lengths of the codes, by commas",
    )
    parser.add_argument(
        "--methods",
        type=_methods,
        default="all",
        help="all of the table, every one that there is, or some by commas, of "
        + ", ".join(METHODS),
    )
    parser.add_argument(
        "--seeds",
        type=int,
        default=3,
        help="how many, from 0 on: of the split, the weights and the order",
    )
    parser.add_argument(
        "--choose",
        type=int,
        metavar="N",
        help="first choose the settings of each deep method (its learning"
        " rate, and its beta, dropout or the arguments of its loss), by N"
        " training images that ask in place of the queries; none: as the flags"
        " say",
    )
    parser.add_argument(
        "--features",
        help="folder for the features of a frozen backbone, which several"
        " tables may share; none: one in --out",
    )
    add_settings(parser, without=OF_CELLS)


def run(arguments: argparse.Namespace) -> int:
    """Measures what is missing; returns the exit code."""
    config = base_of(arguments)
    check_place(config.data)
    table, *others = hn.reproduction.reproduce(
        arguments.out,
        config,
        arguments.table,
        arguments.bits,
        arguments.methods,
        arguments.seeds,
        arguments.choose,
        arguments.features,
    )
    print(pathlib.Path(table).read_text("utf-8"))
    for path in (table, *others):
        print(path)
    return 0


def base_of(arguments: argparse.Namespace) -> TrainingConfig:
    """Returns the `TrainingConfig` that the cells of a table have in common."""
    # The flags are HashNet's: other methods take from them what they read.
    given = argparse.Namespace(**vars(arguments), method="hashnet")
    return config_of(given, without={*OF_CELLS} - {"method"})


def _bits(text: str) -> list[int]:
    try:
        return [int(number) for number in text.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"lengths by commas are needed, as 16,32. Received: {text}"
        ) from error


def _methods(text: str) -> list[str] | None:
    if text == "every":
        return list(METHODS)
    return None if text == "all" else text.split(",")


if __name__ == "__main__":
    from hashnet_tf.tools.main import main_of

    main_of("reproduce")
