"""What all pictures share: canvas, colours, the numbers beside."""

import csv
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hashnet_tf._files import written_beside

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito, "Color Universal Design" (2008), but for the yellow, which is
# faint on white; then three darker ones.
COLORS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#000000",
    "#882255",
    "#999933",
    "#5E3C99",
)
# Seven to ten colors, so that a pair comes again only after 70.
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
UNKNOWN = "0.72"


def color_and_marker(index: int) -> tuple[str, str]:
    """Gives the look of one class or one curve.

    Args:
        index: Int >= 0.

    Returns:
        Color and marker, two strings; a pair comes again after 70.

    Example:

    >>> from hashnet_tf.plots._canvas import color_and_marker
    >>> color_and_marker(10)
    ('#0072B2', 'D')
    """
    return COLORS[index % len(COLORS)], MARKERS[index % len(MARKERS)]


def table_path(path: str | os.PathLike[str]) -> Path:
    """Says where the numbers of a figure lie.

    Args:
        path: Str or path of the PNG.

    Returns:
        `pathlib.Path`: the same stem with `.csv`. A name that does not end in
        `.png` gets `.csv` behind it, so that the two never are one file.

    Example:

    >>> from hashnet_tf.plots._canvas import table_path
    >>> table_path("figures/map.png").as_posix()
    'figures/map.csv'
    """
    path = Path(path)
    if path.suffix.lower() == ".png":
        return path.with_suffix(".csv")
    return path.with_name(f"{path.name}.csv")


def write_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    path: str | os.PathLike[str],
) -> None:
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
    >>> from hashnet_tf.plots._canvas import write_table
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


def new_figure(width: float, height: float, wspace: float = 0.02) -> "Figure":
    """Makes a figure apart from pyplot, which keeps global state.

    Args:
        width: Float, inches.
        height: Float, inches.
        wspace: Float, gap between panels, as a share of their width.

    Returns:
        `matplotlib.figure.Figure` on an Agg canvas, laid out when it is drawn.

    Example:

    >>> from hashnet_tf.plots._canvas import new_figure
    >>> new_figure(6, 4).get_size_inches().tolist()
    [6.0, 4.0]
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.06, wspace=wspace)
    figure = Figure(figsize=(width, height), layout=layout)
    FigureCanvasAgg(figure)
    return figure


def style_axes(axes: "Axes") -> None:
    """Takes away the frame's upper and right side and lays a faint grid.

    Args:
        axes: `matplotlib.axes.Axes`, changed in place.

    Example:

    >>> from hashnet_tf.plots._canvas import new_figure, style_axes
    >>> axes = new_figure(6, 4).subplots()
    >>> style_axes(axes)
    >>> axes.spines["top"].get_visible()
    False
    """
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="0.9", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=10)
    axes.xaxis.label.set_fontsize(11)
    axes.yaxis.label.set_fontsize(11)


def save_figure(
    figure: "Figure",
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    path: str | os.PathLike[str],
) -> Path:
    """Writes a PNG and the numbers behind it, each whole or not at all.

    Args:
        figure: `matplotlib.figure.Figure`.
        columns: List of str, the header of the CSV file.
        rows: Iterable of lists, each as long as `columns`.
        path: Str or path of the PNG; its folder is made if it is missing. The
            CSV file has the same stem.

    Returns:
        The path of the PNG, a `pathlib.Path`.

    Example:

    >>> import pathlib, tempfile
    >>> from hashnet_tf.plots._canvas import new_figure, save_figure
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save_figure(
    ...         new_figure(1, 1), ["bits"], [[16]], f"{folder}/new/a.png"
    ...     )
    ...     sorted(file.name for file in path.parent.iterdir())
    ['a.csv', 'a.png']
    """
    path = Path(path)
    with (
        written_beside(table_path(path)) as table,
        written_beside(path) as picture,
    ):
        write_table(columns, rows, table)
        figure.savefig(picture, format="png", dpi=150)
    return path


def check_image(image: Any) -> None:
    """Refuses what cannot be shown as an image.

    Args:
        image: Array.

    Raises:
        ValueError: If it is not uint8 `[h, w, 3]`.
    """
    shape, dtype = np.shape(image), np.asarray(image).dtype
    if len(shape) != 3 or shape[2] != 3 or dtype != np.uint8:
        raise ValueError(
            "Images must be uint8 of shape [height, width, 3]."
            f" Received: image.shape={shape}, image.dtype={dtype}"
        )
