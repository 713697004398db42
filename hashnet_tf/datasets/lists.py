"""Lists of images in the format of the released code."""

import codecs
import pathlib

import numpy as np

from hashnet_tf.datasets.file_images import FileImages
from hashnet_tf.datasets.retrieval_dataset import RetrievalDataset


def load_lists(place, seed=0, query_per_class=None, train_per_class=None):
    """Loads `train.txt`, `query.txt` and `database.txt` ("lists:DIR").

    Each line is a path relative to DIR, without blanks in it, then zero-or-one
    labels, separated by blanks. A row of one 1 each is kept as it is: labels
    are a matrix here. The encoding is UTF-8, with or without a byte order
    mark.

    Args:
        place: Str, DIR.
        seed: Not used: the lists are the split.
        query_per_class: Must be None.
        train_per_class: Must be None.

    Returns:
        `RetrievalDataset`.

    Raises:
        ValueError: If a list is missing or empty, or a line is not as above:
            the message names file and line.
    """
    root = pathlib.Path(place)
    if not place or not root.is_dir():
        raise ValueError(
            f'"lists:DIR" needs an existing folder. Received: lists:{place}'
        )
    if query_per_class is not None or train_per_class is not None:
        raise ValueError(
            "Lists are the split: nothing can be drawn a class. Received:"
            f" query_per_class={query_per_class},"
            f" train_per_class={train_per_class}"
        )
    parts, width = {}, None
    for part in ("train", "query", "database"):
        parts[part] = _read(root, root / f"{part}.txt", width)
        width = parts[part].labels.shape[1]
    return RetrievalDataset(
        name=f"lists:{place}",
        protocol="Parts as listed in train.txt, query.txt, database.txt.",
        **parts,
    )


def _read(root, file, width):
    if not file.is_file():
        raise ValueError(
            '"lists:DIR" needs train.txt, query.txt and database.txt.'
            f" Received: no {file}"
        )
    paths, rows, origins = [], [], []
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if number == 1:
                line = line.removeprefix(codecs.BOM_UTF8)
            if not line.strip():
                continue
            origin = f"{file}:{number}"
            # As bytes, which are cut at ASCII blanks alone: a name may hold
            # any other.
            path, *labels = line.split()
            path = _checked_path(root, path, origin)
            if not labels or not set(labels) <= {b"0", b"1"}:
                raise ValueError(
                    f"{origin}: a path without blanks must be followed by"
                    f" labels 0 or 1. Received: {_excerpt(line)}"
                )
            width = len(labels) if width is None else width
            if len(labels) != width:
                raise ValueError(
                    f"{origin}: every line needs the same number of labels,"
                    f" {width}. Received: {len(labels)}"
                )
            paths.append(path)
            rows.append(np.array(labels, dtype="S1").astype(np.uint8))
            origins.append(origin)
    if not paths:
        raise ValueError(f"A list needs at least one image. Received: {file}")
    images = FileImages(root, paths, np.stack(rows), origins)
    if missing := images.missing():
        raise ValueError(
            f"{len(missing)} of the {len(images)} images of {file} are not"
            f" there. Received: {images.where(missing[0])}"
        )
    return images


def _checked_path(root, path, origin):
    try:
        path = path.decode()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{origin}: lists must be UTF-8. Received: {_excerpt(path)}"
        ) from error
    # As written, not resolved: a link inside DIR may lead to a large disk.
    if (
        pathlib.PurePath(path).is_absolute()
        or ".." in pathlib.PurePath(path).parts
    ):
        raise ValueError(
            f"{origin}: paths must lie inside {root}. Received: {path}"
        )
    return path


def _excerpt(line):
    return repr(line.strip()[:80].decode(errors="backslashreplace"))
