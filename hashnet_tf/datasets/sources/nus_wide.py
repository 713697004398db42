"""NUS-WIDE as the National University of Singapore released it."""

import pathlib

import numpy as np

from hashnet_tf.datasets.images.file_images import FileImages
from hashnet_tf.datasets.sources._paths import (
    first_with,
    needed_file,
    needed_folder,
    present,
)
from hashnet_tf.datasets.sources.pool import Pool

NEEDS = (
    "The layout nus_wide needs DIR/Concepts81.txt or"
    " DIR/ConceptsList/Concepts81.txt, DIR/ImageList/Imagelist.txt,"
    " DIR/Groundtruth/AllLabels/Labels_CONCEPT.txt for each concept, and the"
    " images in DIR/Flickr or DIR/images."
)
CONCEPTS = 81


def read_nus_wide(place: str) -> Pool:
    r"""Reads NUS-WIDE with the ground truth of its 81 concepts.

        DIR/ConceptsList/Concepts81.txt             or DIR/Concepts81.txt
        DIR/Groundtruth/AllLabels/Labels_airport.txt, ...
        DIR/ImageList/Imagelist.txt                 actor\0001_2124494179.jpg
        DIR/Flickr/actor/0001_2124494179.jpg        or DIR/images/actor/...

    Line i of each file of labels is 1 if the image on line i of the list
    shows the concept, else 0. Images are in the order of the list, columns in
    that of Concepts81.txt, which is the alphabet's. Many images are no longer
    on Flickr: those that are missing are left out.

    Args:
        place: Str, DIR.

    Returns:
        `Pool` with a matrix of labels `[n, 81]` and no test part.

    Raises:
        ValueError: If a file or all images are missing, there are not 81
            concepts, a line of labels is not 0 or 1, or the files have not
            equally many lines.
    """
    root = pathlib.Path(needed_folder(place, NEEDS))
    lists = first_with(
        [root / "ConceptsList", root],
        lambda folder: (folder / "Concepts81.txt").is_file(),
        NEEDS,
    )
    concepts = _lines(lists / "Concepts81.txt")
    if len(set(concepts)) != CONCEPTS or len(concepts) != CONCEPTS:
        raise ValueError(
            f"{lists / 'Concepts81.txt'}: {CONCEPTS} different concepts are"
            f" needed. Received: {len(concepts)} lines, {len(set(concepts))}"
            " of them different"
        )
    listed = root / "ImageList" / "Imagelist.txt"
    paths = [line.replace("\\", "/") for line in _lines(listed)]
    labels = np.zeros((len(paths), CONCEPTS), dtype=np.uint8)
    for column, concept in enumerate(concepts):
        file = root / "Groundtruth" / "AllLabels" / f"Labels_{concept}.txt"
        column_labels = _zeros_and_ones(file)
        if len(column_labels) != len(paths):
            raise ValueError(
                f"{file}: one line is needed for each of the {len(paths)} of"
                f" {listed}. Received: {len(column_labels)}"
            )
        labels[:, column] = column_labels
    images = first_with(
        [root / "Flickr", root / "images"], lambda folder: True, NEEDS
    )
    there, notes = present(images, paths)
    return Pool(
        images=FileImages(
            images,
            [paths[i] for i in np.flatnonzero(there)],
            labels[there],
        ),
        class_names=concepts,
        notes=notes,
    )


def _lines(file):
    """Returns the lines that are not blank, as list of str."""
    needed_file(file, NEEDS)
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{file}: must be UTF-8. Received: {error}") from error
    return [line.strip() for line in text.split("\n") if line.strip()]


def _zeros_and_ones(file):
    """Returns the labels of a file, boolean `[n]`."""
    content = needed_file(file, NEEDS).read_bytes()
    values = content.split()
    if not set(values) <= {b"0", b"1"}:
        number, line = next(
            (number, line)
            for number, line in enumerate(content.splitlines(), start=1)
            if not set(line.split()) <= {b"0", b"1"}
        )
        raise ValueError(
            f"{file}:{number}: a line must be 0 or 1. Received: {line[:80]!r}"
        )
    return np.array(values, dtype="S1") == b"1"
