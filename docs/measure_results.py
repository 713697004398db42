"""Measures what results.md tells, and keeps it for the tables of the page.

  python docs/measure_results.py --mirflickr=DIR --cifar=DIR --weights=W
      --out=runs/results
  python docs/measure_results.py ... --only=mirflickr,cifar

Each study is one command `hashnet reproduce`, or several that differ in one
setting. Killed, the same command goes on; what is finished is not measured
again. Of each study that is finished docs/results/ holds the numbers as JSON,
with the commands and their time, and docs/pictures/ the figures that the page
shows. A command that fails ends them; one that is named again adds its time.
"""

import argparse
import dataclasses
import itertools
import json
import pathlib
import re
import shutil
import subprocess
import sys
import time

from hashnet_tf.methods import METHODS

HERE = pathlib.Path(__file__).parent
RESULTS, PICTURES = HERE / "results", HERE / "pictures"
MEASURES = (
    "tie-aware",
    "deephash",
    "precision_radius2",
    "empty_balls",
    "precision_at_100",
    "J",
    "L",
    "gap",
    "bytes_per_item",
)
DIGITS = 4


@dataclasses.dataclass(frozen=True)
class Study:
    """Tables that are measured for one section of the page.

    Attributes:
        arguments: Tuple of str, the flags of `hashnet reproduce` but for
            `--out`.
        out: Str, the folder of the table below that of all; studies that share
            one share what was chosen.
        each: Dict from the name of a variation to the flags that it has
            besides, or None for one table; each has a folder of its own.
        figures: Tuple of str, the figures that the page shows.
    """

    arguments: tuple[str, ...]
    out: str
    each: dict[str, tuple[str, ...]] | None = None
    figures: tuple[str, ...] = ()

    def variations(self) -> dict[str, tuple[tuple[str, ...], str]]:
        """Returns the flags and the folder of each table by its name."""
        if self.each is None:
            return {"": (self.arguments, self.out)}
        return {
            name: (
                (*self.arguments, *flags),
                f"{self.out}/{name.replace(', ', '-').replace(' ', '_')}",
            )
            for name, flags in self.each.items()
        }


PRETRAINED = ("--weights=W", "--features=OUT/features")
MIRFLICKR = (
    "--recipe=mirflickr25k",
    "--data=mirflickr25k-lists:MIRFLICKR",
    *PRETRAINED,
)
CIFAR = ("--recipe=cifar10", "--data=cifar10-59k:CIFAR", *PRETRAINED)
TUNED = (
    "--backbone=MobileNetV2",
    "--image_size=48",
    "--epochs=8",
    *PRETRAINED,
)
CHANGED = "--augmentation=shift_flip"
# All but the variants, which have studies of their own at one length.
SYSTEMS = "--methods=" + ",".join(
    name
    for name, method in METHODS.items()
    if not method.is_hashnet or name in ("hashnet", "hashnet-r")
)
BY_BITS = ("map", "precision_radius2", "empty_balls", "distances")
ENDS = {
    "beta 1": ("--beta=1",),
    "beta to 3": ("--beta=3",),
    "beta to 10": ("--beta=10",),
    "beta to 10 in stages": ("--beta=10", "--schedule=staged"),
}
LIKELIHOODS = {
    name: (f"--likelihood={name}",) for name in ("logistic", "radius")
}


def _crossed(*parts: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {
        ", ".join(names): tuple(itertools.chain(*flags))
        for names, flags in (
            zip(*taken, strict=True)
            for taken in itertools.product(*(part.items() for part in parts))
        )
    }


STUDIES = {
    "mirflickr": Study(
        ("--table=1", *MIRFLICKR, SYSTEMS, "--choose=500"),
        "mirflickr",
        figures=BY_BITS,
    ),
    "cifar": Study(
        # 16 and 64 bits take four hours more of a core; with them, BY_BITS.
        ("--table=1", *CIFAR, SYSTEMS, "--choose=1000", "--bits=32,48"),
        "cifar",
        figures=("distances",),
    ),
    "mirflickr-variants": Study(
        (
            "--table=3",
            *MIRFLICKR,
            "--methods=hashnet,hashnet-r,hashnet+c,hashnet-w,hashnet-sgn",
            "--choose=500",
            "--bits=48",
        ),
        "mirflickr",
    ),
    "cifar-variants": Study(
        (
            "--table=3",
            *CIFAR,
            "--methods=hashnet,hashnet-r,hashnet-w,hashnet-sgn",
            "--choose=1000",
            "--bits=48",
        ),
        "cifar",
    ),
    "imbalance": Study(
        (
            "--table=1",
            *CIFAR,
            "--imbalance=100",
            "--methods=hashnet,hashnet-r,hashnet-w,dch,csq",
            "--choose=1000",
            "--bits=48",
        ),
        "imbalance",
    ),
    "unseen": Study(
        (
            "--table=2",
            *CIFAR,
            "--unseen_classes=3",
            "--methods=hashnet,hashnet-r,hashnet-w,dch,csq",
            "--choose=1000",
            "--bits=48",
            "--seeds=5",
        ),
        "cifar",
    ),
    "continuation": Study(
        ("--table=3", *CIFAR, "--methods=hashnet", "--bits=48"),
        "continuation",
        _crossed(
            LIKELIHOODS,
            ENDS,
            {f"{n} epochs": (f"--epochs={n}",) for n in (8, 60, 240)},
        ),
    ),
    "continuation-imbalance": Study(
        (
            "--table=3",
            *CIFAR,
            "--methods=hashnet",
            "--bits=48",
            "--imbalance=100",
        ),
        "continuation-imbalance",
        _crossed(LIKELIHOODS, ENDS),
    ),
    "scratch": Study(
        (
            "--table=3",
            "--data=digits",
            "--image_size=8",
            "--learning_rate=3e-4",
            "--batch_size=100",
            "--epochs=40",
            CHANGED,
            "--validation=200",
            "--methods=hashnet",
            "--bits=48",
        ),
        "scratch",
        _crossed(LIKELIHOODS, ENDS),
    ),
    "weighting": Study(
        (
            "--table=3",
            *CIFAR,
            "--methods=hashnet,hashnet-w",
            "--bits=48",
            "--beta=1",
        ),
        "weighting",
        _crossed(
            LIKELIHOODS,
            {"as it is": (), "imbalance 100": ("--imbalance=100",)},
        ),
    ),
    "continuation-tuned": Study(
        (
            "--table=3",
            "--data=cifar10-59k:CIFAR",
            *TUNED,
            CHANGED,
            "--methods=hashnet",
            "--bits=48",
        ),
        "continuation-tuned",
        _crossed(LIKELIHOODS, ENDS),
    ),
    "tuned": Study(
        (
            "--table=1",
            *TUNED,
            CHANGED,
            "--methods=hashnet,hashnet-r,dhn,dch,csq,greedyhash,orthohash",
            "--bits=48",
        ),
        "tuned",
        {
            "cifar": ("--data=cifar10-59k:CIFAR",),
            "mirflickr": ("--data=mirflickr25k-lists:MIRFLICKR",),
        },
    ),
}


def command(arguments: tuple[str, ...], out: str) -> list[str]:
    """Returns the words of a command as the page shows it."""
    return ["hashnet", "reproduce", *arguments, f"--out=OUT/{out}"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--mirflickr", required=True, help="folder of its lists"
    )
    parser.add_argument("--cifar", required=True, help="folder of its images")
    parser.add_argument(
        "--weights", required=True, help="file of MobileNetV2's weights"
    )
    parser.add_argument("--out", required=True, help="folder of the tables")
    parser.add_argument(
        "--only", help=f"some, by commas, of {', '.join(STUDIES)}"
    )
    given = parser.parse_args()
    names = given.only.split(",") if given.only else list(STUDIES)
    if unknown := [name for name in names if name not in STUDIES]:
        parser.error(f"--only: there is no {', '.join(unknown)}")
    places = {
        "MIRFLICKR": given.mirflickr,
        "CIFAR": given.cifar,
        "=W": f"={given.weights}",
        "OUT": given.out,
    }
    for name in names:
        _measure(name, STUDIES[name], pathlib.Path(given.out), places)


def _measure(
    name: str, study: Study, out: pathlib.Path, places: dict[str, str]
) -> None:
    tables = {}
    for variation, (arguments, folder) in study.variations().items():
        words = command(arguments, folder)
        seconds = _timed(words, out / folder, places)
        number = arguments[0].partition("=")[2]
        table = json.loads(
            (out / folder / f"table_{number}.json").read_text("utf-8")
        )
        tables[variation] = {
            "command": " ".join(words),
            "seconds": round(seconds),
            "protocols": table["protocols"],
            "chosen": table["chosen"],
            "tried": _tried(out / folder, table["chosen"]),
            "rows": [_row(row) for row in table["rows"]],
        }
        for figure in study.figures:
            drawn = out / folder / "figures" / f"table_{number}"
            PICTURES.mkdir(exist_ok=True)
            shutil.copy(
                drawn / f"{figure}.png", PICTURES / f"{name}-{figure}.png"
            )
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(tables, indent=1) + "\n"
    (RESULTS / f"{name}.json").write_text(text, "utf-8")


def _timed(
    words: list[str], out: pathlib.Path, places: dict[str, str]
) -> float:
    """Runs a command and returns its time, earlier parts of it included."""
    marks = re.compile("|".join(map(re.escape, places)))
    words = [marks.sub(lambda m: places[m.group()], word) for word in words]
    kept = out / "seconds.json"
    seconds = json.loads(kept.read_text()) if kept.exists() else {}
    key = " ".join(words)
    start = time.perf_counter()
    try:
        subprocess.run(
            [sys.executable, "-m", "hashnet_tf.tools.main", *words[1:]],
            check=True,
        )
    finally:
        took = time.perf_counter() - start
        seconds[key] = seconds.get(key, 0) + took
        out.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(seconds, indent=1))
    return seconds[key]


def _tried(out: pathlib.Path, chosen: dict) -> dict:
    """Returns the tries of each method and length that was chosen for.

    By method and length a list: the settings, the mean of MAP and P@H<=2 on
    validation or None where training failed.
    """
    lengths = {bits for by_length in chosen.values() for bits in by_length}
    records = {
        bits: json.loads(
            (out / "choice" / f"{bits}bits" / "choice.json").read_text("utf-8")
        )
        for bits in lengths
    }
    return {
        method: {
            bits: [
                [one["settings"], _rounded(one["score"])]
                for one in records[bits]["tried"][method]
            ]
            for bits in by_length
        }
        for method, by_length in chosen.items()
    }


def _row(row: dict) -> dict:
    """Returns a row of a table with what the page tells of it."""
    measured = {
        measure: [_rounded(row[measure][part]) for part in ("mean", "spread")]
        for measure in MEASURES
    }
    return {
        "method": row["method"],
        "bits": row["bits"],
        "seeds": row["seeds"],
        **measured,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)


if __name__ == "__main__":
    main()
