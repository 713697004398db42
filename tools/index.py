"""Keeps an index of your pictures: add, search, duplicates, remove, stat.

No labels and no training are needed. The first `add` makes the index: it takes
the features of a pretrained network and learns from your own pictures, in
seconds, how to make them codes. A later one encodes what is new or changed.
All of it, the encoder too, lies in one file.

  hashnet index add PHOTOS --index=photos.index
  hashnet index search photo.jpg --index=photos.index

Vectors, in a file as --data=vectors:FILE reads it, go into an index of their
own in the same way:

  hashnet index add words.npy --index=words.index
  hashnet index search queries.npy --index=words.index
"""

import argparse
import os
import re
import shlex
import typing
from collections.abc import Sequence

import hashnet_tf as hn
from hashnet_tf.runs._together import WITHOUT_WEIGHTS
from hashnet_tf.tools._index_flags import add_arguments

if typing.TYPE_CHECKING:
    from hashnet_tf.runs import Encoder

# The flags that settle the encoder of an index that is begun.
TRAINED = ("model", "workdir")
PRETRAINED = ("bits", "backbone", "weights", "image_size")
SHOWN = 10
# Pictures of a row of a sheet, of a query, and queries of a sheet.
A_ROW, DRAWN, DRAWN_QUERIES = 9, 26, 8

__all__ = ["add_arguments", "run"]


def run(arguments: argparse.Namespace) -> int:
    """Does what is asked; returns the exit code."""
    return _ACTIONS[arguments.action](arguments)


def _add(arguments: argparse.Namespace) -> int:
    there = os.path.exists(arguments.index)
    given = _given(arguments, TRAINED + PRETRAINED)
    given += ["--no-keep_features"] * (not arguments.keep_features)
    if there and given:
        raise ValueError(
            f"{arguments.index} is there and keeps its encoder: none of"
            f" {', '.join(given)} can be given. Received: {given[0]}"
        )
    if any(map(_is_of_vectors, arguments.paths)):
        return _add_vectors(arguments, there)
    found = hn.index.find_pictures(arguments.paths)
    # Else an empty index would be made.
    if not there and not found.paths:
        raise ValueError(f"Pictures are needed. Received: {found.text()}")
    with _opened(arguments, there, found.paths) as index:
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
        _tell_index(index, fitted is None, "IMAGE")
    return 0


def _add_vectors(arguments: argparse.Namespace, there: bool) -> int:
    # Here, for help and errors in flags should not wait for it.
    from hashnet_tf.datasets import Vectors
    from hashnet_tf.datasets.sources.vectors import read_vectors

    unread = _given(arguments, ("backbone", "weights", "image_size"))
    unread += ["--prune"] * arguments.prune + ["--verify"] * arguments.verify
    if len(arguments.paths) > 1 or unread:
        raise ValueError(
            "A file of vectors is added alone, without flags of pictures."
            f" Received: {', '.join([*arguments.paths, *unread])}"
        )
    (path,) = arguments.paths
    pool = read_vectors(path)
    vectors, names = pool.images, pool.class_names
    assert isinstance(vectors, Vectors)
    labels = None
    if vectors.is_labelled:
        if vectors.labels.ndim > 1:
            raise ValueError(
                "An index keeps one label of each. Received: a matrix of labels"
            )
        labels = [
            None if i < 0 else str(i) if names is None else names[i]
            for i in vectors.labels.tolist()
        ]
    for note in pool.notes:
        print(f"Note: {note}")
    with _opened(arguments, there, width=vectors.width) as index:
        fitted = index.fit
        changes = index.add_vectors(vectors.names, vectors.array(), labels)
        print(changes.text())
        _tell_index(index, fitted is None, "FILE")
    return 0


def _is_of_vectors(path: str) -> bool:
    # Here, for help and errors in flags should not wait for it.
    from hashnet_tf.datasets.sources.vectors import ENDINGS

    return path.lower().endswith(ENDINGS)


def _tell_index(index: hn.Index, is_new: bool, query: str) -> None:
    """Prints what is in an index, and what to do next."""
    flag = shlex.join([f"--index={index.path}"])
    if index.fit is not None and is_new:
        print(index.fit.text(index.bits, index.unit))
    elif (told := index.outgrown()) is not None:
        print(f"{told}; to learn the codes anew: hashnet index refit {flag}")
    print(
        f"{len(index):,} {index.unit} by {index.bits} bits in {index.path}."
        f" Search them with:\n  hashnet index search {query} {flag}"
    )


def _given(arguments: argparse.Namespace, names: Sequence[str]) -> list[str]:
    return [f"--{n}" for n in names if getattr(arguments, n) is not None]


def _opened(
    arguments: argparse.Namespace,
    there: bool,
    paths: Sequence[str] = (),
    width: int | None = None,
) -> hn.Index:
    if there:
        return hn.Index.open(arguments.index)
    encoder, fit = _new_encoder(arguments, paths, width)
    return hn.Index.open(
        arguments.index,
        encoder=encoder,
        fit=fit,
        keep_features=arguments.keep_features,
    )


def _new_encoder(
    arguments: argparse.Namespace, paths: Sequence[str], width: int | None
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
    bits = arguments.bits or 128
    if width is not None:
        return hn.export.vector_encoder(width, bits), True
    size = arguments.image_size or hn.index.usual_size(list(paths))
    backbone = arguments.backbone or "MobileNetV2"
    weights = arguments.weights
    if weights is None and backbone not in WITHOUT_WEIGHTS:
        weights = "imagenet"
    print(f"Making an encoder: {backbone} at {size} pixels, {bits} bits")
    encoder = hn.export.backbone_encoder(backbone, weights, size, bits)
    return encoder, True


def _search(arguments: argparse.Namespace) -> int:
    asked = [arguments.image]
    queries: Sequence[typing.Any] = asked
    if _is_of_vectors(arguments.image):
        from hashnet_tf.datasets.sources.vectors import open_vectors

        vectors = open_vectors(arguments.image)
        asked, queries = vectors.names, list(vectors.array())
        if arguments.figure:
            raise ValueError(
                "Pictures can be drawn. Received: --figure, and vectors"
            )
    elif os.path.isdir(arguments.image):
        queries = asked = hn.index.find_pictures(asked).paths
    with hn.Index.open(arguments.index) as index:
        found = [
            index.search(query, arguments.k, arguments.rerank, arguments.by)
            for query in queries
        ]
    for path, hits in zip(asked, found, strict=True):
        if len(asked) > 1:
            print(path)
        print(_table(hits, arguments.by))
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


def _table(hits: list[hn.index.Hit], by: str) -> str:
    width = max([len("label"), *(len(hit.label or "") for hit in hits)])
    column = "by z" if by == "z" else "cosine"
    lines = [f"rank  distance  {column:>6}  {'label':{width}}  image"]
    for rank, hit in enumerate(hits, start=1):
        value = hit.asymmetric if by == "z" else hit.similarity
        told = "" if value is None else f"{value:.3f}"
        lines.append(
            f"{rank:4}  {hit.distance:8}  {told:>6}"
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
        print(index.refit().text(index.bits, index.unit))
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
