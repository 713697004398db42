"""Models: HashNet, what trains it otherwise, and backbones by name."""

# The file of a compiled model holds its loss and optimizer too, which Keras
# finds only once their modules have been imported.
import hashnet_tf.losses
import hashnet_tf.optimizers  # noqa: F401
from hashnet_tf.models.backbones import (
    backbone,
    backbone_names,
    freeze_batch_normalization,
)
from hashnet_tf.models.hashnet import HashNet, weights_digest
from hashnet_tf.models.training_models import (
    ClassifiedModel,
    LogitsModel,
    PairModel,
)

__all__ = [
    "ClassifiedModel",
    "HashNet",
    "LogitsModel",
    "PairModel",
    "backbone",
    "backbone_names",
    "freeze_batch_normalization",
    "weights_digest",
]
