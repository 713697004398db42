from .pool import Pool as Pool
from .reading import LAYOUTS as LAYOUTS
from .reading import SOURCES as SOURCES
from .reading import read_pool as read_pool

__all__ = ["LAYOUTS", "Pool", "SOURCES", "read_pool"]
