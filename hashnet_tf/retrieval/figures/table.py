"""The numbers behind a figure, as a CSV file beside it."""

import csv
from pathlib import Path


def table_path(path):
    """Says where the numbers of a figure lie.

    Args:
        path: Str or path of the PNG.

    Returns:
        `pathlib.Path`: the same stem with `.csv`. A name that does not end in
        `.png` gets `.csv` behind it, so that the two never are one file.

    Example:

    >>> from hashnet_tf.retrieval.figures.table import table_path
    >>> table_path("figures/map.png").as_posix()
    'figures/map.csv'
    """
    path = Path(path)
    if path.suffix.lower() == ".png":
        return path.with_suffix(".csv")
    return path.with_name(f"{path.name}.csv")


def write_table(columns, rows, path):
    """Writes a CSV file whose floats read back as the same floats.

    Args:
        columns: List of str, the header.
        rows: Iterable of lists, each as long as `columns`: strings, integers,
            floats, or None for an empty cell.
        path: Str or path.

    Raises:
        ValueError: If a row is longer or shorter than `columns`.

    Example:

    >>> import pathlib, tempfile
    >>> from hashnet_tf.retrieval.figures.table import write_table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "a.csv")
    ...     write_table(["bits", "map"], [[16, 0.1], [32, None]], path)
    ...     path.read_text().split()
    ['bits,map', '16,0.1', '32,']
    """
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            if len(row) != len(columns):
                raise ValueError(
                    f"Each row must hold the columns {columns}."
                    f" Received: row={row}"
                )
            writer.writerow([_exact(value) for value in row])


def _exact(value):
    # A float32 prints fewer digits than the float64 it is equal to has.
    return value.item() if hasattr(value, "item") else value
