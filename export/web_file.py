"""The encoder as LiteRT.js takes it, the runtime for browsers."""

import os
import pathlib

from hashnet_tf.export.freeze import inputs_of
from hashnet_tf.export.litert import file_to_write, write_litert
from hashnet_tf.export.parity import check_litert
from hashnet_tf.models import HashNet


def to_web(model: HashNet, path: os.PathLike[str] | str) -> pathlib.Path:
    """Writes the frozen encoder for LiteRT.js.

    The same weights and bits as `to_litert` writes unquantised, in the form
    that LiteRT.js loads: it knows float32, int32 and uint8 alone, so that
    there are no `signs`, and no axis of any size. From `images`, uint8
    `[1, height, width, 3]`, come `codes`, packed uint8 `[1, ceil(K / 8)]`. Of
    a model on anything else the inputs are its own, by their names, one item
    at a time.

    `LiteRTEncoder` opens it too, and takes any number of items as ever.

    Args:
        model: `HashNet`, but for one that takes strings, or inputs of any
            size.
        path: File to write; one that is there is replaced.

    Returns:
        `pathlib.Path` of the file.

    Raises:
        ParityError: As `to_litert`.
        ValueError: As `to_litert`, or if an input has an axis of any size.

    Example:

    ```python
    path = hn.export.to_web(model, "encoder_web.tflite")
    codes = hn.export.LiteRTEncoder(path).encode_files(["cat.jpg"])
    ```
    """
    path = file_to_write(path)
    for field in inputs_of(model).fields:
        if None in field.shape[1:]:
            raise ValueError(
                "`model` must take inputs of one known size: LiteRT.js gives"
                " nothing to an axis of any. Received: the input"
                f" {field.name!r} of shape {list(field.shape)}"
            )
    return write_litert(
        model,
        path,
        lambda z, bits, _: {"codes": bits["codes"]},
        check_litert,
        quantize=None,
        representative=None,
        batch_size=1,
    )
