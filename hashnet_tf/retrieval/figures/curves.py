"""Named curves, checked and drawn in one way."""

import math
import textwrap

from hashnet_tf.retrieval.figures.canvas import (
    new_figure,
    save_figure,
    style_axes,
)
from hashnet_tf.retrieval.figures.palette import color_and_marker

# Above this, markers would run into each other.
MARKED = 30
# Characters a line of the legend, which would squeeze the axes else.
NAME = 22
# Height of one, in inches, the gap between two names included.
LINE = 0.22


def plot_curves(curves, x, y, path, arrange, check, published=None):
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

    Returns:
        The path, a `pathlib.Path`.

    Raises:
        ValueError: If there is no curve or one is empty, if an x is not as
            `check` wants it, if a value is not within [0, 1], or if a curve
            is both measured and published.

    Example:

    >>> import tempfile
    >>> from hashnet_tf.retrieval.figures.curves import plot_curves
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plot_curves({"ITQ": {1: 0.5}}, "rank", "precision",
    ...                 f"{folder}/a.png", lambda axes: None, bool).name
    'a.png'
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
        _draw(axes, points, index, len(curves), index >= measured)
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
