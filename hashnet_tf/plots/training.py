"""What a training did: its losses and beta over steps, and its codes."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hashnet_tf.plots._canvas import (
    color_and_marker,
    new_figure,
    save_figure,
    style_axes,
)

LOSSES = {"J": "-", "L": "--"}
CURVES = {
    "loss": ("training loss", "0.6", "-"),
    "J": ("J: loss on g = tanh(βz)", "#1f6fb4", "-"),
    "L": ("L: loss on h = sgn(z)", "#d9541a", "--"),
}
COLUMNS = ["step", *CURVES, "beta", "gap"]
# Of the histogram of |g|.
BINS = 100


def plot_losses(
    trainings: Mapping[str, Sequence[Mapping[str, Any]]],
    path: str | os.PathLike[str],
) -> Path:
    """Draws J and L of several trainings over optimizer steps.

    As Figure 7 of HashNet (ICCV 2017): J, solid, is the loss on g = tanh(beta
    z), L, dashed, that on h = sgn(z); where they meet, nothing is lost to the
    sign.

    Args:
        trainings: Dict from a name to a list of dicts, each with `step` and
            with `J` and `L`; a row without these is left out.
        path: Str or path of the PNG; the numbers lie beside it as CSV.

    Returns:
        The path, a `pathlib.Path`.

    Raises:
        ValueError: If there is no training, or one without a row to draw.

    Example:

    >>> import tempfile
    >>> from hashnet_tf.plots import plot_losses
    >>> rows = [{"step": 0, "J": 1.0, "L": 1.4}, {"step": 9, "J": 0.5,
    ...         "L": 0.5}]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plot_losses({"HashNet": rows}, f"{folder}/losses.png").name
    'losses.png'
    """
    drawn = {
        name: [row for row in rows if all(loss in row for loss in LOSSES)]
        for name, rows in trainings.items()
    }
    if not drawn or not all(drawn.values()):
        counts = {name: len(rows) for name, rows in drawn.items()}
        raise ValueError(
            "`trainings` must hold at least one, and each rows with J and L."
            f" Received: rows={counts}"
        )
    figure = new_figure(6.4, 4.2)
    axes = figure.subplots()
    for index, (name, rows) in enumerate(drawn.items()):
        color, _ = color_and_marker(index)
        for loss, line in LOSSES.items():
            axes.plot(
                [row["step"] for row in rows],
                [row[loss] for row in rows],
                label=f"{name}, {loss}",
                color=color,
                linestyle=line,
                linewidth=1.8,
            )
    axes.set(xlabel="optimizer step", ylabel="loss")
    axes.set_ylim(bottom=0)
    style_axes(axes)
    legend = figure.legend(loc="outside right upper", frameon=False)
    for text in legend.get_texts():
        text.set(parse_math=False, fontsize=10)
    table = (
        [name, row["step"], *(row[loss] for loss in LOSSES)]
        for name, rows in drawn.items()
        for row in rows
    )
    return save_figure(figure, ["name", "step", *LOSSES], table, path)


def plot_training(
    rows: Iterable[Mapping[str, Any]], path: str | os.PathLike[str]
) -> Path:
    """Draws the losses above and beta below, over optimizer steps.

    J and L are those of Figure 7 of HashNet (ICCV 2017): the loss on the
    codes that are trained and on the codes that are used. The CSV file beside
    it holds the rows.

    Args:
        rows: List of dicts, each with `step` and any of `loss`, `J`, `L`,
            `beta` and `gap`, the mean of 1 - |g|; a row without one of these,
            or with None there, is left out of that curve.
        path: Str or path of the PNG.

    Returns:
        The path, a `pathlib.Path`.

    Raises:
        ValueError: If there are no rows or one has no `step`.

    Example:

    >>> import tempfile
    >>> from hashnet_tf.plots import plot_training
    >>> rows = [{"step": 0, "beta": 1.0, "loss": 1.4},
    ...         {"step": 200, "beta": 1.4, "loss": 0.6}]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plot_training(rows, f"{folder}/training.png").name
    'training.png'
    """
    rows = list(rows)
    if not rows or any("step" not in row for row in rows):
        raise ValueError(
            "`rows` must be dicts with a `step` each, at least one. Received:"
            f" rows={rows[:2]}"
        )
    figure = new_figure(7.0, 5.6)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    for key, (label, color, line) in CURVES.items():
        _draw(upper, rows, key, label, color, line)
    upper.set_ylabel("loss")
    upper.set_ylim(bottom=0)
    if upper.lines:
        upper.legend(frameon=False, fontsize=10)
    _draw(lower, rows, "beta", "β", "#2a7f3f", "-")
    lower.set_ylabel("β", color="#2a7f3f")
    lower.set_xlabel("optimizer step")
    for axes in (upper, lower):
        style_axes(axes)
    if any(row.get("gap") is not None for row in rows):
        right = lower.twinx()
        _draw(right, rows, "gap", "gap", "#7a4ea3", ":")
        right.set_ylabel("mean of 1 − |g|", color="#7a4ea3", fontsize=11)
        right.set_ylim(bottom=0)
        right.tick_params(labelsize=10)
        right.spines["top"].set_visible(False)
    table = ([row.get(column) for column in COLUMNS] for row in rows)
    return save_figure(figure, COLUMNS, table, path)


def _draw(axes, rows, key, label, color, line):
    points = [(r["step"], r[key]) for r in rows if r.get(key) is not None]
    if points:
        # A single row is a point, which a line alone would not show.
        marker = "o" if len(points) < 30 else None
        axes.plot(
            *zip(*points, strict=True),
            label=label,
            color=color,
            linestyle=line,
            linewidth=1.8,
            marker=marker,
            markersize=3.5,
        )


def plot_code_histogram(
    before: npt.ArrayLike,
    after: npt.ArrayLike,
    path: str | os.PathLike[str],
    titles: tuple[str, str] = ("before training", "after training"),
) -> Path:
    """Draws the histograms of |g| side by side.

    As Figure 8 of HashNet (ICCV 2017): [0, 1] in 100 bins, and the square
    root of the frequency, so that the few values far from 1 are seen. The CSV
    file beside it holds each bin's edges and its two heights.

    Args:
        before: g = tanh(beta z) before training, real `[n, K]` in [-1, 1].
        after: The same after training, `[m, K]`.
        path: Str or path of the PNG.
        titles: Two str, what `before` and `after` are; Figure 8 compares two
            methods.

    Returns:
        The path, a `pathlib.Path`.

    Raises:
        ValueError: If one of the arrays is empty or holds NaN or a value
            outside of [-1, 1].

    Example:

    >>> import tempfile
    >>> import numpy as np
    >>> from hashnet_tf.plots import plot_code_histogram
    >>> z = np.random.default_rng(0).normal(size=(64, 48))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = f"{folder}/codes.png"
    ...     plot_code_histogram(np.tanh(z), np.tanh(9 * z), path).name
    'codes.png'
    """
    before, after = _magnitudes(before, "before"), _magnitudes(after, "after")
    # Else the 1.0 of the left panel runs into the 0.0 of the right one.
    figure = new_figure(8.0, 3.4, wspace=0.04)
    panels = figure.subplots(1, 2, sharey=True)
    panels[0].set_ylabel("√ frequency")
    edges = np.linspace(0.0, 1.0, BINS + 1)
    drawn = []
    for axes, values, title in zip(
        panels, (before, after), titles, strict=True
    ):
        counts, _ = np.histogram(values, bins=edges)
        heights = np.sqrt(counts / values.size)
        drawn.append(heights)
        axes.bar(
            edges[:-1], heights, width=1 / BINS, align="edge", color="#1f6fb4"
        )
        axes.set_title(title, fontsize=12)
        axes.set_xlabel("|g|")
        axes.set_xlim(0, 1)
        axes.text(
            0.04,
            0.94,
            f"mean of 1 − |g| = {1 - values.mean():.4f}",
            transform=axes.transAxes,
            verticalalignment="top",
            fontsize=10,
        )
        style_axes(axes)
    columns = ["from", "to", *titles]
    rows = zip(edges[:-1], edges[1:], *drawn, strict=True)
    return save_figure(figure, columns, rows, path)


def _magnitudes(values, name):
    values = np.abs(np.asarray(values, dtype=np.float64))
    # Written so that NaN fails too.
    if values.size == 0 or not values.max() <= 1:
        largest = values.max() if values.size else None
        raise ValueError(
            f"`{name}` must hold values of tanh, within [-1, 1]."
            f" Received: {name}.shape={values.shape}, largest |g|={largest}"
        )
    return values
