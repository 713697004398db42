"""Callbacks: continuation, what watches it, validation, resuming."""

from hashnet_tf.callbacks.continuation import Continuation
from hashnet_tf.callbacks.continuation_monitor import ContinuationMonitor
from hashnet_tf.callbacks.last_checkpoint import LastCheckpoint
from hashnet_tf.callbacks.retrieval_evaluation import RetrievalEvaluation

__all__ = [
    "Continuation",
    "ContinuationMonitor",
    "LastCheckpoint",
    "RetrievalEvaluation",
]


def __dir__() -> list[str]:
    return __all__
