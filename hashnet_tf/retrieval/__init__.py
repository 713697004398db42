"""Retrieval: packed codes, Hamming distances, search, metrics.

Works with numpy alone.
"""

from hashnet_tf.retrieval.asymmetric import asymmetric_search
from hashnet_tf.retrieval.codes import pack, unpack
from hashnet_tf.retrieval.distance_evaluation import evaluate_distances
from hashnet_tf.retrieval.evaluation import evaluate
from hashnet_tf.retrieval.hamming import distances
from hashnet_tf.retrieval.hamming_index import HammingIndex
from hashnet_tf.retrieval.histogram import Histograms, histograms
from hashnet_tf.retrieval.metrics import (
    mean_average_precision,
    ndcg_at_k,
    precision_at_k,
    precision_recall_curve,
    precision_within_radius,
    recall_at_k,
    recall_within_radius,
)
from hashnet_tf.retrieval.neighbor_evaluation import (
    NeighborReport,
    evaluate_neighbors,
)
from hashnet_tf.retrieval.neighbors import range_search, search
from hashnet_tf.retrieval.presets import PRESETS
from hashnet_tf.retrieval.report import RetrievalReport
from hashnet_tf.retrieval.reranking import rerank, to_int8

__all__ = [
    "HammingIndex",
    "Histograms",
    "NeighborReport",
    "PRESETS",
    "RetrievalReport",
    "asymmetric_search",
    "distances",
    "evaluate",
    "evaluate_distances",
    "evaluate_neighbors",
    "histograms",
    "mean_average_precision",
    "ndcg_at_k",
    "pack",
    "precision_at_k",
    "precision_recall_curve",
    "precision_within_radius",
    "range_search",
    "recall_at_k",
    "recall_within_radius",
    "rerank",
    "search",
    "to_int8",
    "unpack",
]


def __dir__() -> list[str]:
    return __all__
