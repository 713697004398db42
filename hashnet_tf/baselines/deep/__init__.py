"""Deep rivals of HashNet: losses that train the same network."""

# The file of a compiled model holds its loss too, which Keras finds only once
# its module has been imported.
from hashnet_tf.baselines.deep.dhn import DHNLoss
from hashnet_tf.baselines.deep.dnnh import DNNHLoss
from hashnet_tf.baselines.deep.dpsh import DPSHLoss

__all__ = [
    "DHNLoss",
    "DNNHLoss",
    "DPSHLoss",
]
