"""How near the codes of two networks are to being binary."""

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hashnet_tf.plots._canvas import new_figure, save_figure, style_axes

BINS = 100


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
