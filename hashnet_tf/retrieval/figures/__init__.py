"""Figures, one a file, written as PNG without a display."""

from hashnet_tf.retrieval.figures.code_histogram import plot_code_histogram
from hashnet_tf.retrieval.figures.neighbours import plot_neighbours
from hashnet_tf.retrieval.figures.training import plot_training

__all__ = ["plot_code_histogram", "plot_neighbours", "plot_training"]
