"""An artefact, whichever kind, as an encoder."""

import pathlib

from hashnet_tf.export.litert_encoder import LiteRTEncoder
from hashnet_tf.export.saved_model import version_numbers
from hashnet_tf.export.saved_model_encoder import (
    DESCRIPTION,
    SavedModelEncoder,
)


def load_encoder(path):
    """Opens a LiteRT file or a SavedModel as an encoder.

    Args:
        path: File that `to_litert` wrote, folder of a version that
            `to_saved_model` wrote, or the folder of all versions, of which
            the highest is taken.

    Returns:
        `LiteRTEncoder` or `SavedModelEncoder`.

    Raises:
        ValueError: If there is no encoder.

    Example:

    >>> import tempfile, hashnet_tf as hn
    >>> model = hn.HashNet(hn.models.backbone("small_cnn", (16, 16, 3)), 12)
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     path = hn.export.to_saved_model(model, directory)
    ...     hn.export.load_encoder(directory).bits
    12
    """
    path = pathlib.Path(path)
    if path.is_file():
        return LiteRTEncoder(path)
    if not (path / DESCRIPTION).is_file():
        if versions := version_numbers(path):
            path = path / str(max(versions))
    if not path.exists():
        raise ValueError(
            "The file or folder of an exported encoder is needed"
            f" (`hashnet export`). Received: no {path}"
        )
    return SavedModelEncoder(path)
