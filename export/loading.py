"""Opens an exported encoder, whichever its format."""

import os
import pathlib
from typing import TYPE_CHECKING

from hashnet_tf.export.formats import format_of

if TYPE_CHECKING:
    from hashnet_tf.export.litert_encoder import LiteRTEncoder
    from hashnet_tf.export.onnx_encoder import OnnxEncoder
    from hashnet_tf.export.saved_model_encoder import SavedModelEncoder


def load_encoder(
    path: os.PathLike[str] | str,
) -> "LiteRTEncoder | OnnxEncoder | SavedModelEncoder":
    """Opens an exported encoder.

    Args:
        path: File that `to_litert` or `to_onnx` wrote, folder of a version that
            `to_saved_model` wrote, or the folder of all versions, of which
            the highest is taken.

    Returns:
        `LiteRTEncoder`, `OnnxEncoder` or `SavedModelEncoder`.

    Raises:
        ValueError: If there is no encoder.
        ImportError: If the extra of its format is not installed.

    Example:

    ```python
    encoder = hn.export.load_encoder("runs/cats/export/saved_model")
    codes = encoder.encode_files(["cat.jpg", "dog.png"])
    ```
    """
    path = pathlib.Path(path)
    if not path.exists():
        raise ValueError(
            "The file or folder of an exported encoder is needed"
            f" (`hashnet export`). Received: no {path}"
        )
    return format_of(path).function("open")(path)
