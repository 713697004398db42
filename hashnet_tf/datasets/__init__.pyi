from .batches import file_batches as file_batches
from .batches import ordered_batches as ordered_batches
from .batches import pixel_array as pixel_array
from .batches import training_batches as training_batches
from .check import find_copies as find_copies
from .check import find_problems as find_problems
from .check import shared_counts as shared_counts
from .description import describe as describe
from .held_out import hold_out_classes as hold_out_classes
from .held_out import hold_out_queries as hold_out_queries
from .images.array_images import ArrayImages as ArrayImages
from .images.file_images import FileImages as FileImages
from .images.image_set import ImageSet as ImageSet
from .images.vectors import Vectors as Vectors
from .imbalance import imbalanced as imbalanced
from .loading import load as load
from .pixels.undecodable import decodable as decodable
from .pixels.undecodable import find_undecodable as find_undecodable
from .pixels.undecodable import undecodable_named as undecodable_named
from .protocol import protocols as protocols
from .retrieval_dataset import RetrievalDataset as RetrievalDataset
from .sampling import PairSampler as PairSampler
from .sources.written_lists import write_lists as write_lists

__all__ = [
    "ArrayImages",
    "FileImages",
    "ImageSet",
    "PairSampler",
    "RetrievalDataset",
    "Vectors",
    "decodable",
    "describe",
    "file_batches",
    "find_copies",
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
    "undecodable_named",
    "write_lists",
]
