"""Pairs of items in a file, by their names."""

import collections.abc
import csv
import dataclasses
import math
import os
import pathlib
import typing

import numpy as np
import numpy.typing as npt

from hashnet_tf.datasets.images.file_images import FileImages
from hashnet_tf.datasets.sources.pool import Pool
from hashnet_tf.datasets.sources.reading import looked_for
from hashnet_tf.datasets.sources.vectors import PARQUET, parquet_table

TEXT = {".csv": ",", ".tsv": "\t"}
# From this grade on a pair is similar.
SIMILAR = 0.5


@dataclasses.dataclass(frozen=True)
class GivenPairs:
    """Pairs of items of a set.

    Attributes:
        rows: int64 `[m, 3]`, rows of the set and s_ij: 1 similar, 0 dissimilar,
            -1 unknown.
        notes: Tuple of str, what was left out.
    """

    rows: npt.NDArray[np.int64]
    notes: tuple[str, ...]


def read_pairs(place: str, names: collections.abc.Sequence[str]) -> GivenPairs:
    """Reads pairs of items that have names.

    A file of two or three columns, a pair a row: two names, such as the ids of
    vectors or the paths of images in their folder, and how similar they are, 1
    where there is no third column. Between 0 and 1 a pair is similar from .5
    on, else dissimilar; -1 is unknown, so that it is no negative either. A
    first row that names no item is taken for the names of the columns.

    ```text
    query,item              X.csv, or X.tsv with tabs
    red shoes,sku-4711
    ```

    Or a Parquet or Arrow file of as many columns, whatever they are called.

    Args:
        place: Str, the file.
        names: Sequence of n str that differ.

    Returns:
        `GivenPairs`.

    Raises:
        ValueError: If the file is not there or not as above, a row names no
            item, or fewer than two pairs are similar.
        ImportError: If a Parquet file is read without pyarrow.

    Example:

    >>> import pathlib, tempfile
    >>> from hashnet_tf.datasets.sources.pairs import read_pairs
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "clicks.csv")
    ...     _ = path.write_text("query,item\\na,c\\nb,c\\n")
    ...     read_pairs(str(path), ["a", "b", "c"]).rows.tolist()
    [[0, 2, 1], [1, 2, 1]]
    """
    row_of = {name: row for row, name in enumerate(names)}
    rows, notes = _rows(place, row_of.__contains__)
    return _resolved(place, rows, row_of, notes)


def read_paired_images(place: str) -> Pool:
    """Reads the images that a file of pairs names ("pairs:FILE").

    As `read_pairs`, of names that are paths, relative to the folder of FILE or
    in full.

    Args:
        place: Str, FILE.

    Returns:
        `Pool` with `pairs`, whose images are all that are named, by name.

    Raises:
        ValueError: As `read_pairs`, or if a path is no file.
        ImportError: As `read_pairs`.
    """
    root = os.path.dirname(place)

    def is_image(name: str) -> bool:
        return os.path.isfile(os.path.join(root, name))

    rows, notes = _rows(place, is_image)
    names = sorted({name for row in rows.values() for name in row[:2]})
    missing = [name for name in names if not is_image(name)]
    if missing:
        raise ValueError(
            f"pairs:{place}: each name must be the path of an image, relative"
            f" to {root or 'this folder'} or in full. Received: {len(missing)}"
            f" of {len(names)} that are no file, the first {missing[0]!r}"
        )
    row_of = {name: row for row, name in enumerate(names)}
    given = _resolved(place, rows, row_of, notes)
    return Pool(
        FileImages(root, names, None), pairs=given.rows, notes=given.notes
    )


# Of a row two names and the grade, by the number of its line.
Rows = dict[int, tuple[str, str, float]]


def _rows(
    place: str, is_item: collections.abc.Callable[[str], bool]
) -> tuple[Rows, tuple[str, ...]]:
    """Returns the rows of a file, and a note where the first was none."""
    path = pathlib.Path(place)
    if not place or not path.is_file():
        raise ValueError(
            '"pairs:FILE" needs an existing file.'
            f" Received: {looked_for('pairs', place)}"
        )
    kind = path.suffix.lower()
    try:
        if kind in TEXT:
            lines = _lines(path, TEXT[kind])
        elif kind in PARQUET:
            lines = _columns(path)
        else:
            raise ValueError(
                f"A file of pairs ends in {', '.join((*TEXT, *PARQUET))}."
                f" Received: {path.name}"
            )
        notes = ()
        if kind in TEXT and lines:
            first = next(iter(lines))
            if not any(map(is_item, lines[first][:2])):
                header = ", ".join(lines.pop(first))
                notes = (f"{header!r} was taken for the names of the columns",)
        rows = {line: _row(line, cells) for line, cells in lines.items()}
        return rows, notes
    except ValueError as error:
        raise ValueError(f"pairs:{place}: {error}") from error


def _lines(path: pathlib.Path, delimiter: str) -> dict[int, list[str]]:
    lines = {}
    try:
        # With or without a byte order mark.
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            for cells in reader:
                if cells:
                    lines[reader.line_num] = cells
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(
            f"it must be text in UTF-8. Received: {error}"
        ) from None
    return lines


def _columns(path: pathlib.Path) -> dict[int, list[typing.Any]]:
    table = parquet_table(path)
    columns = [column.to_pylist() for column in table.columns]
    rows = zip(*columns, strict=True)
    return {line: list(cells) for line, cells in enumerate(rows, start=1)}


def _row(line: int, cells: list[typing.Any]) -> tuple[str, str, float]:
    if len(cells) not in (2, 3) or None in cells:
        raise ValueError(
            "A pair is two names, and how similar they are where that is"
            f" known. Received: {cells} in row {line}"
        )
    try:
        grade = float(cells[2]) if len(cells) == 3 else 1.0
    except ValueError:
        grade = math.nan
    if not (grade == -1 or 0 <= grade <= 1):
        raise ValueError(
            "How similar a pair is must be from 0 to 1, or -1 where it is"
            f" unknown. Received: {cells[2]!r} in row {line}"
        )
    return str(cells[0]), str(cells[1]), grade


def _resolved(
    place: str, rows: Rows, row_of: dict[str, int], notes: tuple[str, ...]
) -> GivenPairs:
    unknown = [
        (name, line)
        for line, row in rows.items()
        for name in row[:2]
        if name not in row_of
    ]
    if unknown:
        name, line = unknown[0]
        raise ValueError(
            f"pairs:{place}: each name must be that of one of"
            f" {len(row_of)} items, such as {next(iter(row_of), None)!r}."
            f" Received: {len(unknown)} that are not, the first {name!r} in"
            f" row {line}"
        )
    found = np.array(
        [
            (row_of[one], row_of[other], -1 if grade < 0 else grade >= SIMILAR)
            for one, other, grade in rows.values()
        ],
        np.int64,
    ).reshape(-1, 3)
    with_itself = found[:, 0] == found[:, 1]
    found = found[~with_itself]
    if (found[:, 2] > 0).sum() < 2:
        raise ValueError(
            f"pairs:{place}: at least two pairs must be similar. Received:"
            f" {(found[:, 2] > 0).sum()} of {len(rows)}"
        )
    if with_itself.any():
        notes += (
            f"{with_itself.sum()} of {len(rows)} pairs are of an item with"
            " itself and left out",
        )
    return GivenPairs(found, notes)
