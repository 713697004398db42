"""Serving: what TensorFlow Serving needs beside the SavedModel."""
