"""Curves of several systems: by bits, recall, N and distance."""

import math
import os
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from hashnet_tf.plots._canvas import (
    color_and_marker,
    new_figure,
    save_figure,
    style_axes,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Above this, markers would run into each other.
MARKED = 30
# Characters a line of the legend, which would squeeze the axes else.
NAME = 22
# Height of one, in inches, the gap between two names included.
LINE = 0.22


def plot_precision_at(
    curves: Mapping[str, Mapping[int, float]],
    path: str | os.PathLike[str],
    published: Mapping[str, Mapping[int, float]] | None = None,
) -> Path:
    """Draws precision@N over N, one curve a method.

    Args:
        curves: Dict from a name to a dict from N >= 1 to precision, as
            `RetrievalReport.precision_at` is; the first is drawn strongest.
        path: Str or path of the PNG; the numbers lie beside it as CSV.
        published: Dict as `curves`, of what was not measured here, drawn
            dashed; or None.

    Returns:
        The path, a `pathlib.Path`.

    Raises:
        ValueError: If there is no curve, if one has no point, if an N is below
            1 or if a precision is not within [0, 1].

    Example:

    >>> import tempfile
    >>> from hashnet_tf.plots import plot_precision_at
    >>> curves = {"HashNet": {100: 0.8, 200: 0.7}, "ITQ": {100: 0.6, 200: 0.5}}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plot_precision_at(curves, f"{folder}/at.png").name
    'at.png'
    """
    return _plot_curves(
        curves,
        "N",
        "precision",
        path,
        _by_rank,
        lambda n: n >= 1,
        published,
    )


def _by_rank(axes):
    axes.set(xlabel="N, number of images returned", ylabel="precision@N")
    axes.set_xlim(left=0)
    axes.set_ylim(0, 1)


def plot_by_bits(
    curves: Mapping[str, Mapping[int, float]],
    path: str | os.PathLike[str],
    published: Mapping[str, Mapping[int, float]] | None = None,
    measure: str = "P@H<=2",
) -> Path:
    """Draws a measure over the length of the codes, one curve a method.

    Args:
        curves: Dict from a name to a dict from bits >= 1 to a value in [0, 1],
            such as the `precision_radius2` of a `RetrievalReport`; the first
            is drawn strongest.
        path: Str or path of the PNG; the numbers lie beside it as CSV.
        published: Dict as `curves`, of what was not measured here, drawn
            dashed; or None.
        measure: Str, what the values are.

    Returns:
        The path, a `pathlib.Path`.

    Raises:
        ValueError: If there is no curve, if one has no point, if bits are
            below 1 or if a value is not within [0, 1].

    Example:

    >>> import tempfile
    >>> from hashnet_tf.plots import plot_by_bits
    >>> curves = {"HashNet": {16: 0.3, 32: 0.5}, "ITQ": {16: 0.2, 32: 0.4}}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plot_by_bits(curves, f"{folder}/radius2.png").name
    'radius2.png'
    """

    def arrange(axes):
        axes.set(xlabel="bits", ylabel=measure)
        axes.set_ylim(0, 1)
        lines = [*curves.values(), *(published or {}).values()]
        axes.set_xticks(sorted({x for line in lines for x in line}))

    return _plot_curves(
        curves,
        "bits",
        measure,
        path,
        arrange,
        lambda bits: bits >= 1,
        published,
    )


def plot_distances(
    pairs: Mapping[str, tuple[npt.ArrayLike, npt.ArrayLike]],
    path: str | os.PathLike[str],
) -> Path:
    """Draws how the distances of similar and of dissimilar pairs are spread.

    Of each system a curve of its similar pairs and, dashed, one of the others;
    each adds up to 1.

    Args:
        pairs: Dict from a name to two arrays `[K + 1]`, how many similar and
            how many dissimilar pairs lie at each distance 0..K, such as the
            sums over the queries of the `relevant` and of the other `counts`
            of `hashnet_tf.retrieval.Histograms`.
        path: Str or path of the PNG; the numbers lie beside it as CSV.

    Returns:
        The path, a `pathlib.Path`.

    Raises:
        ValueError: If there is no system, or one has no pair of either kind.

    Example:

    >>> import tempfile
    >>> from hashnet_tf.plots import plot_distances
    >>> pairs = {"HashNet": ([3, 1, 0], [0, 1, 5])}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plot_distances(pairs, f"{folder}/distances.png").name
    'distances.png'
    """
    similar, dissimilar = {}, {}
    for name, counts in pairs.items():
        for kind, shares, n in zip(
            ("similar", "dissimilar"),
            (similar, dissimilar),
            map(np.asarray, counts),
            strict=True,
        ):
            if not n.sum() > 0:
                raise ValueError(
                    "`pairs` must hold pairs of both kinds. Received: no"
                    f" {kind} pair of {name!r}"
                )
            shares[f"{name}, {kind}"] = dict(enumerate(n / n.sum()))

    def arrange(axes):
        axes.set(xlabel="Hamming distance", ylabel="share of the pairs")
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)

    return _plot_curves(
        similar,
        "distance",
        "share",
        path,
        arrange,
        lambda distance: distance >= 0,
        dissimilar,
        alike=True,
    )


def plot_precision_recall(
    curves: Mapping[str, Mapping[float, float]],
    path: str | os.PathLike[str],
    published: Mapping[str, Mapping[float, float]] | None = None,
) -> Path:
    """Draws precision against recall, one curve a method.

    As Figures 2(b) to 4(b) of HashNet (ICCV 2017).

    Args:
        curves: Dict from a name to a dict from recall in [0, 1] to precision,
            as `RetrievalReport.precision_at_recall` is; the first is drawn
            strongest.
        path: Str or path of the PNG; the numbers lie beside it as CSV.
        published: Dict as `curves`, of what was not measured here, drawn
            dashed; or None.

    Returns:
        The path, a `pathlib.Path`.

    Raises:
        ValueError: If there is no curve, if one has no point, or if a recall
            or a precision is not within [0, 1].

    Example:

    >>> import tempfile
    >>> from hashnet_tf.plots import plot_precision_recall
    >>> curves = {"HashNet": {0.1: 0.8, 1.0: 0.3}, "ITQ": {0.1: 0.6, 1.0: 0.3}}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plot_precision_recall(curves, f"{folder}/pr.png").name
    'pr.png'
    """
    return _plot_curves(
        curves,
        "recall",
        "precision",
        path,
        _by_recall,
        lambda x: 0 <= x <= 1,
        published,
    )


def _by_recall(axes):
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1))


def _plot_curves(
    curves: Mapping[str, Mapping[Any, float]],
    x: str,
    y: str,
    path: str | os.PathLike[str],
    arrange: Callable[["Axes"], None],
    check: Callable[[Any], bool],
    published: Mapping[str, Mapping[Any, float]] | None = None,
    alike: bool = False,
) -> Path:
    """Draws curves over one axis, the first of them strongest.

    Args:
        curves: Dict from a name to a dict from x to a value in [0, 1].
        x: Str, what x is; the name of its column in the CSV file.
        y: Str, what the values are; likewise.
        path: Str or path of the PNG.
        arrange: Function of the axes, called when the curves are drawn: sets
            labels and limits.
        check: Function of an x that is a finite number; whether it may stand.
        published: Dict as `curves`, of what was not measured here, or None
            for nothing; drawn dashed, below the others in the legend.
        alike: Whether a dashed curve looks like the one of the same place
            among the others.

    Returns:
        The path, a `pathlib.Path`.

    Raises:
        ValueError: If there is no curve or one is empty, if an x is not as
            `check` wants it, if a value is not within [0, 1], or if a curve
            is both measured and published.
    """
    published = published or {}
    _check(curves, x, y, check)
    if published:
        _check(published, x, y, check)
    if twice := [name for name in published if name in curves]:
        raise ValueError(
            "A published curve needs a name of its own."
            f" Received: {', '.join(twice)} in both"
        )
    measured = len(curves)
    curves = {**curves, **published}
    names = [textwrap.fill(str(name), NAME) for name in curves]
    lines = sum(name.count("\n") + 1 for name in names)
    figure = new_figure(6.4, max(4.2, LINE * (lines + 1)))
    axes = figure.subplots()
    drawn = [
        _draw(
            axes,
            points,
            index % measured if alike else index,
            len(curves),
            index >= measured,
        )
        for index, points in enumerate(curves.values())
    ]
    arrange(axes)
    style_axes(axes)
    # Beside the axes, where it hides no curve.
    legend = figure.legend(
        drawn, names, loc="outside right upper", frameon=False
    )
    for text in legend.get_texts():
        text.set(parse_math=False, fontsize=10)
    rows = (
        [name, *point]
        for name, points in curves.items()
        for point in points.items()
    )
    return save_figure(figure, ["name", x, y], rows, path)


def _draw(axes, points, index, curves, dashed):
    color, marker = color_and_marker(index)
    (line,) = axes.plot(
        *zip(*sorted(points.items()), strict=True),
        color=color,
        linestyle="--" if dashed else "-",
        marker=marker if len(points) <= MARKED else None,
        markersize=6.5 if index == 0 else 5,
        markeredgewidth=0,
        linewidth=2.8 if index == 0 else 1.4,
        # The first on top of the others.
        zorder=2 + (curves - index) / curves,
        clip_on=False,
    )
    return line


def _check(curves, x, y, check):
    if not curves or not all(curves.values()):
        points = {name: len(points) for name, points in curves.items()}
        raise ValueError(
            "`curves` must hold at least one curve, and each at least one"
            f" point. Received: points={points}"
        )
    for name, points in curves.items():
        for place, value in points.items():
            if not math.isfinite(place) or not check(place):
                raise ValueError(
                    f"The places of a curve must be possible values of {x}."
                    f" Received: {x}={place} in {name!r}"
                )
            # Written so that NaN fails too.
            if not 0 <= value <= 1:
                raise ValueError(
                    f"The {y} must be within [0, 1]."
                    f" Received: {y}={value} in {name!r} at {place}"
                )
