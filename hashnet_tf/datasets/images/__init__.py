"""Sets of images: arrays, files, and streams of TensorFlow Datasets."""
