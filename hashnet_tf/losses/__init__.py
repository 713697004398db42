"""Losses: Eq. 4 over a batch's pairs, and over given pairs."""

from hashnet_tf.losses.count_pairs import PairCounts, count_pairs
from hashnet_tf.losses.given_pairs_loss import GivenPairsLoss
from hashnet_tf.losses.pair_likelihood import pair_negative_log_likelihood
from hashnet_tf.losses.weighted_pairwise_loss import WeightedPairwiseLoss

__all__ = [
    "GivenPairsLoss",
    "PairCounts",
    "WeightedPairwiseLoss",
    "count_pairs",
    "pair_negative_log_likelihood",
]
