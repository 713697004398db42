"""The living index: codes by name, added to, taken from and searched.

Works with numpy alone.
"""

from hashnet_tf.index.changes import Changes
from hashnet_tf.index.index import Hit, Index

__all__ = ["Changes", "Hit", "Index"]


def __dir__() -> list[str]:
    return __all__
