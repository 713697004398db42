"""Shows the whole way on 1,797 scanned digits, in two minutes, offline.

Trains a HashNet, measures it beside LSH and ITQ on the same split, exports the
encoder and checks its bits, and searches for one digit.

  hashnet demo
"""

import argparse

import hashnet_tf as hn

NEXT = """
Next, on images of your own, one folder a class (hashnet lies in .venv/bin):
  hashnet train --workdir=runs/mine --data=folder:DIR --backbone=MobileNetV2 \\
      --weights=imagenet --image_size=224 --augmentation=shift_flip
  hashnet evaluate --workdir=runs/mine
  hashnet search IMAGE --workdir=runs/mine"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of the command."""
    parser.add_argument(
        "--workdir", default="runs/digits", help="folder of the run"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="of all that is drawn"
    )


def run(arguments: argparse.Namespace) -> int:
    """Runs the demonstration; returns the exit code."""
    hn.runs.demonstrate(arguments.workdir, arguments.seed)
    print(NEXT)
    return 0


if __name__ == "__main__":
    from hashnet_tf.tools.main import main_of

    main_of("demo")
