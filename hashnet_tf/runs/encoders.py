"""Encoders: what turns images, or vectors, into codes, by any runtime."""

import os
import sys
import typing
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from hashnet_tf._inputs import check_inputs
from hashnet_tf.datasets.pixels.pillow import pixel_batches
from hashnet_tf.datasets.sources.npz import ENDING, open_npz
from hashnet_tf.datasets.sources.vectors import open_vectors

# Keras and TensorFlow are imported where they are used: an encoder of another
# runtime should not wait for them.
if typing.TYPE_CHECKING:
    import keras

    from hashnet_tf.models import HashNet

BATCH_SIZE = 128

Path = os.PathLike[str] | str
Images = npt.ArrayLike | Path | Iterable[Path]


@typing.runtime_checkable
class Encoder(typing.Protocol):
    """What every encoder has. A class of any runtime that has it is one.

    `KerasEncoder`, and of `hashnet_tf.export` `LiteRTEncoder`, `OnnxEncoder`
    and `SavedModelEncoder` are encoders. Evaluation and search take any.

    Attributes:
        bits: Int, K.
        image_size: `(height, width)` of the images that it takes; None where it
            takes vectors, of which the framing says nothing.
        framing: Str, which part of an image they are, as in `HashNet`.
        model_digest: Str, which is the same where the bits are.

    Example:

    ```python
    encoder = hn.export.load_encoder("encoder.tflite")
    assert isinstance(encoder, hn.runs.Encoder)
    ```
    """

    bits: int
    image_size: tuple[int, int] | None
    framing: str
    model_digest: str

    def encode(self, images: npt.ArrayLike, /) -> np.ndarray:
        """Returns the packed codes of images, or of vectors.

        Args:
            images: Array `[n, height, width, 3]` of `image_size`, of uint8, or
                of floats in [0, 255], which runtimes that take uint8 alone
                want whole. Of other channels numbers, as the network takes
                them; or vectors, real `[n, d]`.

        Returns:
            uint8 array `[n, ceil(bits / 8)]`, the first bit in the highest
            place of the first byte.

        Raises:
            ValueError: If the images have another size or dtype, were scaled
                to [0, 1] or [-1, 1], or hold NaN: with the same sentence from
                every runtime.
        """
        ...

    def encode_files(self, paths: Iterable[Path], /) -> np.ndarray:
        """Returns the packed codes of image files, framed as in the training.

        Args:
            paths: Paths of n JPEG, PNG, WebP or BMP files.

        Returns:
            uint8 array `[n, ceil(bits / 8)]`, in the order of the paths.

        Raises:
            ValueError: If `paths` is one path, a file is no image, or the
                encoder takes vectors or images that are not RGB.
            FileNotFoundError: If a file is missing.
        """
        ...


class KerasEncoder:
    """Encodes images, or vectors, with a HashNet; an `Encoder`.

    Args:
        model: `HashNet` on images or on vectors.

    Attributes:
        bits: Int, K.
        image_size: `(height, width)` of the images that it takes, None of
            vectors.
        framing: Str, which part of an image they are, as in `HashNet`.
        model_digest: Str, which is the same where the bits are.

    Raises:
        ValueError: If `model` takes other inputs than images of one size or
            vectors.

    Example:

    >>> import numpy as np, hashnet_tf as hn
    >>> model = hn.HashNet(hn.models.backbone("small_cnn", (16, 16, 3)), 12)
    >>> encoder = hn.runs.KerasEncoder(model)
    >>> encoder.encode(np.zeros((5, 16, 16, 3), dtype="uint8")).shape
    (5, 2)
    """

    bits: int
    image_size: tuple[int, int] | None
    framing: str
    model_digest: str

    def __init__(self, model: "HashNet"):
        from hashnet_tf.models import weights_digest

        self._model = model
        self.bits = model.bits
        self.framing = model.framing
        self.image_size = _image_size(model)
        self.model_digest = weights_digest(model)

    def encode(self, images: npt.ArrayLike) -> np.ndarray:
        """Returns the packed codes of images, as `Encoder.encode`."""
        (of_images,) = self._model.backbone.inputs
        name = "vectors" if self.image_size is None else "images"
        images = check_inputs(images, of_images.shape, name)
        return self._model.encode(images, BATCH_SIZE)

    def encode_files(self, paths: Iterable[Path]) -> np.ndarray:
        """Returns the packed codes of files, as `Encoder.encode_files`."""
        from hashnet_tf.datasets import file_batches

        if self.image_size is None:
            raise ValueError(
                "An encoder of vectors encodes no image files."
                f" Received: a network of {self._model.backbone.input_shape}"
            )
        codes = [np.zeros((0, -(-self.bits // 8)), np.uint8)]
        for batch in file_batches(
            paths, self.image_size, self.framing, BATCH_SIZE
        ):
            codes.append(self.encode(batch))
        return np.concatenate(codes)


def _image_size(model: "HashNet") -> tuple[int, int] | None:
    shape = model.backbone.input_shape
    if len(shape) == 2 and shape[1] is not None:
        return None
    if len(shape) != 4 or None in shape[1:]:
        raise ValueError(
            "`model` must take images [n, height, width, channels] of a known"
            " size, or vectors [n, d], to be an encoder; `model.encode` itself"
            " takes any inputs."
            f" Received: model.backbone.input_shape={shape}"
        )
    return shape[1:3]


EncoderT = typing.TypeVar("EncoderT")


def as_encoder(model: "HashNet | EncoderT") -> "KerasEncoder | EncoderT":
    """Returns a `HashNet` as a `KerasEncoder`, and an encoder as it is."""
    # Where Keras is not loaded there is none of its models.
    if "keras" in sys.modules:
        from hashnet_tf.models import HashNet

        if isinstance(model, HashNet):
            return KerasEncoder(model)
    return typing.cast(EncoderT, model)


def framed_pixels(
    images: Images, encoder: "Encoder | FeatureEncoder"
) -> np.ndarray:
    """Returns images, or vectors, as an encoder takes them.

    Args:
        images: uint8 array `[n, height, width, channels]` or `[height, width,
            channels]`, which is taken as it is, or the path of an image file,
            or a list of paths, or the path of an .npz archive, as "npz:FILE"
            reads it. For an encoder of vectors these, real `[n, d]` or `[d]`,
            or the path of their file, as "vectors:FILE" reads it.
        encoder: `Encoder`, whose size and framing files get.

    Returns:
        uint8 array `[n, height, width, channels]`, or vectors `[n, d]`.

    Raises:
        ValueError: If a file is no image, or holds no vectors.
        FileNotFoundError: If a file is missing.
    """
    if encoder.image_size is None:
        if isinstance(images, (str, os.PathLike)):
            return open_vectors(os.fspath(images)).array()
        vectors = np.asarray(images)
        return vectors[None] if vectors.ndim == 1 else vectors
    if isinstance(images, (str, os.PathLike)):
        if os.fspath(images).lower().endswith(ENDING):
            from hashnet_tf.datasets import pixel_array

            found = open_npz(images)
            return pixel_array(found, encoder.image_size, encoder.framing)
        images = [images]
    if not isinstance(images, np.ndarray):
        given = list(typing.cast(Iterable[typing.Any], images))
        if all(isinstance(item, (str, os.PathLike)) for item in given):
            size = encoder.image_size
            batches = pixel_batches(given, size, encoder.framing)
            return np.concatenate([np.zeros((0, *size, 3), np.uint8), *batches])
        images = np.asarray(given)
    return images[None] if images.ndim == 3 else images


class FeatureEncoder:
    """Encodes images by the features that a frozen backbone gave for them.

    For a model of a run with a frozen backbone. It takes features in place of
    pixels and runs only the head, so it has no `encode_files` and is no
    `Encoder`; `encode_images` takes it together with the features.

    Args:
        model: `HashNet` whose backbone ends in the network that
            `hashnet_tf.runs.networks.build_head` makes, "head".
        backbone: `keras.Model` from images to the features that come before.

    Attributes:
        bits: Int, K.
        image_size: `(height, width)` of the images that `model` takes, None of
            vectors.
        framing: Str, which part of an image they are, as in `HashNet`.
        model_digest: Str, that of `model`.

    Raises:
        ValueError: If `backbone` has other weights than the one in `model`,
            as when their file has changed since.

    Example:

    >>> import numpy as np, hashnet_tf as hn
    >>> from hashnet_tf.runs.networks import build_backbone, build_head
    >>> config = hn.runs.TrainingConfig(data="digits", bits=12)
    >>> backbone = build_backbone(config)
    >>> head = build_head(config, 128)
    >>> model = head.on_top_of(backbone)
    >>> encoder = hn.runs.FeatureEncoder(model, backbone)
    >>> encoder.encode(np.zeros((5, 128), "float32")).shape
    (5, 2)
    """

    bits: int
    image_size: tuple[int, int] | None
    framing: str
    model_digest: str

    def __init__(self, model: "HashNet", backbone: "keras.Model"):
        from hashnet_tf.models import weights_digest
        from hashnet_tf.models.hashnet import on_backbone

        self._head = on_backbone(model, model.backbone.get_layer("head"))
        self.bits = model.bits
        self.framing = model.framing
        self.image_size = _image_size(model)
        self.model_digest = weights_digest(model)
        # Only then are the bits of backbone and head those of the model.
        digest = weights_digest(self._head.on_top_of(backbone))
        if digest != self.model_digest:
            raise ValueError(
                "`backbone` must have the weights that it had when the model"
                " was trained; has their file changed?"
                f" Received: model_digest={digest} in place of"
                f" {self.model_digest}"
            )

    def encode(self, features: npt.ArrayLike) -> np.ndarray:
        """Returns the packed codes of images.

        Args:
            features: float32 array `[n, d]`, what the backbone gave for them.

        Returns:
            uint8 array `[n, ceil(bits / 8)]`.
        """
        return self._head.encode(np.asarray(features), BATCH_SIZE)
