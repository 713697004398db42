"""Measures a run: encodes its queries and its database, ranks, reports.

Prints a table and writes report.json and the two code sets into the run
directory. Codes that are there already are not made again.

  hashnet evaluate --workdir=runs/digits --at=1000
"""

import hashnet_tf as hn


def add_arguments(parser):
    """Adds the flags of the command."""
    parser.add_argument("--workdir", required=True, help="folder of the run")
    parser.add_argument(
        "--at", type=int, default=5000, help="R of MAP@R, the ranks that count"
    )


def run(arguments):
    """Measures; returns the exit code."""
    report = hn.runs.evaluate_run(arguments.workdir, arguments.at)
    written = hn.runs.RunDirectory(arguments.workdir)
    print(written.report()["protocol"])
    print(report.table())
    print(f"Written to {written.report_path}")
    return 0


if __name__ == "__main__":
    from hashnet_tf.tools.main import main_of

    main_of("evaluate")
