"""Losses: HashNet's, over labels and over given pairs, and its rivals'."""

# The file of a compiled model holds its loss too, which Keras finds only once
# its module has been imported: so all of them are, and not on first use.
from hashnet_tf.losses.centers import hash_centers
from hashnet_tf.losses.class_loss import ClassLoss
from hashnet_tf.losses.cnnh_loss import CNNHLoss, cnnh_codes
from hashnet_tf.losses.csq_loss import CSQLoss
from hashnet_tf.losses.dch_loss import DCHLoss
from hashnet_tf.losses.dhn_loss import DHNLoss
from hashnet_tf.losses.dnnh_loss import DNNHLoss
from hashnet_tf.losses.dpsh_loss import DPSHLoss
from hashnet_tf.losses.given_pairs_loss import GivenPairsLoss
from hashnet_tf.losses.greedy_hash_loss import GreedyHashLoss
from hashnet_tf.losses.in_batch_pairs_loss import InBatchPairsLoss
from hashnet_tf.losses.likelihoods import LogisticLikelihood, RadiusLikelihood
from hashnet_tf.losses.ortho_hash_loss import OrthoHashLoss
from hashnet_tf.losses.pair_counts import PairCounts, count_pairs
from hashnet_tf.losses.weighted_pairwise_loss import WeightedPairwiseLoss

__all__ = [
    "CNNHLoss",
    "CSQLoss",
    "ClassLoss",
    "DCHLoss",
    "DHNLoss",
    "DNNHLoss",
    "DPSHLoss",
    "GivenPairsLoss",
    "GreedyHashLoss",
    "InBatchPairsLoss",
    "LogisticLikelihood",
    "OrthoHashLoss",
    "PairCounts",
    "RadiusLikelihood",
    "WeightedPairwiseLoss",
    "cnnh_codes",
    "count_pairs",
    "hash_centers",
]


def __dir__() -> list[str]:
    return __all__
