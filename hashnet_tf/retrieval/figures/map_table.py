"""A table of methods against code lengths, the best of each in bold."""

from pathlib import Path

from hashnet_tf.retrieval.figures.canvas import new_figure, save_png
from hashnet_tf.retrieval.figures.number_file import save_numbers


def plot_map_table(rows, path):
    """Draws a table like Table 1 of HashNet (ICCV 2017).

    Args:
        rows: Dict from a method's name to a dict from a column ("16 bits") to
            a number or None; columns stand in the order of the first row.
        path: Str or path of the PNG; the numbers go into a .csv beside it.

    Returns:
        The path, a `pathlib.Path`.

    Raises:
        ValueError: If there are no rows or no columns, or the columns of the
            rows differ.

    Example:

    >>> import tempfile
    >>> from hashnet_tf.retrieval import plot_map_table
    >>> rows = {"HashNet": {"16 bits": 0.5059, "32 bits": 0.6306},
    ...         "DHN": {"16 bits": 0.3106, "32 bits": 0.4717}}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plot_map_table(rows, f"{folder}/table.png").name
    'table.png'
    """
    path = Path(path)
    columns = list(next(iter(rows.values()), ()))
    if not columns or any(set(row) != set(columns) for row in rows.values()):
        raise ValueError(
            "`rows` must hold one row or more, all of the same columns."
            f" Received: rows={rows}"
        )
    best = {
        column: max(
            (row[column] for row in rows.values() if row[column] is not None),
            default=None,
        )
        for column in columns
    }
    figure = new_figure(1.8 + 1.1 * len(columns), 0.6 + 0.32 * len(rows))
    axes = figure.subplots()
    axes.axis("off")
    table = axes.table(
        [
            ["" if row[c] is None else f"{row[c]:.4f}" for c in columns]
            for row in rows.values()
        ],
        rowLabels=list(rows),
        colLabels=columns,
        loc="center",
        cellLoc="center",
        edges="horizontal",
    )
    table.auto_set_font_size(False)
    table.set_fontsize(10)
    table.scale(1, 1.4)
    for line, row in enumerate(rows.values(), start=1):
        for place, column in enumerate(columns):
            if row[column] is not None and row[column] == best[column]:
                table[line, place].get_text().set_weight("bold")
    save_numbers(
        path,
        ["method", *columns],
        [[name, *(row[c] for c in columns)] for name, row in rows.items()],
    )
    return save_png(figure, path)
