"""Data sets: by one word from disk to the batches of a training."""

from hashnet_tf.datasets.array_images import ArrayImages
from hashnet_tf.datasets.batches import ordered_batches, training_batches
from hashnet_tf.datasets.check import find_problems
from hashnet_tf.datasets.description import describe
from hashnet_tf.datasets.file_images import FileImages
from hashnet_tf.datasets.hold_out_classes import hold_out_classes
from hashnet_tf.datasets.hold_out_queries import hold_out_queries
from hashnet_tf.datasets.image_set import ImageSet
from hashnet_tf.datasets.imbalance import imbalanced
from hashnet_tf.datasets.load import load
from hashnet_tf.datasets.overlaps import shared_counts
from hashnet_tf.datasets.pair_sampler import PairSampler
from hashnet_tf.datasets.pixel_array import pixel_array
from hashnet_tf.datasets.protocol import protocols
from hashnet_tf.datasets.retrieval_dataset import RetrievalDataset
from hashnet_tf.datasets.undecodable import decodable, find_undecodable
from hashnet_tf.datasets.write_lists import write_lists

__all__ = [
    "ArrayImages",
    "FileImages",
    "ImageSet",
    "PairSampler",
    "RetrievalDataset",
    "decodable",
    "describe",
    "find_problems",
    "find_undecodable",
    "hold_out_classes",
    "hold_out_queries",
    "imbalanced",
    "load",
    "ordered_batches",
    "pixel_array",
    "protocols",
    "shared_counts",
    "training_batches",
    "write_lists",
]
