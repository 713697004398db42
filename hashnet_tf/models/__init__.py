"""Models: HashNet, what trains it otherwise, and backbones by name."""

# The file of a compiled model holds its loss too, which Keras finds only once
# its module has been imported. The optimizers are imported by the models.
import hashnet_tf.losses  # noqa: F401
from hashnet_tf.models._state import weights_digest
from hashnet_tf.models.backbones import (
    backbone,
    backbone_names,
    freeze_batch_normalization,
)
from hashnet_tf.models.hashnet import HashNet
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


def __dir__() -> list[str]:
    return __all__
