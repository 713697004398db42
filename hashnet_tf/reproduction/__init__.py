"""The tables and figures of HashNet (ICCV 2017), measured anew."""

from hashnet_tf.reproduction.cell import Cell
from hashnet_tf.reproduction.reproduce import reproduce
from hashnet_tf.reproduction.result import Result
from hashnet_tf.reproduction.row import Row
from hashnet_tf.reproduction.run_cell import run_cell
from hashnet_tf.reproduction.systems import SYSTEMS, TABLES, System

__all__ = [
    "SYSTEMS",
    "TABLES",
    "Cell",
    "Result",
    "Row",
    "System",
    "reproduce",
    "run_cell",
]
