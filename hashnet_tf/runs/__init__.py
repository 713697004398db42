"""Runs: from settings to a trained, measured and encoded folder."""

from hashnet_tf.runs.code_set import CodeSet
from hashnet_tf.runs.encode_images import encode_images
from hashnet_tf.runs.evaluate_code_sets import evaluate_code_sets
from hashnet_tf.runs.evaluate_run import evaluate_run
from hashnet_tf.runs.feature_batches import feature_batches
from hashnet_tf.runs.feature_encoder import FeatureEncoder
from hashnet_tf.runs.frozen_features import frozen_features
from hashnet_tf.runs.index_code_sets import index_code_sets
from hashnet_tf.runs.keras_encoder import KerasEncoder
from hashnet_tf.runs.open_images import open_images
from hashnet_tf.runs.records import Records, read_records
from hashnet_tf.runs.run_data import run_data
from hashnet_tf.runs.run_directory import RunDirectory
from hashnet_tf.runs.search_run import Neighbours, search_images, search_run
from hashnet_tf.runs.train import train
from hashnet_tf.runs.training_figures import draw_training
from hashnet_tf.training_config import TrainingConfig

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
    "index_code_sets",
    "open_images",
    "read_records",
    "run_data",
    "search_images",
    "search_run",
    "train",
]
