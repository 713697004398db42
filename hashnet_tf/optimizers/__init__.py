"""Optimizers: a learning rate a layer, and the recipes."""

from hashnet_tf.optimizers.layerwise_optimizer import LayerwiseOptimizer
from hashnet_tf.optimizers.recipes import default_optimizer, paper_optimizer

__all__ = ["LayerwiseOptimizer", "default_optimizer", "paper_optimizer"]
