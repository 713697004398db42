"""Precision against recall."""

from hashnet_tf.retrieval.figures.curves import plot_curves


def plot_precision_recall(curves, path, published=None):
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
    >>> from hashnet_tf.retrieval.figures import plot_precision_recall
    >>> curves = {"HashNet": {0.1: 0.8, 1.0: 0.3}, "ITQ": {0.1: 0.6, 1.0: 0.3}}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plot_precision_recall(curves, f"{folder}/pr.png").name
    'pr.png'
    """
    return plot_curves(
        curves,
        "recall",
        "precision",
        path,
        _arrange,
        lambda x: 0 <= x <= 1,
        published,
    )


def _arrange(axes):
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1))
