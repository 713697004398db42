"""Retrieval: packed codes, Hamming distances, search, metrics, figures.

Works with numpy alone; the figures load matplotlib when they are drawn.
"""

from hashnet_tf.retrieval.codes import pack, unpack
from hashnet_tf.retrieval.evaluate import evaluate
from hashnet_tf.retrieval.figures import (
    plot_code_histogram,
    plot_neighbours,
    plot_training,
)
from hashnet_tf.retrieval.hamming import distances
from hashnet_tf.retrieval.histograms import histograms
from hashnet_tf.retrieval.report import RetrievalReport
from hashnet_tf.retrieval.search import search

__all__ = [
    "RetrievalReport",
    "distances",
    "evaluate",
    "histograms",
    "pack",
    "plot_code_histogram",
    "plot_neighbours",
    "plot_training",
    "search",
    "unpack",
]
