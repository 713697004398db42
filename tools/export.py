"""Freezes a run's network with the exact sign into encoders to ship.

Writes a SavedModel (export/saved_model/VERSION, the next one that is free),
LiteRT files, one of them for browsers, and, where it is named, an ONNX file,
runs each on the run's test split and compares it with Keras: its bits, its MAP,
its size and its speed. Exit code 1 where one breaks its bound, which is then
put into export/refused/, while all else is written: unquantised none of the
bits may differ, float16 may move 0.5 % of them, dynamic 2 %, int8 3 %, and MAP
may fall by .01. Bounds of your own:

  hashnet export --workdir=runs/cats
  hashnet export --workdir=runs/cats --quantize=none,float16,dynamic,int8
  hashnet export --workdir=runs/cats --quantize=int8 --allow=int8:0.05

ONNX needs more packages, pip install 'hashnet_tf[onnx]':

  hashnet export --workdir=runs/cats --format=onnx

With --serving=NAME it writes what starts TensorFlow Serving on the versions. A
SavedModel of the run that is there already is served and not made again:

  hashnet export --workdir=runs/cats --format=saved_model --serving=cats

With --web=DIR it writes a folder that finds pictures in a browser, from any web
server and offline, with the codes of the database beside it. LiteRT.js, which
runs there, comes by npm, or from a folder:

  hashnet export --workdir=runs/cats --format=web --web=search \
      --web_thumbnails
"""

import argparse
from collections.abc import Callable, Collection

import hashnet_tf as hn
from hashnet_tf.export.formats import (
    FORMATS,
    usual_formats,
    ways_to_quantize,
)
from hashnet_tf.tools.main import add_data_at


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of the command."""
    ways = [way or "none" for way in ways_to_quantize()]
    parser.add_argument("--workdir", required=True, help="folder of the run")
    add_data_at(parser)
    parser.add_argument(
        "--format",
        type=_some_of(FORMATS),
        help=f"what to write, some of {','.join(FORMATS)}; none:"
        f" {','.join(usual_formats())}",
    )
    parser.add_argument(
        "--quantize",
        type=_some_of(ways),
        default="none",
        help=f"LiteRT files to write, some of {','.join(ways)}",
    )
    parser.add_argument(
        "--allow",
        type=_shares,
        metavar="WAY:SHARE",
        help="share of the bits that quantising may move, such as int8:0.05,"
        "dynamic:0.05; none: as above",
    )
    parser.add_argument(
        "--z", action="store_true", help="LiteRT files give z too"
    )
    parser.add_argument(
        "--batch_size",
        type=int,
        help="number of images that the LiteRT files take; none: any",
    )
    parser.add_argument(
        "--image_dtype",
        choices=("uint8", "float32"),
        default="uint8",
        help="of the SavedModel's images of the trained size",
    )
    parser.add_argument(
        "--serving",
        metavar="NAME",
        help="write export/serving/ too, which serves the model as NAME",
    )
    parser.add_argument(
        "--web",
        metavar="DIR",
        help="write a folder that searches in a browser; --format has web then",
    )
    parser.add_argument(
        "--web_codes",
        metavar="CODES",
        help="code set or index of this run's model that --web searches; none:"
        " the run's database",
    )
    parser.add_argument(
        "--web_thumbnails",
        action="store_true",
        help="with --web: small JPEGs of what is found",
    )
    parser.add_argument(
        "--litertjs",
        metavar="FOLDER",
        help="with --web: where `npm install @litertjs/core` was called; none:"
        " npm is",
    )
    parser.add_argument(
        "--at", type=int, default=5000, help="R of MAP@R, the ranks that count"
    )
    parser.add_argument(
        "--queries", type=int, default=1000, help="most queries to measure on"
    )
    parser.add_argument(
        "--database",
        type=int,
        default=5000,
        help="most images of the database to measure on",
    )
    parser.add_argument(
        "--measure_all",
        action="store_true",
        help="measure on all queries and all of the database",
    )


def run(arguments: argparse.Namespace) -> int:
    """Exports and compares; returns the exit code."""
    run = hn.runs.Run(arguments.workdir, data_at=arguments.data_at)
    of_web = "web_codes", "web_thumbnails", "litertjs"
    if given := [name for name in of_web if getattr(arguments, name)]:
        if not arguments.web:
            raise ValueError(
                f"--{given[0]} is for --web=DIR. Received: web={arguments.web}"
            )
    formats = arguments.format
    if arguments.web and formats and "web" not in formats:
        formats = [*formats, "web"]
    report = None
    if arguments.serving and "saved_model" in (formats or usual_formats()):
        # Here, for help and errors in flags should not wait for TensorFlow.
        from hashnet_tf.export.from_run import exported_version

        if there := exported_version(run, arguments.image_dtype):
            print(f"{there} is of this run's model; it is not made again")
            more = formats or (
                usual_formats() if arguments.quantize != ["none"] else ()
            )
            formats = [name for name in more if name != "saved_model"]
    if formats or formats is None:
        report = _export(run, formats, arguments)
        print(report.table())
    # Also where another artefact broke its bound.
    if arguments.serving and run.export_path.joinpath("saved_model").is_dir():
        bundle = hn.export.write_serving_bundle(
            run.export_path / "serving",
            run.export_path / "saved_model",
            arguments.serving,
        )
        print(f"How to serve it tells {bundle / 'README.md'}")
    if arguments.web:
        folder = hn.export.write_web(
            run,
            arguments.web,
            arguments.web_codes,
            arguments.web_thumbnails,
            arguments.litertjs,
        )
        print(f"To see it: python -m http.server --directory {folder}")
    # Last, for what broke its bound takes nothing else with it.
    if report is not None:
        report.check()
    return 0


def _export(
    run: hn.runs.Run, formats: list[str] | None, arguments: argparse.Namespace
) -> "hn.export.ExportReport":
    return run.export(
        formats,
        [None if way == "none" else way for way in arguments.quantize],
        z=arguments.z,
        batch_size=arguments.batch_size,
        image_dtype=arguments.image_dtype,
        at=arguments.at,
        queries=None if arguments.measure_all else arguments.queries,
        database=None if arguments.measure_all else arguments.database,
        allow=arguments.allow,
    )


def _shares(text: str) -> dict[str, float]:
    shares = {}
    for part in text.split(","):
        way, _, share = part.partition(":")
        try:
            shares[way] = float(share)
        except ValueError:
            raise argparse.ArgumentTypeError(
                f"must be ways and shares, such as int8:0.05. Received: {part}"
            ) from None
    return shares


def _some_of(
    choices: Collection[str],
) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        names = text.split(",")
        if unknown := [name for name in names if name not in choices]:
            raise argparse.ArgumentTypeError(
                f"must be some of {','.join(choices)}. Received: {unknown[0]}"
            )
        return list(dict.fromkeys(names))

    return parse


if __name__ == "__main__":
    from hashnet_tf.tools.main import main_of

    main_of("export")
