"""Lists of images in the format of the released code."""

import codecs
import dataclasses
import hashlib
import os
import pathlib

import numpy as np

from hashnet_tf.datasets.images.file_images import FileImages
from hashnet_tf.datasets.images.image_set import ImageSet
from hashnet_tf.datasets.retrieval_dataset import PARTS, RetrievalDataset
from hashnet_tf.datasets.sources._lists_json import (
    LISTS_JSON,
    read_lists_json,
)
from hashnet_tf.datasets.sources._paths import (
    foreign_prefix,
    lies_inside,
    reason_of,
)
from hashnet_tf.datasets.sources.reading import looked_for, read_pool

# As the released code names its lists, where it has another name.
RELEASED = {"query": "test"}
SHOWN = 10


@dataclasses.dataclass(frozen=True)
class _Lines:
    file: pathlib.Path
    names: list[str]
    labels: np.ndarray
    origins: list[str]


def load_lists(place: str) -> RetrievalDataset:
    """Loads `train.txt`, `query.txt` and `database.txt` ("lists:DIR").

    Where there is no `query.txt`, `test.txt` is read. Each line is a path
    relative to DIR, without blanks in it, then zero-or-one labels, separated
    by blanks; in `train.txt` a label may be -1, unknown. A row of one 1 each
    is kept as it is: labels are a matrix here. The encoding is UTF-8, with or
    without a byte order mark.

    If the first path of a list is no file below DIR but becomes one without
    its beginning, as the paths of the released lists do, that beginning is
    taken off the list's paths, and a remark tells so.

    A `lists.json` in DIR may say that the images lie elsewhere, or that the
    lists hold names of images of another source, and tell more: see
    `hashnet_tf.datasets.sources._lists_json.ListsJson`.

    Args:
        place: Str, DIR.

    Returns:
        `RetrievalDataset`.

    Raises:
        ValueError: If a list is missing or empty, a line is not as above or
            an image is not there: the message names file and line.
    """
    folder = pathlib.Path(place)
    if not place or not folder.is_dir():
        raise ValueError(
            '"lists:DIR" needs an existing folder.'
            f" Received: {looked_for('lists', place)}"
        )
    said = read_lists_json(folder)
    pool = None
    if said.data is not None:
        try:
            pool = read_pool(said.data)
        except ValueError as error:
            raise ValueError(f"{folder / LISTS_JSON}: {error}") from error
    root = folder / (said.images or "")
    listed, remarks, width = {}, list(said.remarks or ()), None
    for part in PARTS:
        marks = {b"0", b"1", b"-1"} if part == "train" else {b"0", b"1"}
        lines = _read(_file_of(folder, part), marks, width)
        width = lines.labels.shape[1]
        if pool is None:
            lines = _inside(root, lines, remarks)
        listed[part] = lines
    parts: dict[str, ImageSet]
    if pool is None:
        parts = _files(root, listed)
    else:
        parts = {
            part: _chosen(pool.images, said.data, lines)
            for part, lines in listed.items()
        }
    if pool is not None and said.digest not in (None, listed_digest(parts)):
        raise ValueError(
            f"{folder / LISTS_JSON}: the images of {said.data} must be those"
            " that were listed. Received: others of the same names"
        )
    classes = said.classes
    if classes is None and pool is not None and pool.class_names is not None:
        classes = pool.class_names if len(pool.class_names) == width else None
    if classes is not None and len(classes) != width:
        raise ValueError(
            f'{folder / LISTS_JSON}: "classes" must name the {width} labels of'
            f" a line. Received: {len(classes)} classes"
        )
    overlaps = RetrievalDataset.overlaps
    if said.overlaps is not None:
        overlaps = tuple(said.overlaps)
    return RetrievalDataset(
        name=f"lists:{place}",
        protocol=said.protocol
        or "Parts as listed in train.txt, query.txt, database.txt.",
        class_names=classes,
        at=said.at,
        overlaps=overlaps,
        remarks=tuple(remarks),
        train=parts["train"],
        query=parts["query"],
        database=parts["database"],
    )


def listed_digest(parts: dict[str, ImageSet]) -> str:
    """Returns a hex digest of which images parts hold.

    Args:
        parts: Dict from "train", "query" and "database" to `ImageSet`.
    """
    digest = hashlib.sha256()
    for part in PARTS:
        digest.update("\0".join(parts[part].identities()).encode())
    return digest.hexdigest()


def _file_of(folder: pathlib.Path, part: str) -> pathlib.Path:
    file = folder / f"{part}.txt"
    released = folder / f"{RELEASED.get(part, part)}.txt"
    for there in (file, released):
        if there.is_file():
            return there
    raise ValueError(
        '"lists:DIR" needs train.txt, query.txt (or test.txt) and'
        f" database.txt. Received: no {file}"
    )


def _read(file: pathlib.Path, marks: set[bytes], width: int | None) -> _Lines:
    names, rows, origins = [], [], []
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if number == 1:
                line = line.removeprefix(codecs.BOM_UTF8)
            if not line.strip():
                continue
            origin = f"{file}:{number}"
            # As bytes, which are cut only at ASCII blanks: a name may hold
            # any other.
            name, *labels = line.split()
            names.append(_decoded(name, origin))
            if not labels or not set(labels) <= marks:
                allowed = "0, 1 or -1" if b"-1" in marks else "0 or 1"
                raise ValueError(
                    f"{origin}: a path without blanks must be followed, for"
                    " each class and not by the id of one, by labels"
                    f" {allowed}. Received: {_excerpt(line)}"
                )
            if len(labels) == 1:
                raise ValueError(
                    f"{origin}: a path must be followed by a label for each of"
                    " two classes or more, as 0 1 for the second of two; a"
                    f" class id is no such row. Received: {_excerpt(line)}"
                )
            width = len(labels) if width is None else width
            if len(labels) != width:
                raise ValueError(
                    f"{origin}: every line needs the same number of labels,"
                    f" {width}. Received: {len(labels)}"
                )
            rows.append(np.array(labels, dtype="S2").astype(np.int8))
            origins.append(origin)
    if not names:
        raise ValueError(f"A list needs at least one image. Received: {file}")
    return _Lines(file, names, np.stack(rows), origins)


def _inside(root: pathlib.Path, lines: _Lines, remarks: list[str]) -> _Lines:
    """Returns the lines with paths below `root`; a remark tells what went."""
    if "\\" in lines.names[0] and not (root / lines.names[0]).is_file():
        remarks.append(
            f"backslashes in the paths of {lines.file.name} are read as slashes"
        )
        names = [name.replace("\\", "/") for name in lines.names]
        lines = dataclasses.replace(lines, names=names)
    prefix = foreign_prefix(root, lines.names[0])
    if prefix:
        count = sum(name.startswith(prefix) for name in lines.names)
        remarks.append(
            f"{count} of {len(lines.names)} paths of {lines.file.name} are"
            f" read without their beginning {prefix}"
        )
    paths = [name.removeprefix(prefix) for name in lines.names]
    for path, name, origin in zip(
        paths, lines.names, lines.origins, strict=True
    ):
        if not lies_inside(path):
            raise ValueError(
                f"{origin}: paths must lie inside {root}. Received: {name}"
            )
    return dataclasses.replace(lines, names=paths)


def _files(
    root: pathlib.Path, listed: dict[str, _Lines]
) -> dict[str, ImageSet]:
    """Returns the parts, of one set: an image of two is looked for once."""
    images = FileImages(
        root,
        [name for lines in listed.values() for name in lines.names],
        np.concatenate([lines.labels for lines in listed.values()]),
        [origin for lines in listed.values() for origin in lines.origins],
    )
    missing = [_missing(images, position) for position in images.missing()]
    if missing:
        raise ValueError(
            f"{len(missing)} of the {len(images)} listed images are not there."
            f" Received: {', '.join(missing[:SHOWN])}"
            + (", ..." if len(missing) > SHOWN else "")
        )
    parts, start = {}, 0
    for part, lines in listed.items():
        stop = start + len(lines.names)
        parts[part] = images.subset(np.arange(start, stop))
        start = stop
    return parts


def _missing(images: FileImages, position: int) -> str:
    path = os.path.join(images.root, images.names[position])
    return images.where(position) + reason_of(path)


def _chosen(images: ImageSet, word: str | None, lines: _Lines) -> ImageSet:
    position = {name: i for i, name in enumerate(images.names)}
    missing = [i for i, name in enumerate(lines.names) if name not in position]
    if missing:
        raise ValueError(
            f"{len(missing)} of the {len(lines.names)} images of {lines.file}"
            f" are not among those of {word}. Received:"
            f" {lines.origins[missing[0]]}: {lines.names[missing[0]]}"
        )
    try:
        chosen = images.subset([position[name] for name in lines.names])
    except ValueError as error:
        raise ValueError(f"{lines.file}: {error}") from error
    return chosen.relabelled(lines.labels)


def _decoded(name: bytes, origin: str) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{origin}: lists must be UTF-8. Received: {_excerpt(name)}"
        ) from error


def _excerpt(line: bytes) -> str:
    return repr(line.strip()[:80].decode(errors="backslashreplace"))
