"""Deep rivals of HashNet: losses that train the same network."""

# The file of a compiled model holds its loss too, which Keras finds only once
# its module has been imported.
from hashnet_tf.baselines.deep.cnnh import CNNHLoss
from hashnet_tf.baselines.deep.cnnh_codes import cnnh_codes
from hashnet_tf.baselines.deep.csq import CSQLoss
from hashnet_tf.baselines.deep.dhn import DHNLoss
from hashnet_tf.baselines.deep.dnnh import DNNHLoss
from hashnet_tf.baselines.deep.dpsh import DPSHLoss
from hashnet_tf.baselines.deep.greedy_hash import GreedyHashLoss
from hashnet_tf.baselines.deep.hash_centers import hash_centers
from hashnet_tf.baselines.deep.methods import METHODS, Method
from hashnet_tf.baselines.deep.ortho_hash import OrthoHashLoss

__all__ = [
    "METHODS",
    "CNNHLoss",
    "CSQLoss",
    "DHNLoss",
    "DNNHLoss",
    "DPSHLoss",
    "GreedyHashLoss",
    "Method",
    "OrthoHashLoss",
    "cnnh_codes",
    "hash_centers",
]
