from .code_set import CodeSet as CodeSet
from .code_set import evaluate_code_sets as evaluate_code_sets
from .config import TrainingConfig as TrainingConfig
from .data import run_data as run_data
from .encoders import FeatureEncoder as FeatureEncoder
from .encoders import KerasEncoder as KerasEncoder
from .encoding import encode_images as encode_images
from .encoding import open_images as open_images
from .evaluation import evaluate_run as evaluate_run
from .features import feature_batches as feature_batches
from .features import frozen_features as frozen_features
from .records import Records as Records
from .records import draw_training as draw_training
from .records import read_records as read_records
from .run_directory import RunDirectory as RunDirectory
from .search import Neighbours as Neighbours
from .search import search_images as search_images
from .search import search_run as search_run
from .training import train as train

__all__ = [
    "CodeSet",
    "FeatureEncoder",
    "KerasEncoder",
    "Neighbours",
    "Records",
    "RunDirectory",
    "TrainingConfig",
    "draw_training",
    "encode_images",
    "evaluate_code_sets",
    "evaluate_run",
    "feature_batches",
    "frozen_features",
    "open_images",
    "read_records",
    "run_data",
    "search_images",
    "search_run",
    "train",
]
