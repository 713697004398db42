"""MAP by method and by length of the codes, as a table."""

from hashnet_tf.retrieval.figures.canvas import new_figure, save_figure

# Inches.
LINE, GAP, MARGIN = 0.3, 0.3, 0.15
SIZE = 11


def plot_map_table(rows, path):
    """Draws a table of MAPs, the best of each column bold.

    As Table 1 of HashNet (ICCV 2017).

    Args:
        rows: Dict from a name to a dict from a column, for example "16 bits",
            to a value in [0, 1]. A row may lack a column, or hold None there;
            a dash shows it.
        path: Str or path of the PNG; the numbers lie beside it as CSV.

    Returns:
        The path, a `pathlib.Path`.

    Raises:
        ValueError: If there is no value at all, or if one is not within
            [0, 1].

    Example:

    >>> import tempfile
    >>> from hashnet_tf.retrieval.figures import plot_map_table
    >>> rows = {"HashNet": {"16 bits": 0.7, "32 bits": 0.8},
    ...         "ITQ": {"16 bits": 0.5}}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plot_map_table(rows, f"{folder}/map.png").name
    'map.png'
    """
    _check(rows)
    columns = list(dict.fromkeys(c for values in rows.values() for c in values))
    table = [
        [name, *(values.get(column) for column in columns)]
        for name, values in rows.items()
    ]
    best = [
        max((value for value in cells if value is not None), default=None)
        for cells in list(zip(*table, strict=True))[1:]
    ]
    lines = [[("", False), *((str(column), False) for column in columns)]]
    for name, *values in table:
        cells = [
            (_shown(value), value is not None and value == top)
            for value, top in zip(values, best, strict=True)
        ]
        lines.append([(name, False), *cells])
    return save_figure(_draw(lines), ["name", *map(str, columns)], table, path)


def _shown(value):
    return "–" if value is None else f"{value:.4f}"


def _draw(lines):
    figure = new_figure(1, 1)
    widths = [
        max(_width(figure, *cell) for cell in cells)
        for cells in zip(*lines, strict=True)
    ]
    ends = [MARGIN + widths[0]]
    for width in widths[1:]:
        ends.append(ends[-1] + GAP + width)
    width, height = ends[-1] + MARGIN, LINE * len(lines) + 2 * MARGIN
    figure.set_size_inches(width, height)
    for row, cells in enumerate(lines):
        y = 1 - (MARGIN + LINE * (row + 0.5)) / height
        for column, (text, bold) in enumerate(cells):
            _text(
                figure,
                (MARGIN if column == 0 else ends[column]) / width,
                y,
                text,
                bold,
                horizontalalignment="left" if column == 0 else "right",
                verticalalignment="center_baseline",
            )
    for row, thickness in ((0, 1.2), (1, 0.7), (len(lines), 1.2)):
        y = 1 - (MARGIN + LINE * row) / height
        _rule(figure, MARGIN / width, y, thickness)
    return figure


def _text(figure, x, y, text, bold, **alignment):
    return figure.text(
        x,
        y,
        text,
        fontsize=SIZE,
        fontweight="bold" if bold else "normal",
        parse_math=False,
        **alignment,
    )


def _width(figure, text, bold):
    drawn = _text(figure, 0, 0, text, bold)
    width = drawn.get_window_extent().width / figure.dpi
    drawn.remove()
    return width


def _rule(figure, margin, y, thickness):
    from matplotlib.lines import Line2D

    figure.add_artist(
        Line2D([margin, 1 - margin], [y, y], color="0", linewidth=thickness)
    )


def _check(rows):
    values = [
        (name, column, value)
        for name, cells in rows.items()
        for column, value in cells.items()
        if value is not None
    ]
    if not values:
        raise ValueError(
            "`rows` must hold at least one value. Received:"
            f" rows={dict(list(rows.items())[:2])}"
        )
    for name, column, value in values:
        # Written so that NaN fails too.
        if not 0 <= value <= 1:
            raise ValueError(
                "A MAP must be within [0, 1]."
                f" Received: {value} in row {name!r}, column {column!r}"
            )
