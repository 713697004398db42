from .code_set import CodeSet as CodeSet
from .config import TrainingConfig as TrainingConfig
from .data import RunData as RunData
from .demonstration import demonstrate as demonstrate
from .encoders import Encoder as Encoder
from .encoders import FeatureEncoder as FeatureEncoder
from .encoders import KerasEncoder as KerasEncoder
from .encoding import encode_folder as encode_folder
from .encoding import encode_images as encode_images
from .encoding import open_images as open_images
from .evaluation import draw_report as draw_report
from .evaluation import evaluate_code_sets as evaluate_code_sets
from .features import feature_batches as feature_batches
from .features import frozen_features as frozen_features
from .file_evaluation import evaluate_files as evaluate_files
from .file_evaluation import (
    evaluate_neighbor_files as evaluate_neighbor_files,
)
from .photographs import photograph_settings as photograph_settings
from .records import Records as Records
from .records import read_records as read_records
from .run import Run as Run
from .search import Neighbours as Neighbours
from .search import search_images as search_images
from .training import train as train
from .vectors import encode_vectors as encode_vectors

__all__ = [
    "CodeSet",
    "Encoder",
    "FeatureEncoder",
    "KerasEncoder",
    "Neighbours",
    "Records",
    "Run",
    "RunData",
    "TrainingConfig",
    "demonstrate",
    "draw_report",
    "encode_folder",
    "encode_images",
    "encode_vectors",
    "evaluate_code_sets",
    "evaluate_files",
    "evaluate_neighbor_files",
    "feature_batches",
    "frozen_features",
    "photograph_settings",
    "open_images",
    "read_records",
    "search_images",
    "train",
]
