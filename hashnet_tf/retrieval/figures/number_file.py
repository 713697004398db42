"""The numbers behind a figure, as CSV beside it."""

import csv

from hashnet_tf.atomic import written_beside


def save_numbers(path, header, rows):
    """Writes the numbers of a figure beside its PNG, whole or not at all.

    Args:
        path: Path of the PNG; the file has its name, ending in .csv.
        header: List of str, the columns' names.
        rows: List of lists; None leaves a field empty.

    Returns:
        The path of the CSV, a `pathlib.Path`.

    Example:

    >>> import pathlib, tempfile
    >>> from hashnet_tf.retrieval.figures.number_file import save_numbers
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "curve.png")
    ...     save_numbers(path, ["N", "ours"], [[100, 0.5]]).read_text().split()
    ['N,ours', '100,0.5']
    """
    path = path.with_suffix(".csv")
    with written_beside(path) as beside, beside.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    return path
