"""Serving: what TensorFlow Serving needs beside the SavedModel."""

from hashnet_tf.export.serving.bundle import write_serving_bundle

__all__ = ["write_serving_bundle"]
