"""NUS-WIDE for TensorFlow Datasets, which does not have it."""

from hashnet_tf.datasets.nus_wide.nus_wide_dataset_builder import Builder

__all__ = ["Builder"]
