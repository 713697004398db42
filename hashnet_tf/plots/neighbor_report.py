"""What codes keep of features, drawn without labels."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hashnet_tf.plots._canvas import (
    color_and_marker,
    new_figure,
    save_figure,
    style_axes,
)

if TYPE_CHECKING:
    from hashnet_tf.retrieval import NeighborReport


def plot_neighbor_report(
    report: "NeighborReport", path: str | os.PathLike[str]
) -> Path:
    """Draws recall by items re-ranked, distances by distances, and the bits.

    The first panel shows the share of the nearest by features among the first
    R by code, the second the Hamming distance of pairs by their cosine
    distance, with a standard deviation to both sides, the third the share of
    ones of each bit, from the least to the largest. The CSV file beside it
    holds the points of all three.

    Args:
        report: `hashnet_tf.retrieval.NeighborReport`.
        path: Str or path of the PNG.

    Returns:
        The path, a `pathlib.Path`.

    Example:

    >>> import tempfile, numpy as np, hashnet_tf as hn
    >>> x = np.random.default_rng(0).normal(size=(50, 16))
    >>> codes = hn.retrieval.pack(x)
    >>> report = hn.retrieval.evaluate_neighbors(codes, codes, x, x)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = f"{folder}/neighbors.png"
    ...     hn.plots.plot_neighbor_report(report, path).name
    'neighbors.png'
    """
    figure = new_figure(12, 3.8, wspace=0.06)
    recall, distances, bits = figure.subplots(1, 3)
    color, marker = color_and_marker(0)
    look = {"color": color, "marker": marker, "linewidth": 1.8}
    recall.plot(*zip(*report.recall_at.items(), strict=True), **look)
    recall.set(
        xscale="log",
        ylim=(0, 1.02),
        xlabel="first R by code",
        ylabel=f"share of the {report.neighbors} nearest",
    )
    ranks = list(report.recall_at)
    recall.set_xticks(ranks, [f"{rank:,}" for rank in ranks])
    recall.minorticks_off()
    rows = report.distortion
    distances.errorbar(
        [row.cosine_distance for row in rows],
        [row.mean for row in rows],
        yerr=[row.deviation for row in rows],
        capsize=2,
        **look,
    )
    distances.set(
        ylim=(0, report.bits),
        xlabel="cosine distance of the features",
        ylabel="Hamming distance",
    )
    ones = sorted(report.ones)
    bits.plot(range(1, len(ones) + 1), ones, color=color, linewidth=1.8)
    bits.axhline(0.5, color="0.6", linestyle="--", linewidth=1)
    bits.set(ylim=(0, 1), xlabel="bits, by their ones", ylabel="share of ones")
    for axes in (recall, distances, bits):
        style_axes(axes)
    table = [
        *(["recall", *point, None] for point in report.recall_at.items()),
        *(
            ["distance", row.cosine_distance, row.mean, row.deviation]
            for row in rows
        ),
        *(["ones", bit, share, None] for bit, share in enumerate(ones, 1)),
    ]
    return save_figure(figure, ["panel", "x", "y", "deviation"], table, path)
