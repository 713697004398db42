"""The living index: codes by name, added to, taken from and searched.

Codes need numpy alone, pictures PIL and imagehash.
"""

from hashnet_tf.index import stores
from hashnet_tf.index.browsing import Entry
from hashnet_tf.index.changes import Changes
from hashnet_tf.index.copying import Copied
from hashnet_tf.index.duplicates import (
    DuplicateGroup,
    duplicate_groups,
    perceptual_hash,
)
from hashnet_tf.index.fitting import Fit
from hashnet_tf.index.index import Index
from hashnet_tf.index.item_file import Item
from hashnet_tf.index.pictures import (
    Pictures,
    find_pictures,
    thumbnails,
    usual_size,
)
from hashnet_tf.index.ranking import Hit

__all__ = [
    "Changes",
    "Copied",
    "DuplicateGroup",
    "Entry",
    "Fit",
    "Hit",
    "Index",
    "Item",
    "Pictures",
    "duplicate_groups",
    "find_pictures",
    "perceptual_hash",
    "stores",
    "thumbnails",
    "usual_size",
]


def __dir__() -> list[str]:
    return __all__
