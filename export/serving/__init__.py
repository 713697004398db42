"""Serving: what TensorFlow Serving needs beside the SavedModel, and a client.

The names are those of `hashnet_tf.export`.
"""
