"""Figures, written as PNG without a display, their numbers as CSV beside."""

from hashnet_tf.retrieval.figures.code_histogram import plot_code_histogram
from hashnet_tf.retrieval.figures.code_map import plot_code_map
from hashnet_tf.retrieval.figures.curves import (
    plot_precision_at,
    plot_precision_radius2,
    plot_precision_recall,
)
from hashnet_tf.retrieval.figures.map_table import plot_map_table
from hashnet_tf.retrieval.figures.neighbours import plot_neighbours
from hashnet_tf.retrieval.figures.training import plot_training

__all__ = [
    "plot_code_histogram",
    "plot_code_map",
    "plot_map_table",
    "plot_neighbours",
    "plot_precision_at",
    "plot_precision_radius2",
    "plot_precision_recall",
    "plot_training",
]
