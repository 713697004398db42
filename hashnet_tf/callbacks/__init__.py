"""Callbacks: continuation, what watches it, and the resume point."""

from hashnet_tf.callbacks.continuation import Continuation
from hashnet_tf.callbacks.continuation_monitor import ContinuationMonitor
from hashnet_tf.callbacks.last_checkpoint import LastCheckpoint

__all__ = ["Continuation", "ContinuationMonitor", "LastCheckpoint"]
