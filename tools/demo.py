"""Shows the whole way on 1,797 scanned digits, in half a minute, offline.

Writes them as pictures, indexes these without their labels, and finds the
nearest to some that are not in the index. With --train it trains a HashNet on
them instead, measures it beside LSH and ITQ, exports the encoder, checks its
bits and searches, in two minutes.

  hashnet demo
  hashnet demo --train
"""

import argparse
import pathlib
import shlex
import typing

import numpy as np

import hashnet_tf as hn
from hashnet_tf._files import written_beside
from hashnet_tf.tools import main

# Of each digit so many are not indexed, but asked with.
ASKED = 10
# How large a pixel of a scan is drawn.
SCALE = 8
K = 10
NEXT = """
Next, on a folder of your own pictures (hashnet lies in .venv/bin):
  hashnet index add PICTURES --index=mine.index
  hashnet serve mine.index
The training of a network is shown by:
  hashnet demo --train"""
NEXT_TRAINED = """
Next, on images of your own, one folder a class (hashnet lies in .venv/bin):
  hashnet train --workdir=runs/mine --data=folder:DIR
  hashnet evaluate --workdir=runs/mine
  hashnet search IMAGE --workdir=runs/mine"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of the command."""
    parser.add_argument(
        "--out", default="demo", help="folder of the pictures and the index"
    )
    parser.add_argument(
        "--train", action="store_true", help="train a network instead"
    )
    parser.add_argument(
        "--workdir", default="runs/digits", help="folder of the run of --train"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="of all that --train draws"
    )


def run(arguments: argparse.Namespace) -> int:
    """Runs the demonstration; returns the exit code."""
    if arguments.train:
        hn.runs.demonstrate(arguments.workdir, arguments.seed)
        print(NEXT_TRAINED)
        return 0
    out = pathlib.Path(arguments.out)
    write_digits(out)
    pictures, asked, index = out / "digits", out / "asked", out / "digits.index"
    add = ["index", "add", str(pictures), f"--index={index}"]
    if not index.exists():
        add += ["--backbone=pixels", "--image_size=8", "--bits=32"]
    one = str(asked / "3" / "0.png")
    search = ["index", "search", one, f"--index={index}", f"--k={K}"]
    for words in (add, search):
        print(f"\n$ hashnet {shlex.join(words)}", flush=True)
        if code := main.run(main.parse(["hashnet", *words])):
            return code
    print(f"\n{_measured(index, asked)}")
    print(
        f"\nLook at them on a page:\n  hashnet serve {shlex.quote(str(index))}"
    )
    print(NEXT)
    return 0


def write_digits(out: pathlib.Path) -> None:
    """Writes the digits as pictures, where they are not there yet.

    Args:
        out: `pathlib.Path` of a folder. `digits/` in it gets a folder for each
            digit, and so does `asked/`, of the first ten of each.
    """
    from PIL import Image
    from sklearn.datasets import load_digits

    digits: typing.Any = load_digits()
    seen = [0] * len(digits.target_names)
    print(f"Writing {len(digits.images):,} pictures into {out}", flush=True)
    for image, label in zip(digits.images, digits.target, strict=True):
        part = "asked" if seen[label] < ASKED else "digits"
        path = out / part / str(label) / f"{seen[label]}.png"
        seen[label] += 1
        if path.exists():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        # 16 grey levels, ink dark.
        grey = np.round(255 - image * 255 / 16).astype("uint8")
        with written_beside(path) as beside:
            enlarged = np.kron(grey, np.ones((SCALE, SCALE), "uint8"))
            Image.fromarray(enlarged).save(beside, "PNG")


def _measured(path: pathlib.Path, asked: pathlib.Path) -> str:
    """Returns a sentence on what is found for pictures not in the index."""
    found = hn.index.find_pictures([asked])
    right, count = 0, 0
    with hn.Index.open(path) as index:
        for picture, label in zip(found.paths, found.labels, strict=True):
            hits = index.search(picture, K)
            right += sum(hit.label == label for hit in hits)
            count += 1
        bits = index.bits
    return (
        f"Of the {K} pictures shown for each of {count} that are not in the"
        f" index, {right / count:.1f} are of the same digit (by chance"
        f" {K / len(set(found.labels)):.1f}). No label was learned from, and"
        f" each is kept by {bits // 8} bytes and its {8 * 8} pixels."
    )


if __name__ == "__main__":
    main.main_of("demo")
