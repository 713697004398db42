"""Retrieval: packed codes, Hamming distances, search, metrics.

Works with numpy alone.
"""

from hashnet_tf.retrieval.codes import pack, unpack
from hashnet_tf.retrieval.evaluation import evaluate
from hashnet_tf.retrieval.hamming import distances
from hashnet_tf.retrieval.hamming_index import HammingIndex
from hashnet_tf.retrieval.histogram import Histograms, histograms
from hashnet_tf.retrieval.neighbors import search, within
from hashnet_tf.retrieval.presets import PRESETS
from hashnet_tf.retrieval.report import RetrievalReport

__all__ = [
    "HammingIndex",
    "Histograms",
    "PRESETS",
    "RetrievalReport",
    "distances",
    "evaluate",
    "histograms",
    "pack",
    "search",
    "unpack",
    "within",
]
