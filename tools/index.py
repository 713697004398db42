"""Keeps an index of your pictures: add, search, duplicates, remove, stat.

No labels and no training are needed. The first `add` makes the index: it takes
the features of a pretrained network and learns from your own pictures, in
seconds, how to make them codes. A later one encodes what is new or changed.
All of it, the encoder too, lies in one file.

  hashnet index add PHOTOS --index=photos.index
  hashnet index search photo.jpg --index=photos.index
"""

import argparse
import os
import re
import shlex
import typing
from collections.abc import Sequence

import hashnet_tf as hn
from hashnet_tf.index.duplicates import RADIUS
from hashnet_tf.index.searching import RERANKED
from hashnet_tf.index.stores.opening import store_words
from hashnet_tf.runs._together import WITHOUT_WEIGHTS
from hashnet_tf.tools.main import add_parser

if typing.TYPE_CHECKING:
    from hashnet_tf.runs import Encoder

# The flags that settle the encoder of an index that is begun.
TRAINED = ("model", "workdir")
PRETRAINED = ("bits", "backbone", "weights", "image_size")
SHOWN = 10
# Pictures of a row of a sheet, of a query, and queries of a sheet.
A_ROW, DRAWN, DRAWN_QUERIES = 9, 26, 8


def add_arguments(
    parser: argparse.ArgumentParser,
) -> list[argparse.ArgumentParser]:
    """Adds the actions and their flags; returns the parser of each."""
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="ACTION"
    )

    def action(name: str, text: str) -> argparse.ArgumentParser:
        told = f"{text[0].upper()}{text[1:]}."
        added = add_parser(actions, name, text, told)
        added.add_argument(
            "--index", required=True, help="file of the index, photos.index"
        )
        return added

    _add_flags(action("add", "add folders of pictures, or make the index"))
    search = action("search", "find the pictures nearest to given ones")
    search.add_argument("image", help="image file, or a folder of such")
    search.add_argument("--k", type=int, default=10, help="how many to find")
    search.add_argument(
        "--rerank",
        type=int,
        default=RERANKED,
        help="how many of the nearest by code are ranked by their features;"
        " 0: none",
    )
    search.add_argument("--figure", help="PNG to draw; none: nothing is drawn")
    duplicates = action("duplicates", "list what shows the same picture")
    duplicates.add_argument(
        "--radius",
        type=int,
        default=RADIUS,
        help="bits in which two perceptual hashes may differ",
    )
    duplicates.add_argument(
        "--figure", help="PNG to draw; none: nothing is drawn"
    )
    remove = action("remove", "take pictures out of it; no file is deleted")
    remove.add_argument("names", nargs="+", help="files, or folders of them")
    action("refit", "learn the codes anew, of a folder that has grown")
    action("stat", "tell what is in the index")
    copy = action("copy", "write the index into another file or an engine")
    copy.add_argument("path", nargs="?", help="file to write")
    copy.add_argument(
        "--to",
        help=f"where the codes go, in place of it: {store_words()}; the same"
        " command again brings what has changed",
    )
    encoder = action("encoder", "write the encoder into a LiteRT file")
    encoder.add_argument("to", help="file to write")
    return list(actions.choices.values())


def _add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths", nargs="+", help="folders of pictures, to any depth, or files"
    )
    parser.add_argument(
        "--prune",
        action="store_true",
        help="take out what has gone from these folders",
    )
    parser.add_argument(
        "--verify",
        action="store_true",
        help="read files too whose size, time and inode are as they were",
    )
    begun = parser.add_argument_group("an index that is begun")
    begun.add_argument(
        "--model",
        help="LiteRT file that encodes; none: a pretrained network, of which"
        " the codes are learned from these pictures",
    )
    begun.add_argument(
        "--workdir", help="run whose network encodes, in place of that"
    )
    begun.add_argument(
        "--bits", type=int, help="length of the codes; none: 128"
    )
    begun.add_argument(
        "--backbone",
        help="network of keras.applications, or pixels: those themselves, of"
        " small scans; none: MobileNetV2",
    )
    begun.add_argument(
        "--weights",
        help='file of its weights; none: "imagenet", which Keras downloads',
    )
    begun.add_argument(
        "--image_size",
        type=int,
        help="pixels a side that it sees; none: by the pictures, 96 to 224",
    )
    begun.add_argument(
        "--no-keep_features",
        dest="keep_features",
        action="store_false",
        help="keep the codes alone: a file of a twentieth, and less exact",
    )


def run(arguments: argparse.Namespace) -> int:
    """Does what is asked; returns the exit code."""
    return _ACTIONS[arguments.action](arguments)


def _add(arguments: argparse.Namespace) -> int:
    found = hn.index.find_pictures(arguments.paths)
    there = os.path.exists(arguments.index)
    given = _given(arguments, TRAINED + PRETRAINED)
    given += ["--no-keep_features"] * (not arguments.keep_features)
    if there and given:
        raise ValueError(
            f"{arguments.index} is there and keeps its encoder: none of"
            f" {', '.join(given)} can be given. Received: {given[0]}"
        )
    # Else an empty index would be made.
    if not there and not found.paths:
        raise ValueError(f"Pictures are needed. Received: {found.text()}")
    with _opened(arguments, found.paths, there) as index:
        fitted = index.fit
        changes = index.add_files(
            found.paths, found.labels, verify=arguments.verify
        )
        gone: list[str] = []
        if arguments.prune:
            for path in arguments.paths:
                if os.path.isdir(path):
                    gone += index.prune(path)
        print(found.text())
        print(f"{changes.text()}, {len(gone):,} gone")
        _print_some(
            [f"refused {n}: {why}" for n, why in changes.refused.items()]
        )
        if index.fit is not None and fitted is None:
            print(index.fit.text(index.bits))
        elif (told := index.outgrown()) is not None:
            print(
                f"{told}; to learn the codes anew: hashnet index refit"
                f" {shlex.join([f'--index={arguments.index}'])}"
            )
        print(
            f"{len(index):,} pictures by {index.bits} bits in"
            f" {arguments.index}. Search them with:\n  hashnet index search"
            f" IMAGE {shlex.join([f'--index={arguments.index}'])}"
        )
    return 0


def _given(arguments: argparse.Namespace, names: Sequence[str]) -> list[str]:
    return [f"--{n}" for n in names if getattr(arguments, n) is not None]


def _opened(
    arguments: argparse.Namespace, paths: list[str], there: bool
) -> hn.Index:
    if there:
        return hn.Index.open(arguments.index)
    encoder, fit = _new_encoder(arguments, paths)
    return hn.Index.open(
        arguments.index,
        encoder=encoder,
        fit=fit,
        keep_features=arguments.keep_features,
    )


def _new_encoder(
    arguments: argparse.Namespace, paths: list[str]
) -> "tuple[Encoder, bool]":
    trained = _given(arguments, TRAINED)
    others = _given(arguments, PRETRAINED)
    if len(trained) > 1 or (trained and others):
        raise ValueError(
            "Either --model, or --workdir, or the flags of a pretrained network"
            f" can be given. Received: {', '.join(trained + others)}"
        )
    if arguments.model:
        return hn.export.LiteRTEncoder(arguments.model), False
    if arguments.workdir:
        # Here, for help and errors in flags should not wait for TensorFlow.
        from hashnet_tf.export.backbone_encoder import feature_encoder

        return feature_encoder(hn.runs.Run(arguments.workdir).model), False
    size = arguments.image_size or hn.index.usual_size(paths)
    backbone = arguments.backbone or "MobileNetV2"
    bits = arguments.bits or 128
    weights = arguments.weights
    if weights is None and backbone not in WITHOUT_WEIGHTS:
        weights = "imagenet"
    print(f"Making an encoder: {backbone} at {size} pixels, {bits} bits")
    encoder = hn.export.backbone_encoder(backbone, weights, size, bits)
    return encoder, True


def _search(arguments: argparse.Namespace) -> int:
    asked = [arguments.image]
    if os.path.isdir(arguments.image):
        asked = hn.index.find_pictures(asked).paths
    with hn.Index.open(arguments.index) as index:
        found = [index.search(p, arguments.k, arguments.rerank) for p in asked]
    for path, hits in zip(asked, found, strict=True):
        if len(asked) > 1:
            print(path)
        print(_table(hits))
    if arguments.figure:
        rows, titles = [], []
        for path, hits in list(zip(asked, found, strict=True))[:DRAWN_QUERIES]:
            names = [path, *(hit.name for hit in hits[:DRAWN])]
            told = ["query"]
            told += [f"{h.distance} {h.label or ''}".rstrip() for h in hits]
            for start in range(0, len(names), A_ROW):
                rows.append(names[start : start + A_ROW])
                titles.append(told[start : start + A_ROW][: len(rows[-1])])
        _draw(rows, titles, arguments.figure)
    return 0


def _draw(rows: list[list[str]], titles: list[list[str]], figure: str) -> None:
    images = [hn.index.thumbnails(row) for row in rows]
    print(f"Drawn in {hn.plots.plot_groups(images, titles, figure)}")


def _table(hits: list[hn.index.Hit]) -> str:
    width = max([len("label"), *(len(hit.label or "") for hit in hits)])
    lines = [f"rank  distance  cosine  {'label':{width}}  image"]
    for rank, hit in enumerate(hits, start=1):
        cosine = "" if hit.similarity is None else f"{hit.similarity:.3f}"
        lines.append(
            f"{rank:4}  {hit.distance:8}  {cosine:>6}"
            f"  {hit.label or '':{width}}  {hit.name}"
        )
    return "\n".join(lines)


def _duplicates(arguments: argparse.Namespace) -> int:
    with hn.Index.open(arguments.index) as index:
        groups = index.duplicates(arguments.radius)
    for group in groups:
        print("\n".join(group), end="\n\n")
    files = sum(map(len, groups))
    print(f"{len(groups):,} groups of {files:,} files; nothing was deleted")
    if arguments.figure and groups:
        rows = [group[:A_ROW] for group in groups[:DRAWN]]
        titles = [[os.path.basename(name) for name in row] for row in rows]
        _draw(rows, titles, arguments.figure)
    return 0


def _remove(arguments: argparse.Namespace) -> int:
    with hn.Index.open(arguments.index) as index:
        names = index.within(arguments.names)
        index.remove(names)
        print(f"{len(names):,} removed, {len(index):,} are left")
    return 0


def _refit(arguments: argparse.Namespace) -> int:
    with hn.Index.open(arguments.index) as index:
        print(index.refit().text(index.bits))
    return 0


def _stat(arguments: argparse.Namespace) -> int:
    with hn.Index.open(arguments.index) as index:
        told = index.stat()
    labels = told.pop("labels")
    for key, value in told.items():
        print(
            f"{key:9} {value:,}" if type(value) is int else f"{key:9} {value}"
        )
    _print_some(
        [f"{label} {count:,}" for label, count in labels.items()], " labels"
    )
    return 0


def _print_some(lines: list[str], what: str = "") -> None:
    for line in lines[:SHOWN]:
        print(f"  {line}")
    if len(lines) > SHOWN:
        print(f"  and {len(lines) - SHOWN:,} more{what}")


def _copy(arguments: argparse.Namespace) -> int:
    given = [p for p in (arguments.path, arguments.to) if p is not None]
    if len(given) != 1:
        raise ValueError(
            "A copy needs either a file or --to."
            f" Received: {' and '.join(given) or 'none of them'}"
        )
    (to,) = given
    with hn.Index.open(arguments.index) as index:
        # A file by such a name is given as ./word:name.
        if not re.match("[a-z][a-z-]+:", to):
            index.copy(to)
            print(f"Copied into {to}")
            return 0
        try:
            print(index.copy_to(to).text())
        except ImportError as error:
            # Told in one line, as other input that is wrong.
            raise ValueError(str(error)) from error
        print(
            f"{len(index):,} codes of {index.bits} bits were read back and are"
            " those of the index"
        )
    return 0


def _encoder(arguments: argparse.Namespace) -> int:
    with hn.Index.open(arguments.index) as index:
        print(f"Written into {index.write_encoder(arguments.to)}")
    return 0


_ACTIONS = {
    "add": _add,
    "search": _search,
    "duplicates": _duplicates,
    "remove": _remove,
    "refit": _refit,
    "stat": _stat,
    "copy": _copy,
    "encoder": _encoder,
}


if __name__ == "__main__":
    from hashnet_tf.tools.main import main_of

    main_of("index")
