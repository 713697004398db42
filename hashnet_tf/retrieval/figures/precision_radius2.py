"""Precision within Hamming radius 2 against the length of the codes."""

from hashnet_tf.retrieval.figures.curves import plot_curves


def plot_precision_radius2(curves, path, published=None):
    """Draws P@H<=2 over bits, one curve a method.

    Args:
        curves: Dict from a name to a dict from bits >= 1 to precision, each
            the `precision_radius2` of a `RetrievalReport`; the first is drawn
            strongest.
        path: Str or path of the PNG; the numbers lie beside it as CSV.
        published: Dict as `curves`, of what was not measured here, drawn
            dashed; or None.

    Returns:
        The path, a `pathlib.Path`.

    Raises:
        ValueError: If there is no curve, if one has no point, if bits are
            below 1 or if a precision is not within [0, 1].

    Example:

    >>> import tempfile
    >>> from hashnet_tf.retrieval.figures import plot_precision_radius2
    >>> curves = {"HashNet": {16: 0.3, 32: 0.5}, "ITQ": {16: 0.2, 32: 0.4}}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plot_precision_radius2(curves, f"{folder}/radius2.png").name
    'radius2.png'
    """

    def arrange(axes):
        axes.set(xlabel="bits", ylabel="precision within Hamming radius 2")
        axes.set_ylim(0, 1)
        lines = [*curves.values(), *(published or {}).values()]
        axes.set_xticks(sorted({x for line in lines for x in line}))

    return plot_curves(
        curves,
        "bits",
        "precision",
        path,
        arrange,
        lambda bits: bits >= 1,
        published,
    )
