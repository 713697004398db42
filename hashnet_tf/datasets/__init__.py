"""Data sets: by one word from disk to the batches of a training."""

from hashnet_tf.datasets.array_images import ArrayImages
from hashnet_tf.datasets.batches import ordered_batches, training_batches
from hashnet_tf.datasets.file_images import FileImages
from hashnet_tf.datasets.image_set import ImageSet
from hashnet_tf.datasets.load import load
from hashnet_tf.datasets.pixel_array import pixel_array
from hashnet_tf.datasets.retrieval_dataset import RetrievalDataset
from hashnet_tf.datasets.undecodable import decodable, find_undecodable

__all__ = [
    "ArrayImages",
    "FileImages",
    "ImageSet",
    "RetrievalDataset",
    "decodable",
    "find_undecodable",
    "load",
    "ordered_batches",
    "pixel_array",
    "training_batches",
]
