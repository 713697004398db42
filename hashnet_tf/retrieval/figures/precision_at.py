"""Precision among the first N."""

from hashnet_tf.retrieval.figures.curves import plot_curves


def plot_precision_at(curves, path, published=None):
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
    >>> from hashnet_tf.retrieval.figures import plot_precision_at
    >>> curves = {"HashNet": {100: 0.8, 200: 0.7}, "ITQ": {100: 0.6, 200: 0.5}}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plot_precision_at(curves, f"{folder}/at.png").name
    'at.png'
    """
    return plot_curves(
        curves,
        "N",
        "precision",
        path,
        _arrange,
        lambda n: n >= 1,
        published,
    )


def _arrange(axes):
    axes.set(xlabel="N, number of images returned", ylabel="precision@N")
    axes.set_xlim(left=0)
    axes.set_ylim(0, 1)
