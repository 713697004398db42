"""The paper's curves: one line a method."""

from pathlib import Path

from hashnet_tf.retrieval.figures.canvas import (
    new_figure,
    save_png,
    style_axes,
)
from hashnet_tf.retrieval.figures.number_file import save_numbers

# Okabe and Ito's palette, told apart by colour-blind readers too.
COLORS = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#000000",
)
MARKERS = "os^DvPX*<>d"


def plot_precision_recall(curves, path):
    """Draws precision over recall (Figures 2b to 4b of HashNet, ICCV 2017).

    Args:
        curves: Dict from a method's name to a dict from recall to precision,
            such as `RetrievalReport.precision_at_recall`; the first is drawn
            strongest.
        path: Str or path of the PNG; the numbers go into a .csv beside it.

    Returns:
        The path, a `pathlib.Path`.

    Raises:
        ValueError: If there is no curve, or one without points.

    Example:

    >>> import tempfile
    >>> from hashnet_tf.retrieval import plot_precision_recall
    >>> curve = {"HashNet": {0.1: 0.9, 0.5: 0.8, 1.0: 0.3}}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plot_precision_recall(curve, f"{folder}/pr.png").name
    'pr.png'
    """
    return _plot(curves, path, "recall", "precision", limits=(0, 1))


def plot_precision_at(curves, path):
    """Draws precision within the first N over N (Figures 2c to 4c).

    Args:
        curves: Dict from a method's name to a dict from N to precision, such
            as `RetrievalReport.precision_at`.
        path: As in `plot_precision_recall`.

    Returns:
        The path, a `pathlib.Path`.

    Raises:
        ValueError: If there is no curve, or one without points.

    Example:

    >>> import tempfile
    >>> from hashnet_tf.retrieval import plot_precision_at
    >>> curves = {"ours": {100: 0.9, 200: 0.8}, "LSH": {100: 0.3, 200: 0.2}}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plot_precision_at(curves, f"{folder}/p_at_n.png").name
    'p_at_n.png'
    """
    return _plot(curves, path, "N, items retrieved", "precision")


def plot_precision_radius2(curves, path):
    """Draws P@H<=2 over the number of bits (Figures 2a to 4a).

    Args:
        curves: Dict from a method's name to a dict from bits to precision.
        path: As in `plot_precision_recall`.

    Returns:
        The path, a `pathlib.Path`.

    Raises:
        ValueError: If there is no curve, or one without points.

    Example:

    >>> import tempfile
    >>> from hashnet_tf.retrieval import plot_precision_radius2
    >>> curves = {"HashNet": {16: 0.323, 32: 0.54, 48: 0.44, 64: 0.487}}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plot_precision_radius2(curves, f"{folder}/radius2.png").name
    'radius2.png'
    """
    return _plot(
        curves, path, "bits", "precision within Hamming radius 2", ticks=True
    )


def _plot(curves, path, x_label, y_label, limits=None, ticks=False):
    path = Path(path)
    if not curves or not all(curves.values()):
        raise ValueError(
            "`curves` must hold one curve or more, each with points."
            f" Received: curves={curves}"
        )
    figure = new_figure(5.6, 4.2)
    axes = figure.subplots()
    for index, (name, curve) in enumerate(curves.items()):
        places = sorted(curve)
        axes.plot(
            places,
            [curve[x] for x in places],
            label=name,
            color=COLORS[index % len(COLORS)],
            linestyle="-" if index < len(COLORS) else "--",
            linewidth=1.4 if index else 2.6,
            marker=MARKERS[index % len(MARKERS)],
            markersize=4.5 if index else 6,
            # The first lies on top.
            zorder=3 - index / 100,
        )
    every = sorted({x for curve in curves.values() for x in curve})
    if ticks:
        axes.set_xticks(every)
    if limits:
        axes.set_xlim(*limits)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.legend(frameon=False, fontsize=9, ncols=1 + (len(curves) > 5))
    style_axes(axes)
    rows = [[x, *(curve.get(x) for curve in curves.values())] for x in every]
    save_numbers(path, [x_label.split(",")[0], *curves], rows)
    return save_png(figure, path)
