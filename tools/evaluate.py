"""Measures codes: of a run, or any four files of codes and labels.

Of a run it encodes the queries and the database, which is done only once, and
writes report.json, figures and the code sets into the run directory:

  hashnet evaluate --workdir=runs/digits --at=1000

Codes of any other program are NumPy files: packed uint8 [n, ceil(bits / 8)],
the first bit in the highest place, and class ids [n] or zero-or-one labels
[n, L]. The report and the figures go to --out:

  hashnet evaluate --query_codes=q.npy --query_labels=ql.npy
      --database_codes=d.npy --database_labels=dl.npy --bits=48 --out=DIR
"""

import pathlib

import numpy as np

import hashnet_tf as hn
from hashnet_tf.atomic import write_json
from hashnet_tf.retrieval.hamming_ball import EMPTY_BALL_RULES
from hashnet_tf.retrieval.presets import PRESETS

FILES = ("query_codes", "database_codes", "query_labels", "database_labels")


def add_arguments(parser):
    """Adds the flags of the command."""
    parser.add_argument("--workdir", help="folder of the run")
    for name in FILES:
        parser.add_argument(f"--{name}", help=f".npy file of {name}")
    parser.add_argument(
        "--bits", type=int, help="length of the codes in files; none: 8 a byte"
    )
    parser.add_argument("--out", help="folder for the report on files")
    parser.add_argument(
        "--at", type=int, default=5000, help="R of MAP@R, the ranks that count"
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


def run(arguments):
    """Measures; returns the exit code."""
    given = [name for name in FILES if getattr(arguments, name)]
    if bool(arguments.workdir) == bool(given) or (
        given and (len(given) < len(FILES) or not arguments.out)
    ):
        raise ValueError(
            "Either --workdir is needed, or all of --query_codes,"
            " --database_codes, --query_labels, --database_labels and --out."
            f" Received: workdir={arguments.workdir}, out={arguments.out},"
            f" files {', '.join(given) or 'none'}"
        )
    if arguments.workdir:
        report, folder = _of_run(arguments)
    else:
        report, folder = _of_files(arguments)
    print(report.table(arguments.preset))
    print(f"Written to {folder / 'report.json'}")
    for path in _draw(report, folder / "figures"):
        print(path)
    return 0


def _of_run(arguments):
    report = hn.runs.evaluate_run(
        arguments.workdir, arguments.at, arguments.empty_ball
    )
    written = hn.runs.RunDirectory(arguments.workdir)
    print(written.report()["protocol"])
    return report, written.path


def _of_files(arguments):
    report = hn.retrieval.evaluate(
        *(_array(getattr(arguments, name)) for name in FILES),
        bits=arguments.bits,
        at=arguments.at,
        empty_ball=arguments.empty_ball,
    )
    folder = pathlib.Path(arguments.out)
    files = {name: getattr(arguments, name) for name in FILES}
    write_json(
        folder / "report.json",
        {"files": files, "retrieval": report.as_dict()},
    )
    return report, folder


def _array(path):
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(
            f"A .npy file of numbers is needed. Received: {path} ({error})"
        ) from error


def _draw(report, folder):
    name = f"{report.bits} bits"
    yield hn.retrieval.plot_precision_recall(
        {name: report.precision_at_recall}, folder / "precision_recall.png"
    )
    if report.precision_at:
        yield hn.retrieval.plot_precision_at(
            {name: report.precision_at}, folder / "precision_at.png"
        )


if __name__ == "__main__":
    from hashnet_tf.tools.main import main_of

    main_of("evaluate")
