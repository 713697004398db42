from .cell import Cell as Cell
from .cell import Result as Result
from .choice import choose as choose
from .job import run_cell as run_cell
from .paper import TABLES as TABLES
from .table import reproduce as reproduce
from .table_files import Row as Row

__all__ = [
    "Cell",
    "Result",
    "Row",
    "TABLES",
    "choose",
    "reproduce",
    "run_cell",
]
