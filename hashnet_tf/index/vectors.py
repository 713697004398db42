"""Vectors of an index: which have changed, and their codes."""

import hashlib
import typing

import numpy as np
import numpy.typing as npt

from hashnet_tf._output import Progress
from hashnet_tf.index.changes import Changes
from hashnet_tf.index.files import Labels, codes_and_features
from hashnet_tf.index.item_file import Item, ItemFile, Picture

if typing.TYPE_CHECKING:
    from hashnet_tf.runs import Encoder

# Vectors that are encoded, and lost if the process is killed, at once.
BATCH = 4096


def add_vectors(
    file: ItemFile,
    encoder: "Encoder",
    labels: Labels,
    vectors: npt.ArrayLike,
    keep_features: bool,
) -> Changes:
    """Adds vectors to the file of an index, as `Index.add_vectors` does.

    Args:
        file: `ItemFile`.
        encoder: `hashnet_tf.runs.Encoder` of vectors.
        labels: Mapping from the name of each to its label; None keeps what it
            has.
        vectors: As there.
        keep_features: As in `Index.open`.
    """
    names = list(labels)
    array = vectors if isinstance(vectors, np.ndarray) else np.asarray(vectors)
    if encoder.image_size is not None:
        raise ValueError(
            "An index of images takes no vectors. Received: an encoder of"
            f" images of {encoder.image_size}"
        )
    if array.ndim != 2 or len(array) != len(names):
        raise ValueError(
            "`vectors` must be [n, d], one for each name. Received:"
            f" vectors.shape={array.shape} and {len(names)} names"
        )
    progress = Progress(len(names), "vectors")
    added = refreshed = kept = 0
    for start in range(0, len(names), BATCH):
        some = names[start : start + BATCH]
        known = file.find(some)
        rows = np.asarray(array[start : start + BATCH], np.float32)
        items = []
        for name, row in zip(some, rows, strict=True):
            old, label = known.get(name), labels[name]
            if label is None and old is not None:
                label = old.label
            digest = hashlib.sha256(row.data).hexdigest()
            same = old is not None and old.digest == digest
            code = old.code if old is not None and same else b""
            items.append(Item(name, code, label, digest))
        places = [place for place, item in enumerate(items) if not item.code]
        pictures = []
        if places:
            codes, features = codes_and_features(encoder, rows[places])
            for place, code, values in zip(
                places, codes, features, strict=True
            ):
                items[place] = items[place]._replace(code=code.tobytes())
                if keep_features and values is not None:
                    told = values.astype(np.float16).tobytes()
                    digest = items[place].digest or ""
                    pictures.append(Picture(digest, None, told))
        new = [item for item in items if known.get(item.name) != item]
        if new:
            file.put_pictures(new, pictures, known)
        refreshed += sum(item.name in known for item in new)
        added += sum(item.name not in known for item in new)
        kept += len(items) - len(new)
        progress.update(start + len(some))
    return Changes(added, refreshed, kept)
