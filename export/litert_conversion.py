"""From a HashNet to the content of a LiteRT file."""

import tempfile
import warnings

import numpy as np
import tensorflow as tf

from hashnet_tf.export.activation_ranges import with_robust_ranges
from hashnet_tf.export.freeze import (
    exact_bits,
    frozen_archive,
    trained_size,
)
from hashnet_tf.export.image_batches import check_images
from hashnet_tf.export.litert_file import check_self_contained

QUANTIZE = (None, "float16", "dynamic", "int8")
FEWEST_IMAGES = 32


def litert_content(model, to_outputs, quantize, images, batch_size):
    """Converts the frozen encoder, with the signature `serving_default`.

    Args:
        model: `HashNet` on images.
        to_outputs: Function from z and its bits, a dict of `codes` and
            `signs`, to the dict of the outputs.
        quantize: One of `QUANTIZE`.
        images: For "int8" what `representative_images` returns, else None.
        batch_size: Positive int, or None for any.

    Returns:
        Bytes of the file.

    Raises:
        ValueError: If `model` is no `HashNet` on images, its activations are
            not finite, or Keras does not run on TensorFlow.

    Example:

    >>> import hashnet_tf as hn
    >>> from hashnet_tf.export.litert_conversion import litert_content
    >>> model = hn.HashNet(hn.models.backbone("small_cnn", (16, 16, 3)), 12)
    >>> content = litert_content(model, lambda z, bits: bits, None, None, 1)
    >>> content[4:8]
    b'TFL3'
    """
    to_bits = _bits_of_quantized if quantize == "int8" else exact_bits
    archive = frozen_archive(
        model, lambda z: to_outputs(z, to_bits(z)), batch_size=batch_size
    )
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # The converter itself calibrates with the old interpreter.
        warnings.filterwarnings(
            "ignore", r"\s*Warning: tf\.lite\.Interpreter is deprecated"
        )
        archive.write_out(folder, verbose=False)
        content = _convert(folder, quantize, images, batch_size or 1)
    check_self_contained(content)
    return content


def check_quantize(quantize, representative):
    """Checks what to quantise, and that images are there iff it takes them.

    Raises:
        ValueError: If not.
    """
    if quantize not in QUANTIZE:
        raise ValueError(
            f"`quantize` must be one of {QUANTIZE}."
            f" Received: quantize={quantize!r}"
        )
    if representative is not None and quantize != "int8":
        raise ValueError(
            "`representative` is for quantize='int8' alone."
            f" Received: quantize={quantize!r} and representative images"
        )


def representative_images(representative, model):
    """Returns batches of representative images as one array.

    Args:
        representative: Iterable of uint8 `[n, height, width, 3]`, or None.
        model: `HashNet` on images of that size.

    Returns:
        uint8 array `[n, height, width, 3]`.

    Raises:
        ValueError: If the images are too few, or not such.
    """
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
    return np.concatenate(batches)


def _bits_of_quantized(z):
    # LiteRT compares int8 values after rounding both to multiples of 1/256,
    # whatever their scale: every z in (-1/512, 0) would pass for 0, in a net
    # of small z a sixth of all bits. No kernel takes the floor or the cast
    # in int8, so that these see z as it is, and floor(z) >= 0 iff z >= 0.
    return exact_bits(tf.cast(tf.floor(z), tf.int32))


def _convert(folder, quantize, images, batch_size):
    converter = tf.lite.TFLiteConverter.from_saved_model(
        folder, signature_keys=["serving_default"]
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if quantize is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if quantize == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if quantize != "int8":
        return converter.convert()
    # Its own calibration takes the extremes of all images for the ranges, so
    # it sees one batch and the ranges are taken anew. The debugger is the
    # converter's door to what lies between calibrating and quantising.
    whole = _whole_batches(images, batch_size)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.representative_dataset = lambda: [
        ("serving_default", {"images": whole[:batch_size]})
    ]
    debugger = tf.lite.experimental.QuantizationDebugger(converter=converter)
    debugger.calibrated_model = with_robust_ranges(
        debugger.calibrated_model, whole, batch_size
    )
    return debugger.get_nondebug_quantized_model()


def _whole_batches(images, batch_size):
    missing = -len(images) % batch_size
    return np.concatenate(
        [images, np.resize(images, (missing, *images.shape[1:]))]
    )
