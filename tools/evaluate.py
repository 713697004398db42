"""Measures codes: of a run, or any four files of codes and labels.

Of a run it encodes the queries and the database, which is done only once, and
writes report.json, figures and the code sets into the run directory:

  hashnet evaluate --workdir=runs/digits --at=1000

Runs with the same frozen backbone may share what it makes of the images:

  hashnet evaluate --workdir=runs/frozen --features=features

Of a run that was fitted without labels it measures what the codes keep of the
neighbours by the features, and by labels too where the data have some.

What a training that is not done has reached is measured in its folder so_far/:

  hashnet evaluate --workdir=runs/digits --so_far

Codes of any other program are NumPy files: packed uint8 [n, ceil(bits / 8)],
the first bit in the highest place, and class ids [n] or zero-or-one labels
[n, L]. The report and the figures go to --out:

  hashnet evaluate --query_codes=q.npy --query_labels=ql.npy
      --database_codes=d.npy --database_labels=dl.npy --bits=48 --out=DIR

Without labels it measures what codes keep of the vectors that they are of, in
files as --data=vectors:FILE reads them:

  hashnet evaluate --query_codes=q.npy --query_vectors=qx.npy
      --database_codes=d.npy --database_vectors=dx.npy --out=DIR

Code sets, as `hashnet encode` writes them, are folders, with labels and bits
of their own. Two of different encoders are refused:

  hashnet evaluate --query_codes=codes/q --database_codes=codes/d --out=DIR
"""

import argparse
import pathlib
import typing

import hashnet_tf as hn
from hashnet_tf.methods import METHODS
from hashnet_tf.retrieval.evaluation import USUAL_AT
from hashnet_tf.retrieval.histogram import EMPTY_BALL_RULES
from hashnet_tf.retrieval.presets import PRESETS
from hashnet_tf.runs.config import DRAWN, HELD_OUT
from hashnet_tf.runs.evaluation import PARTS
from hashnet_tf.runs.expectation import (
    Expectation,
    draw_expectation,
    held_out,
)
from hashnet_tf.tools.main import add_data_at

CODES = ("query_codes", "database_codes")
LABELS = ("query_labels", "database_labels")
VECTORS = ("query_vectors", "database_vectors")
FILES = (*CODES, *LABELS, *VECTORS)
# What says nothing where the other is measured.
OF_RUNS = ("data_at", "so_far", "features")
OF_FILES = ("bits", "out")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of the command."""
    parser.add_argument("--workdir", help="folder of the run")
    add_data_at(parser)
    parser.add_argument(
        "--so_far",
        action="store_true",
        help="measure the last whole epoch of a run that is not trained yet",
    )
    parser.add_argument(
        "--features",
        help="folder for the features that the run's frozen backbone gives,"
        " which several runs may share; none: the run's own",
    )
    for name in FILES:
        code_set = ", or a code set" if name in CODES else ""
        parser.add_argument(f"--{name}", help=f".npy file of {name}{code_set}")
    parser.add_argument(
        "--bits", type=int, help="length of the codes in files; none: 8 a byte"
    )
    parser.add_argument("--out", help="folder for the report on files")
    parser.add_argument(
        "--at",
        type=int,
        help="R of MAP@R, the ranks that count; none: as the protocol of the"
        f" data says, else {USUAL_AT}",
    )
    parser.add_argument(
        "--preset",
        choices=tuple(PRESETS),
        help="the one MAP rule to print; none: all of them",
    )
    parser.add_argument(
        "--empty_ball",
        choices=EMPTY_BALL_RULES,
        default="zero",
        help="how a query without an item within a radius counts there",
    )


def run(arguments: argparse.Namespace) -> int:
    """Measures; returns the exit code."""
    given = {n: getattr(arguments, n) for n in FILES if getattr(arguments, n)}
    rules = {"at": arguments.at, "empty_ball": arguments.empty_ball}
    _check_files(arguments, given)
    if arguments.workdir:
        run = hn.runs.Run(arguments.workdir, data_at=arguments.data_at)
        if arguments.so_far:
            run = run.so_far()
        folder, reports = run.path, _of_run(arguments, run, rules)
        _tell_expectation(run)
        print(run.report["protocol"])
    else:
        folder = pathlib.Path(arguments.out)
        others = {"out": folder, "bits": arguments.bits}
        if VECTORS[0] in given:
            reports = [hn.runs.evaluate_neighbor_files(**given, **others)]
        else:
            reports = [hn.runs.evaluate_files(**given, **others, **rules)]
    for report in reports:
        if isinstance(report, hn.retrieval.RetrievalReport):
            print(report.table(arguments.preset))
        else:
            print(report.text())
    print(f"Written to {folder / 'report.json'}")
    for report in reports:
        for path in hn.runs.draw_report(report, folder / "figures"):
            print(path)
    if arguments.workdir and run.dataset.is_labelled:
        query, database = (
            hn.runs.CodeSet.load(run.codes_path(part)) for part in PARTS
        )
        path = draw_expectation(
            run.dataset, query, database, run.figures_path / "queries.png"
        )
        if path is not None:
            print(path)
    return 0


def _tell_expectation(run: "hn.runs.Run") -> None:
    """Prints what a user may expect, before the measures and their rules."""
    if not run.dataset.is_labelled:
        return
    found = run.report["expectation"]
    if found is not None:
        print(f"{Expectation(**found).text()}\n")
        return
    told = "Too few pictures are new to say what a search for one will find:"
    told += f" of {len(run.dataset.database):,} in the database all but"
    told += f" {len(held_out(run.dataset))} were trained on."
    config = run.config
    is_drawn = config.data.partition(":")[0] in DRAWN
    if is_drawn and not config.held_out and config.train_per_class is None:
        told += f" A training with --held_out={HELD_OUT} can tell."
    print(f"{told}\n")


def _of_run(
    arguments: argparse.Namespace,
    run: "hn.runs.Run",
    rules: dict[str, typing.Any],
) -> "list[hn.retrieval.RetrievalReport | hn.retrieval.NeighborReport]":
    """Returns the reports by labels and without, as there are."""
    is_map = METHODS[run.config.method].is_map
    run.check_trained()
    reports = []
    if not is_map or run.dataset.is_labelled:
        reports.append(run.evaluate(**rules, features=arguments.features))
    else:
        _refuse_by_labels(arguments, f"{run.dataset.name} without labels")
    if is_map:
        reports.append(run.evaluate_neighbors(arguments.features))
    return reports


def _refuse_by_labels(arguments: argparse.Namespace, what: str) -> None:
    given = [n for n in ("at", "preset") if getattr(arguments, n)]
    if given:
        raise ValueError(
            f"--{given[0]} is for a measure by labels. Received: {what}"
        )


def _check_files(arguments: argparse.Namespace, given: dict[str, str]) -> None:
    of_sets = any(
        pathlib.Path(given[name]).is_dir() for name in CODES if name in given
    )
    wanted = CODES if of_sets else (*CODES, *LABELS)
    if given and set(given) >= set(VECTORS):
        wanted = (*CODES, *VECTORS)
        _refuse_by_labels(arguments, "the measuring by vectors")
    if bool(arguments.workdir) == bool(given) or (
        given and (set(given) != set(wanted) or not arguments.out)
    ):
        raise ValueError(
            "Either --workdir is needed, or --query_codes, --database_codes"
            " and --out with code sets, or these with files and"
            " --query_labels and --database_labels; or, with either,"
            " --query_vectors and --database_vectors."
            f" Received: workdir={arguments.workdir}, out={arguments.out},"
            f" files {', '.join(given) or 'none'}"
        )
    unread = OF_FILES if arguments.workdir else OF_RUNS
    if others := [name for name in unread if getattr(arguments, name)]:
        measured = "a run" if arguments.workdir else "files"
        raise ValueError(
            f"--{others[0]} is not for the measuring of {measured}."
            f" Received: {others[0]}={getattr(arguments, others[0])!r}"
        )


if __name__ == "__main__":
    from hashnet_tf.tools.main import main_of

    main_of("evaluate")
