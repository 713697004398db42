"""A sheet of queries and the images found for them."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hashnet_tf.plots._canvas import check_image, new_figure, save_figure

RIGHT, WRONG, UNKNOWN = "#2a9d4a", "#d62f2f", "0.75"
# As many images stand side by side on a screen.
A_ROW = 8


def plot_neighbours(
    queries: Sequence[np.ndarray] | np.ndarray,
    neighbours: Sequence[Sequence[np.ndarray] | np.ndarray] | np.ndarray,
    right: npt.ArrayLike | None,
    titles: Sequence[Sequence[str]],
    path: str | os.PathLike[str],
) -> Path:
    """Draws each query and, to its right, its nearest images, eight a row.

    A frame is green and solid around a right image, red and dashed around a
    wrong one, and grey where `right` is None. The CSV file beside it holds one
    row an image found: the query from 0, the rank from 1, the title, and right
    as 1, 0 or nothing.

    Args:
        queries: Images, q of uint8 `[h, w, 3]`.
        neighbours: Images, q rows of k of uint8 `[h, w, 3]`, the nearest
            first; sizes may differ.
        right: Boolean `[q, k]`, or None where labels are not known.
        titles: q rows of k strings, shown above the images, for example the
            distances.
        path: Str or path of the PNG.

    Returns:
        The path, a `pathlib.Path`.

    Raises:
        ValueError: If there is no query or no neighbour, if the rows do not
            go together or if an image is not uint8 `[h, w, 3]`.

    Example:

    >>> import tempfile
    >>> import numpy as np
    >>> from hashnet_tf.plots import plot_neighbours
    >>> images = np.zeros((2, 8, 8, 3), "uint8")
    >>> found, right = images[[[0, 1], [1, 0]]], [[True, False]] * 2
    >>> titles = [["0", "3"]] * 2
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = f"{folder}/sheet.png"
    ...     plot_neighbours(images, found, right, titles, path).name
    'sheet.png'
    """
    q, k = _check(queries, neighbours, right, titles)
    known = None if right is None else np.asarray(right)
    columns, rows = min(k, A_ROW), -(-k // A_ROW)
    figure = new_figure(1.15 * (columns + 1) + 0.2, 1.35 * q * rows + 0.5)
    panels = figure.subplots(q * rows, columns + 1, squeeze=False)
    for panel in panels.flat:
        panel.set_axis_off()
    for query in range(q):
        _draw(panels[query * rows, 0], queries[query], "query", None)
        for place in range(k):
            row, column = divmod(place, A_ROW)
            grade = None if known is None else bool(known[query][place])
            _draw(
                panels[query * rows + row, column + 1],
                neighbours[query][place],
                titles[query][place],
                _frame(grade),
            )
    if right is not None:
        share = np.mean(np.asarray(right, dtype=bool))
        figure.supxlabel(
            f"green: right, red dashed: wrong; {share:.0%} right", fontsize=10
        )
    names = ["query", "rank", "title", "right"]
    return save_figure(figure, names, _rows(right, titles), path)


def _rows(right, titles):
    for query, row in enumerate(titles):
        for place, title in enumerate(row):
            grade = None if right is None else int(right[query][place])
            yield [query, place + 1, title, grade]


def _frame(grade):
    if grade is None:
        return UNKNOWN, "-"
    return (RIGHT, "-") if grade else (WRONG, (0, (3, 1.5)))


def _draw(axes, image, title, frame):
    axes.set_axis_on()
    axes.imshow(image, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(title, fontsize=9, pad=4, parse_math=False)
    for spine in axes.spines.values():
        spine.set_visible(frame is not None)
        if frame is not None:
            color, line = frame
            spine.set(color=color, linestyle=line, linewidth=3)


def _check(queries, neighbours, right, titles):
    q = len(queries)
    k = len(neighbours[0]) if len(neighbours) else 0
    rows = (
        [neighbours, titles] if right is None else [neighbours, titles, right]
    )
    if (
        not q
        or not k
        or any([len(r) for r in each] != [k] * q for each in rows)
    ):
        lengths = [[len(row) for row in each] for each in rows]
        raise ValueError(
            "`neighbours`, `titles` and `right` must hold one row for each"
            " query, all of one length, and not be empty. Received:"
            f" {q} queries and rows of lengths {lengths}"
        )
    for image in [*queries, *(image for row in neighbours for image in row)]:
        check_image(image)
    return q, k
