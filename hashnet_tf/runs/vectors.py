"""From a file of vectors to a code set on disk."""

import os

from hashnet_tf.datasets.sources.vectors import read_vectors
from hashnet_tf.models import HashNet
from hashnet_tf.runs.code_set import CodeSet
from hashnet_tf.runs.encoders import Encoder, Path
from hashnet_tf.runs.encoding import encode_images


def encode_vectors(
    encoder: HashNet | Encoder, vectors: Path, folder: Path
) -> CodeSet:
    """Encodes all vectors of a file, with their labels where it has some.

    They stream through, of a .npy file without being held in memory.

    Args:
        encoder: `HashNet` on vectors, or any `Encoder` that takes some.
        vectors: Str or path of the file, as "vectors:FILE" reads it.
        folder: Str or path of the code set, as in `encode_images`.

    Returns:
        `CodeSet`, whose ids are those of the file, or the numbers of its rows.

    Raises:
        ValueError: If the file is none of vectors, they are of another width,
            or as `encode_images`.

    Example:

    >>> import tempfile, keras, numpy as np, hashnet_tf as hn
    >>> features = keras.Input((8,))
    >>> model = hn.HashNet(keras.Model(features, features), bits=12)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = f"{folder}/x.npy"
    ...     np.save(path, np.eye(8))
    ...     codes = hn.runs.encode_vectors(model, path, f"{folder}/codes").codes
    Encoding 8 vectors
    >>> codes.shape
    (8, 2)
    """
    path = os.path.abspath(vectors)
    pool = read_vectors(path)
    return encode_images(
        encoder,
        pool.images,
        folder,
        source={"vectors": path},
        class_names=pool.class_names,
    )
