"""Pictures, written as PNG without a display.

The numbers behind each lie beside it as CSV.
"""

from hashnet_tf.plots.curves import (
    plot_by_bits,
    plot_distances,
    plot_precision_at,
    plot_precision_recall,
)
from hashnet_tf.plots.groups import plot_groups
from hashnet_tf.plots.neighbor_report import plot_neighbor_report
from hashnet_tf.plots.neighbours import plot_neighbours
from hashnet_tf.plots.training import (
    plot_code_histogram,
    plot_losses,
    plot_training,
)
from hashnet_tf.plots.tsne import plot_tsne

__all__ = [
    "plot_by_bits",
    "plot_code_histogram",
    "plot_distances",
    "plot_groups",
    "plot_losses",
    "plot_neighbor_report",
    "plot_neighbours",
    "plot_precision_at",
    "plot_precision_recall",
    "plot_training",
    "plot_tsne",
]


def __dir__() -> list[str]:
    return __all__
