"""Readers of data sets as they are released: from a folder to a `Pool`."""

from hashnet_tf.datasets.folder import read_folder

LAYOUTS = {
    "class_folders": read_folder,
}
