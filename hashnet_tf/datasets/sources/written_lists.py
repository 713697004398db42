"""Writes the parts of a data set as lists."""

import contextlib
import os
import pathlib

from hashnet_tf._files import write_json, written_beside
from hashnet_tf.datasets.images.file_images import FileImages
from hashnet_tf.datasets.images.image_set import ImageSet
from hashnet_tf.datasets.protocol import protocols
from hashnet_tf.datasets.retrieval_dataset import PARTS, RetrievalDataset
from hashnet_tf.datasets.sources._lists_json import (
    LISTS_JSON,
    ListsJson,
    read_lists_json,
)
from hashnet_tf.datasets.sources._paths import lies_inside
from hashnet_tf.datasets.sources.lists import listed_digest
from hashnet_tf.datasets.sources.reading import placed
from hashnet_tf.retrieval.labels import label_matrix, label_width

# What load("lists:FOLDER") reads; none may be there already.
FILES = (*(f"{part}.txt" for part in PARTS), "test.txt", LISTS_JSON)


def write_lists(
    dataset: RetrievalDataset, folder: str | os.PathLike[str], source: str
) -> list[pathlib.Path]:
    """Writes `train.txt`, `query.txt`, `database.txt` and `lists.json`.

    `load("lists:FOLDER")` gives the same images in the same order with the
    same labels, and what is written of that has the same bytes. Class ids
    become rows with one 1; the row of a training image without a class is all
    -1, for nothing is known of its pairs, that of any other all 0.

    Files are listed by their paths. Where the images lie in FOLDER, it may be
    moved with them. Other images are listed by their names in `source`, which
    must be there when the lists are read.

    Args:
        dataset: `RetrievalDataset`.
        folder: Str or path; made if it is missing.
        source: Str, the word that `dataset` was loaded by.

    Returns:
        List of `pathlib.Path`, the files written.

    Raises:
        ValueError: If the folder holds lists already, or a name or label is
            one that lists cannot hold: a name with a blank, an unknown label
            outside of the training images. Nothing is written then.

    Example:

    >>> import tempfile, hashnet_tf as hn
    >>> from hashnet_tf.datasets.sources.written_lists import write_lists
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = write_lists(hn.datasets.load("digits"), folder, "digits")
    ...     len(hn.datasets.load(f"lists:{folder}").query)
    200
    """
    folder = pathlib.Path(folder)
    for name in FILES:
        if (folder / name).exists():
            raise ValueError(
                "Lists are written to a folder that holds none yet."
                f" Received: {folder} with {name}"
            )
    root = _root(dataset)
    said = ListsJson(
        images=root and _told_from(folder, root),
        data=None if root else _word_of_images(source),
        classes=dataset.class_names,
        protocol=dataset.protocol,
        remarks=list(dataset.remarks) or None,
        digest=None if root else listed_digest(_parts(dataset)),
        at=dataset.at,
        overlaps=list(dataset.overlaps),
    )
    width = label_width(dataset)
    texts = {
        part: _text(dataset, part, width, root is not None) for part in PARTS
    }
    # Renamed together at the end, when all of them are whole.
    with contextlib.ExitStack() as stack:
        for part, text in texts.items():
            beside = stack.enter_context(written_beside(folder / f"{part}.txt"))
            beside.write_bytes(text)
        beside = stack.enter_context(written_beside(folder / LISTS_JSON))
        write_json(beside, said.known())
    return [
        folder / name for name in (*(f"{p}.txt" for p in PARTS), LISTS_JSON)
    ]


def _root(dataset: RetrievalDataset) -> str | None:
    roots = {
        os.path.abspath(part.root) if isinstance(part, FileImages) else None
        for part in _parts(dataset).values()
    }
    return roots.pop() if len(roots) == 1 else None


def _parts(dataset: RetrievalDataset) -> dict[str, ImageSet]:
    return {part: getattr(dataset, part) for part in PARTS}


def _told_from(folder: str | os.PathLike[str], root: str) -> str:
    folder = os.path.abspath(folder)
    if os.path.commonpath([folder, root]) == folder:
        return pathlib.PurePath(os.path.relpath(root, folder)).as_posix()
    return root


def _word_of_images(source: str) -> str | None:
    kind, _, place = source.partition(":")
    protocol = protocols().get(kind)
    if kind == "lists" or (protocol is not None and protocol.drawing is None):
        return read_lists_json(place).data
    # As the folder of images: the lists may be read from anywhere.
    return placed(source)


def _text(
    dataset: RetrievalDataset, part: str, width: int, are_files: bool
) -> bytes:
    images = getattr(dataset, part)
    unknown = -1 if part == "train" else 0
    rows = label_matrix(images.labels, width, unlabelled=unknown)
    if part != "train" and (rows < 0).any():
        raise ValueError(
            "Lists hold unknown labels of training images alone."
            f" Received: {dataset.name} with some of {part} images"
        )
    lines = []
    for name, row in zip(images.names, rows.tolist(), strict=True):
        if not _can_be_listed(name) or (are_files and not lies_inside(name)):
            raise ValueError(
                "A list holds names in UTF-8 without blanks, and paths inside"
                f" one folder. Received: {part} image {name!r} of"
                f" {dataset.name}"
            )
        lines.append(f"{name} {' '.join(map(str, row))}\n")
    return "".join(lines).encode()


def _can_be_listed(name: str) -> bool:
    try:
        written = name.encode()
    except UnicodeEncodeError:
        return False
    # As the reader cuts a line; it takes a byte order mark off the first.
    return written.split() == [written] and not name.startswith("\ufeff")
