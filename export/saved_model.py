"""The encoder as a SavedModel, for TensorFlow Serving and batch jobs."""

import json
import pathlib

import tensorflow as tf

from hashnet_tf.atomic import written_beside
from hashnet_tf.datasets.images import decode_image, resize_image
from hashnet_tf.export.description import description
from hashnet_tf.export.freeze import (
    exact_bits,
    frozen_archive,
    frozen_z,
    trained_size,
)

PARALLEL_DECODES = 16


def to_saved_model(model, directory, version=1):
    """Writes the frozen encoder as a SavedModel.

    Neither tanh nor beta is in the graph: from z come exact bits. The
    signatures, each on n images at once:

    | signature | input | outputs |
    |---|---|---|
    | `serving_default` | `images`, uint8 of the trained size | bits |
    | `encode_images` | `images`, uint8 of any one size | bits |
    | `encode_bytes` | `image_bytes`, JPEG, PNG, BMP or GIF files | bits |
    | `embed` | `images`, uint8 of the trained size | `z`, float32 `[n, K]` |

    Bits are `codes`, packed uint8 `[n, ceil(K / 8)]`, and `signs`, int8
    `[n, K]` of -1 and +1. Images are RGB `[n, height, width, 3]`; those of
    another size are resized as in training, and where the trained size is
    wanted another is refused. At least one image: the graphs that TensorFlow
    optimises fail on none where there is batch normalisation.

    Beside the graph, `assets.extra/hashnet.json` tells bits, bit order, image
    size, the digest of the weights and the versions of the packages.

    Args:
        model: `HashNet` on images.
        directory: Folder of all versions, as TensorFlow Serving watches it.
        version: Positive int.

    Returns:
        `pathlib.Path` of the folder written, `<directory>/<version>`. It is
        whole or not there.

    Raises:
        ValueError: If `version` is no positive integer or is there already,
            `model` is no `HashNet` on images, or Keras does not run on
            TensorFlow.

    Example:

    >>> import tempfile, hashnet_tf as hn
    >>> model = hn.HashNet(hn.models.backbone("small_cnn", (16, 16, 3)), 12)
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     hn.export.to_saved_model(model, directory, version=3).name
    '3'
    """
    if type(version) is not int or version < 1:
        raise ValueError(
            "`version` must be a positive integer."
            f" Received: version={version!r}"
        )
    path = pathlib.Path(directory) / str(version)
    if path.exists():
        raise ValueError(
            f"`version` must be a new one: {path} is there and a version is"
            f" never overwritten. Received: version={version}"
        )
    archive = frozen_archive(model)
    _add_signatures(archive, model)
    with written_beside(path) as beside:
        archive.write_out(str(beside), verbose=False)
        extra = beside / "assets.extra"
        extra.mkdir()
        text = json.dumps(description(model), indent=2)
        (extra / "hashnet.json").write_text(text + "\n", encoding="utf-8")
    return path


def _add_signatures(archive, model):
    size = trained_size(model)

    def encode_images(images):
        return exact_bits(frozen_z(model, resize_image(images, size)))

    def encode_bytes(image_bytes):
        images = tf.map_fn(
            lambda encoded: resize_image(decode_image(encoded), size),
            image_bytes,
            fn_output_signature=tf.TensorSpec([*size, 3], tf.uint8),
            parallel_iterations=PARALLEL_DECODES,
        )
        return exact_bits(frozen_z(model, images))

    def embed(images):
        return {"z": tf.cast(frozen_z(model, images), tf.float32)}

    any_size = tf.TensorSpec([None, None, None, 3], tf.uint8, name="images")
    files = tf.TensorSpec([None], tf.string, name="image_bytes")
    of_size = tf.TensorSpec([None, *size, 3], tf.uint8, name="images")
    archive.add_endpoint("encode_images", encode_images, [any_size])
    archive.add_endpoint("encode_bytes", encode_bytes, [files])
    archive.add_endpoint("embed", embed, [of_size])
