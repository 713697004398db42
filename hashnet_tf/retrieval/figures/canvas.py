"""A figure that needs no display, and its way to the disk."""

from pathlib import Path

from hashnet_tf.atomic import written_beside
from hashnet_tf.retrieval.figures.table import table_path, write_table


def new_figure(width, height):
    """Makes a figure apart from pyplot, which keeps global state.

    Args:
        width: Float, inches.
        height: Float, inches.

    Returns:
        `matplotlib.figure.Figure` on an Agg canvas, laid out when it is drawn.

    Example:

    >>> from hashnet_tf.retrieval.figures.canvas import new_figure
    >>> new_figure(6, 4).get_size_inches().tolist()
    [6.0, 4.0]
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.06)
    FigureCanvasAgg(figure)
    return figure


def style_axes(axes):
    """Takes away the frame's upper and right side and lays a faint grid.

    Args:
        axes: `matplotlib.axes.Axes`, changed in place.

    Example:

    >>> from hashnet_tf.retrieval.figures.canvas import new_figure, style_axes
    >>> axes = new_figure(6, 4).subplots()
    >>> style_axes(axes)
    >>> axes.spines["top"].get_visible()
    False
    """
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="0.9", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=10)
    axes.xaxis.label.set_size(11)
    axes.yaxis.label.set_size(11)


def save_figure(figure, columns, rows, path):
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
    >>> from hashnet_tf.retrieval.figures.canvas import new_figure, save_figure
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
