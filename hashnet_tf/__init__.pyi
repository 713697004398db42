from . import callbacks as callbacks
from . import datasets as datasets
from . import export as export
from . import index as index
from . import layers as layers
from . import losses as losses
from . import methods as methods
from . import models as models
from . import optimizers as optimizers
from . import plots as plots
from . import reproduction as reproduction
from . import retrieval as retrieval
from . import runs as runs
from . import schedules as schedules
from . import serving as serving
from . import shallow as shallow
from .hash_encoder import HashEncoder as HashEncoder
from .index.index import Index as Index
from .models.hashnet import HashNet as HashNet

__version__: str

__all__ = [
    "HashEncoder",
    "HashNet",
    "Index",
    "callbacks",
    "datasets",
    "export",
    "index",
    "layers",
    "losses",
    "methods",
    "models",
    "optimizers",
    "plots",
    "reproduction",
    "retrieval",
    "runs",
    "schedules",
    "serving",
    "shallow",
]
