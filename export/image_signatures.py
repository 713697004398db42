"""Signatures that a SavedModel has for pictures: they frame and decode."""

import os
from typing import Any, final

import numpy as np
import tensorflow as tf

from hashnet_tf._framings import DECODER
from hashnet_tf.datasets.pixels.decoding import decode_image
from hashnet_tf.datasets.pixels.framing import frame_image
from hashnet_tf.datasets.pixels.header import (
    FORMATS,
    JPEG_PIXELS,
    MAX_PIXELS,
    MAX_SIDE,
)
from hashnet_tf.export.encoder_inputs import EncoderInputs, ImageInputs
from hashnet_tf.export.freeze import Outputs, Tensor, exact_bits, frozen_z
from hashnet_tf.export.parity import ParityError, compare_codes, model_bits
from hashnet_tf.export.saved_model_encoder import SavedModelEncoder
from hashnet_tf.export.serving.warmup import warmup_requests
from hashnet_tf.models import HashNet

# Of the largest images allowed, as many at once take 1.5 GiB, and three times
# that while they are turned.
PARALLEL_DECODES = 8


def decode_files(
    image_bytes: Tensor, size: tuple[int, int], framing: str = "whole"
) -> tuple[Tensor, Tensor]:
    """Decodes files to images of one size, and tells which could be.

    An error in a graph ends all of it, but for one: a `tf.data` pipeline can
    leave out the elements that raised. The files that were not left out are put
    back into their places.

    Args:
        image_bytes: String tensor `[n]`, files as `decode_image` takes them.
        size: `(height, width)`.
        framing: As in `HashNet`.

    Returns:
        `(images, ok)`: uint8 tensor `[n, height, width, 3]`, zeros where a file
        could not be decoded, and bool tensor `[n]`.

    Example:

    >>> import tensorflow as tf
    >>> from hashnet_tf.export.image_signatures import decode_files
    >>> png = tf.io.encode_png(tf.zeros([2, 3, 3], tf.uint8))
    >>> images, ok = decode_files(tf.stack([png, "no image"]), (4, 4))
    >>> images.shape, ok.numpy().tolist()
    (TensorShape([2, 4, 4, 3]), [True, False])
    """
    n = tf.size(image_bytes, out_type=tf.int64)

    def decode(place, file):
        return place, frame_image(decode_image(file), size, framing)

    files = tf.data.Dataset.from_tensor_slices(image_bytes).enumerate()
    decoded = files.map(
        decode, num_parallel_calls=PARALLEL_DECODES, deterministic=False
    ).ignore_errors()
    # A row of no file's, so that there is a batch where no file is good.
    blank = tf.data.Dataset.from_tensors(
        (n, tf.zeros([*size, 3], tf.uint8)),
    )
    batch = blank.concatenate(decoded).batch(n + 1)
    options = tf.data.Options()
    # It watches for seconds what is over in milliseconds.
    options.autotune.enabled = False
    places, images = batch.with_options(options).get_single_element()
    places = places[:, None]
    shape = tf.stack([n + 1, *size, 3])
    images = tf.scatter_nd(places, images, shape)[:-1]
    ok = tf.scatter_nd(places, tf.ones_like(places[:, 0]), [n + 1])[:-1]
    return tf.ensure_shape(images, [None, *size, 3]), ok > 0


def served_bits(z: Tensor, ok: Tensor | None = None) -> Outputs:
    """Turns z into the outputs of a signature that gives bits and strings.

    Args:
        z: Real tensor `[n, K]`.
        ok: Bool tensor `[n]`, of which items there is a code, or None of all.

    Returns:
        Dict of `codes` and `signs`, as `exact_bits` gives them, all zero where
        there is none, `code_bytes`, string `[n]`, and `ok` if it was given.

    Example:

    >>> import tensorflow as tf
    >>> from hashnet_tf.export.image_signatures import served_bits
    >>> served_bits(tf.constant([[-1.0, 2.0]]))["code_bytes"].numpy().tolist()
    [b'@']
    """
    bits = exact_bits(z)
    if ok is not None:
        bits = {
            name: tf.where(ok[:, None], values, tf.zeros_like(values))
            for name, values in bits.items()
        }
        bits["ok"] = ok
    byte = tf.constant([bytes([value]) for value in range(256)])
    digits = tf.gather(byte, tf.cast(bits["codes"], tf.int32))
    return {**bits, "code_bytes": tf.strings.reduce_join(digits, axis=1)}


class MoreSignatures:
    """What a SavedModel has beside those of every model: nothing.

    Args:
        model: `HashNet`.
        inputs: `EncoderInputs` of it.
    """

    def __init__(self, model: HashNet, inputs: EncoderInputs):
        self._model = model
        self._inputs = inputs

    def add(self, archive: Any) -> None:
        """Adds the signatures to a `keras.export.ExportArchive`."""

    def told(self) -> dict[str, Any]:
        """Returns what the description says of them."""
        return {}

    def requests(self, some: dict[str, np.ndarray]) -> dict[str, Any]:
        """Returns a request for each signature, as `write_warmup` takes them.

        For none by a second name.

        Args:
            some: Arrays by the names of the inputs.
        """
        first = {name: array[:1] for name, array in some.items()}
        return {"serving_default": first, "embed": first}

    def check(
        self,
        path: os.PathLike[str] | str,
        encoder: SavedModelEncoder,
        some: dict[str, np.ndarray],
    ) -> None:
        """Checks that each of them gives the model's bits.

        Raises:
            ParityError: If one does not.
        """


@final
class ImageSignatures(MoreSignatures):
    """Beside them, of RGB images: `encode_images` and `encode_bytes`.

    Args:
        model: `HashNet` on images.
        inputs: `ImageInputs` of it.
    """

    def __init__(self, model: HashNet, inputs: ImageInputs):
        super().__init__(model, inputs)
        self._size = inputs.image_size
        self._dtype = inputs.fields[0].dtype

    def add(self, archive: Any) -> None:
        def encode_images(images: Tensor) -> Outputs:
            framed = frame_image(images, self._size, self._model.framing)
            return served_bits(frozen_z(self._model, framed))

        def encode_bytes(image_bytes: Tensor) -> Outputs:
            # The signature's own shape is enforced by no runtime.
            files = tf.ensure_shape(image_bytes, [None])
            images, ok = decode_files(files, self._size, self._model.framing)
            return served_bits(frozen_z(self._model, images), ok)

        any_size = tf.TensorSpec([None, None, None, 3], tf.uint8, "images")
        files = tf.TensorSpec([None], tf.string, "image_bytes")
        archive.add_endpoint("encode_images", encode_images, [any_size])
        archive.add_endpoint("encode_bytes", encode_bytes, [files])

    def told(self) -> dict[str, Any]:
        return {
            "image_dtype": self._dtype,
            "image_bytes": {
                "formats": FORMATS,
                "decoder": DECODER,
                "max_pixels": MAX_PIXELS,
                "max_pixels_of_jpeg": JPEG_PIXELS,
                "max_side": MAX_SIDE,
            },
        }

    def requests(self, some: dict[str, np.ndarray]) -> dict[str, Any]:
        return warmup_requests(self._size, self._dtype)

    def check(
        self,
        path: os.PathLike[str] | str,
        encoder: SavedModelEncoder,
        some: dict[str, np.ndarray],
    ) -> None:
        # As files have them, whatever the dtype of the signature.
        images = some["images"].astype(np.uint8)
        files = [tf.io.encode_png(image).numpy() for image in images]
        inputs = {
            "encode_images": images,
            "encode_bytes": [*files, b"no image"],
        }
        framed = frame_image(images, self._size, encoder.framing).numpy()
        expected = model_bits(self._model, framed)
        outputs: dict[str, np.ndarray] = {}
        for signature, values in inputs.items():
            outputs = encoder.run(signature, values)
            codes = outputs["codes"][: len(images)]
            compare_codes(f"{path}, {signature},", codes, *expected, exact=True)
        if outputs["ok"].tolist() != [True] * len(images) + [False]:
            raise ParityError(
                f"{path} does not tell images from other files: of"
                f" {len(images)} images and one other file it gives"
                f" ok={outputs['ok'].tolist()}."
            )


def more_signatures(model: HashNet, inputs: EncoderInputs) -> MoreSignatures:
    """Returns what a SavedModel of `model` has beside those of every model.

    Args:
        model: `HashNet`.
        inputs: `EncoderInputs` of it.
    """
    if isinstance(inputs, ImageInputs):
        return ImageSignatures(model, inputs)
    return MoreSignatures(model, inputs)
