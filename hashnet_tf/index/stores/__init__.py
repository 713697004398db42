"""Where codes go: engines that keep them by name, behind one class.

Each is opened by a word, `open_store("duckdb:codes.duckdb", bits=64)`, and an
index is copied into one by `Index.copy_to`.
"""

from hashnet_tf.index.stores.opening import STORES, Engine, open_store
from hashnet_tf.index.stores.store import Near, Store

__all__ = ["STORES", "Engine", "Near", "Store", "open_store"]


def __dir__() -> list[str]:
    return __all__
