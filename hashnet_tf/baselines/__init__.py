"""Rivals of HashNet: shallow hash functions on given features."""

from hashnet_tf.baselines.bre import BRE
from hashnet_tf.baselines.itq import ITQ
from hashnet_tf.baselines.itq_cca import ITQCCA
from hashnet_tf.baselines.ksh import KSH
from hashnet_tf.baselines.lsh import LSH
from hashnet_tf.baselines.sdh import SDH
from hashnet_tf.baselines.spectral_hashing import SpectralHashing

__all__ = ["BRE", "ITQ", "ITQCCA", "KSH", "LSH", "SDH", "SpectralHashing"]
