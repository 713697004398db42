"""Data sets in the folders and formats in which they are handed out.

Each reads a folder to a `Pool`, and says in its docstring which files it
needs, and where.
"""

from hashnet_tf.datasets.folder import read_folder
from hashnet_tf.datasets.layouts.coco import read_coco
from hashnet_tf.datasets.layouts.idx import read_idx
from hashnet_tf.datasets.layouts.ilsvrc import read_ilsvrc
from hashnet_tf.datasets.layouts.mirflickr import read_mirflickr
from hashnet_tf.datasets.layouts.nus_wide import read_nus_wide

LAYOUTS = {
    "coco": read_coco,
    "folder": read_folder,
    "idx": read_idx,
    "ilsvrc": read_ilsvrc,
    "mirflickr": read_mirflickr,
    "nus_wide": read_nus_wide,
}
