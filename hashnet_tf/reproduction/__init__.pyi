from .cell import Cell as Cell
from .cell import Result as Result
from .job import run_cell as run_cell
from .systems import SYSTEMS as SYSTEMS
from .systems import TABLES as TABLES
from .systems import System as System
from .table import reproduce as reproduce
from .table_files import Row as Row

__all__ = [
    "Cell",
    "Result",
    "Row",
    "SYSTEMS",
    "System",
    "TABLES",
    "reproduce",
    "run_cell",
]
