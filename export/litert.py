"""The encoder as a LiteRT file, for phones and other devices."""

import pathlib
import tempfile
import warnings

import tensorflow as tf

from hashnet_tf.atomic import written_beside
from hashnet_tf.export.freeze import (
    exact_bits,
    frozen_archive,
    trained_size,
)
from hashnet_tf.export.image_batches import check_images
from hashnet_tf.export.litert_file import check_self_contained

QUANTIZE = (None, "float16", "dynamic", "int8")
FEWEST_IMAGES = 32


def to_litert(model, path, quantize=None, representative=None):
    """Writes the frozen encoder as a LiteRT file.

    One signature, `serving_default`, of builtin operators only: `images`,
    uint8 `[n, height, width, 3]` of the trained size with any n, to `codes`,
    packed uint8 `[n, ceil(K / 8)]`, and `signs`, int8 `[n, K]` of -1 and +1.
    The runtime does not check the size of the images; `LiteRTEncoder` does.

    Unquantised, the bits are those of the model. Quantised, bits near zero
    move, and not the same ones on every device: measure them with
    `check_litert`, and encode the queries and the database with one file.

    Args:
        model: `HashNet` on images.
        path: File to write; one that is there is replaced.
        quantize: None; "float16" for weights of half the size; "dynamic" for
            int8 weights; or "int8" for int8 weights and activations.
        representative: For "int8", and for it alone: iterable of batches of
            training images, uint8 `[n, height, width, 3]`, together at least
            32 and better some hundreds, from which the ranges of the
            activations are taken.

    Returns:
        `pathlib.Path` of the file.

    Raises:
        ValueError: If `quantize` is none of these, `representative` does not
            fit it, `model` is no `HashNet` on images, or Keras does not run
            on TensorFlow.

    Example:

    >>> import pathlib, tempfile, hashnet_tf as hn
    >>> model = hn.HashNet(hn.models.backbone("small_cnn", (16, 16, 3)), 12)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "encoder.tflite")
    ...     hn.export.to_litert(model, path, quantize="float16").name
    'encoder.tflite'
    """
    if quantize not in QUANTIZE:
        raise ValueError(
            f"`quantize` must be one of {QUANTIZE}."
            f" Received: quantize={quantize!r}"
        )
    if quantize == "int8":
        representative = _check_representative(representative, model)
    elif representative is not None:
        raise ValueError(
            "`representative` is for quantize='int8' alone."
            f" Received: quantize={quantize!r} and representative images"
        )
    to_bits = _bits_of_quantized if quantize == "int8" else exact_bits
    archive = frozen_archive(model, to_bits)
    content = _convert(archive, quantize, representative)
    check_self_contained(content)
    path = pathlib.Path(path)
    with written_beside(path) as beside:
        beside.write_bytes(content)
    return path


def _bits_of_quantized(z):
    # LiteRT compares int8 values after rounding both to multiples of 1/256,
    # whatever their scale: every z in (-1/512, 0) would pass for 0, in a net
    # of small z a sixth of all bits. No kernel takes the floor or the cast
    # in int8, so that these see z as it is, and floor(z) >= 0 iff z >= 0.
    return exact_bits(tf.cast(tf.floor(z), tf.int32))


def _check_representative(representative, model):
    size = trained_size(model)
    batches = [
        check_images(batch, size, "representative")
        for batch in (() if representative is None else representative)
    ]
    if (count := sum(map(len, batches))) < FEWEST_IMAGES:
        raise ValueError(
            "quantize='int8' needs `representative`, batches of together at"
            f" least {FEWEST_IMAGES} training images. Received: {count} images"
        )
    return [batch for batch in batches if len(batch)]


def _convert(archive, quantize, representative):
    with tempfile.TemporaryDirectory() as folder:
        archive.write_out(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(
            folder, signature_keys=["serving_default"]
        )
        operators = tf.lite.OpsSet.TFLITE_BUILTINS
        if quantize is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if quantize == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if quantize == "int8":
            operators = tf.lite.OpsSet.TFLITE_BUILTINS_INT8
            converter.representative_dataset = lambda: (
                ("serving_default", {"images": batch})
                for batch in representative
            )
        converter.target_spec.supported_ops = [operators]
        with warnings.catch_warnings():
            # The converter itself calibrates with the old interpreter.
            warnings.filterwarnings(
                "ignore", r"\s*Warning: tf\.lite\.Interpreter is deprecated"
            )
            return converter.convert()
