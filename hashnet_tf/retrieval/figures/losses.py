"""The losses of several trainings over their steps."""

from hashnet_tf.retrieval.figures.canvas import (
    new_figure,
    save_figure,
    style_axes,
)
from hashnet_tf.retrieval.figures.palette import color_and_marker

LOSSES = {"J": "-", "L": "--"}


def plot_losses(trainings, path):
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
    >>> from hashnet_tf.retrieval.figures import plot_losses
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
