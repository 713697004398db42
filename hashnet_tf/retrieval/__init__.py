"""Retrieval: packed codes, Hamming distances, search, metrics, figures.

Works with numpy alone; the figures load matplotlib when they are drawn.
"""

from hashnet_tf.retrieval.codes import pack, unpack
from hashnet_tf.retrieval.evaluate import evaluate
from hashnet_tf.retrieval.figures import (
    plot_code_histogram,
    plot_losses,
    plot_map_table,
    plot_neighbours,
    plot_precision_at,
    plot_precision_radius2,
    plot_precision_recall,
    plot_training,
    plot_tsne,
)
from hashnet_tf.retrieval.hamming import distances
from hashnet_tf.retrieval.histograms import Histograms, histograms
from hashnet_tf.retrieval.index import HammingIndex
from hashnet_tf.retrieval.presets import PRESETS
from hashnet_tf.retrieval.projector import write_projector
from hashnet_tf.retrieval.report import RetrievalReport
from hashnet_tf.retrieval.search import search
from hashnet_tf.retrieval.within import within

__all__ = [
    "PRESETS",
    "HammingIndex",
    "Histograms",
    "RetrievalReport",
    "distances",
    "evaluate",
    "histograms",
    "pack",
    "plot_code_histogram",
    "plot_losses",
    "plot_map_table",
    "plot_neighbours",
    "plot_precision_at",
    "plot_precision_radius2",
    "plot_precision_recall",
    "plot_training",
    "plot_tsne",
    "search",
    "unpack",
    "within",
    "write_projector",
]
