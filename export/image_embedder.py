"""The encoder as MediaPipe's ImageEmbedder takes it."""

import os
import pathlib

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from hashnet_tf.export.freeze import trained_size
from hashnet_tf.export.litert import file_to_write, write_litert
from hashnet_tf.export.litert_conversion import Representative
from hashnet_tf.export.parity import ParityError, compare_codes, model_bits
from hashnet_tf.models import HashNet


def to_image_embedder(
    model: HashNet,
    path: os.PathLike[str] | str,
    quantize: str | None = None,
    representative: Representative | None = None,
) -> pathlib.Path:
    """Writes the frozen encoder for MediaPipe's ImageEmbedder.

    The ImageEmbedder task of MediaPipe resizes an image, runs the file and
    gives the output as an embedding of floats. From `images`, uint8
    `[1, height, width, 3]`, comes `embedding`, float32 `[1, K]`, exactly -1 and
    +1: their signs are the code's bits. Leave the task's L2 normalisation and
    quantisation off to get them as they are. MediaPipe resizes in its own
    way, which moves bits unless the image has the trained size already.

    Args:
        model: `HashNet` on images.
        path: File to write; one that is there is replaced.
        quantize: As in `to_litert`.
        representative: As in `to_litert`.

    Returns:
        `pathlib.Path` of the file.

    Raises:
        ParityError: As `to_litert`.
        ValueError: As `to_litert`.

    Example:

    ```python
    hn.export.to_image_embedder(model, "embedder.tflite")
    ```
    """

    path = file_to_write(path)
    # MediaPipe gives images alone.
    trained_size(model)

    def check(path: pathlib.Path, model: HashNet, images: np.ndarray) -> None:
        _check(path, model, images, exact=quantize is None)

    # MediaPipe reads packed uint8 codes as an embedding of zeros.
    return write_litert(
        model,
        path,
        lambda z, bits, _: {"embedding": tf.cast(bits["signs"], tf.float32)},
        check,
        quantize,
        representative,
        batch_size=1,
    )


def _check(
    path: pathlib.Path, model: HashNet, images: np.ndarray, exact: bool
) -> None:
    run = Interpreter(model_path=str(path)).get_signature_runner(
        "serving_default"
    )
    signs = np.concatenate([run(images=i[None])["embedding"] for i in images])
    if signs.dtype != np.float32 or (np.abs(signs) != 1).any():
        raise ParityError(
            f"{path} must give float32 -1 and +1 and gives {signs.dtype} in"
            f" [{signs.min()}, {signs.max()}]."
        )
    codes = np.packbits(signs > 0, axis=1)
    compare_codes(path, codes, *model_bits(model, images), exact)
