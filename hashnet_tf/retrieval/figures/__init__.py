"""Figures, one a file, written as PNG without a display.

The numbers behind each lie beside it as CSV.
"""

from hashnet_tf.retrieval.figures.code_histogram import plot_code_histogram
from hashnet_tf.retrieval.figures.losses import plot_losses
from hashnet_tf.retrieval.figures.map_table import plot_map_table
from hashnet_tf.retrieval.figures.neighbours import plot_neighbours
from hashnet_tf.retrieval.figures.precision_at import plot_precision_at
from hashnet_tf.retrieval.figures.precision_radius2 import (
    plot_precision_radius2,
)
from hashnet_tf.retrieval.figures.precision_recall import (
    plot_precision_recall,
)
from hashnet_tf.retrieval.figures.training import plot_training
from hashnet_tf.retrieval.figures.tsne import plot_tsne

__all__ = [
    "plot_code_histogram",
    "plot_losses",
    "plot_map_table",
    "plot_neighbours",
    "plot_precision_at",
    "plot_precision_radius2",
    "plot_precision_recall",
    "plot_training",
    "plot_tsne",
]
