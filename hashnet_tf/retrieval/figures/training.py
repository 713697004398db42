"""The loss and beta over the steps of a training run."""

from hashnet_tf.retrieval.figures.canvas import (
    new_figure,
    save_figure,
    style_axes,
)

CURVES = {
    "loss": ("training loss", "0.6", "-"),
    "J": ("J: loss on g = tanh(βz)", "#1f6fb4", "-"),
    "L": ("L: loss on h = sgn(z)", "#d9541a", "--"),
}
COLUMNS = ["step", *CURVES, "beta", "gap"]


def plot_training(rows, path):
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
    >>> from hashnet_tf.retrieval import plot_training
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
