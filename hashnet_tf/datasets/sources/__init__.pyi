from .pool import Pool as Pool
from .reading import SOURCES as SOURCES
from .reading import Source as Source
from .reading import read_pool as read_pool
from .reading import source_words as source_words

__all__ = ["SOURCES", "Pool", "Source", "read_pool", "source_words"]
