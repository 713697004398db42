"""The encoder as MediaPipe's ImageEmbedder takes it."""

import pathlib

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from hashnet_tf.atomic import written_beside
from hashnet_tf.export.description import description
from hashnet_tf.export.freeze import trained_size
from hashnet_tf.export.image_batches import some_images
from hashnet_tf.export.litert_conversion import (
    check_quantize,
    litert_content,
    representative_images,
)
from hashnet_tf.export.litert_metadata import with_metadata
from hashnet_tf.export.parity import ParityError, compare_codes, model_bits


def to_image_embedder(model, path, quantize=None, representative=None):
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

    >>> import pathlib, tempfile, hashnet_tf as hn
    >>> model = hn.HashNet(hn.models.backbone("small_cnn", (16, 16, 3)), 12)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "embedder.tflite")
    ...     hn.export.to_image_embedder(model, path).name
    'embedder.tflite'
    """
    check_quantize(quantize, representative)
    images = None
    if quantize == "int8":
        images = representative_images(representative, model)
    # MediaPipe reads packed uint8 codes as an embedding of zeros.
    content = litert_content(
        model,
        lambda z, bits: {"embedding": tf.cast(bits["signs"], tf.float32)},
        quantize,
        images,
        batch_size=1,
    )
    content = with_metadata(
        content, {**description(model), "quantize": quantize}
    )
    path = pathlib.Path(path)
    with written_beside(path) as beside:
        beside.write_bytes(content)
        few = some_images(trained_size(model), images)
        _check(beside, model, few, exact=quantize is None)
    return path


def _check(path, model, images, exact):
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
