"""What encoders from one file have in common, whichever runtime it is for."""

import abc
import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from hashnet_tf.datasets.pixels.pillow import pixel_batches
from hashnet_tf.export.encoder_inputs import EncoderInputs, inputs_told
from hashnet_tf.export.images import joined_codes


class FileEncoder(abc.ABC):
    """An encoder from one file, with all that it tells of itself.

    Abstract: a subclass opens the file and runs it. It needs no TensorFlow.

    Attributes:
        bits: Int, K.
        inputs: `EncoderInputs`, what it takes.
        image_size: `(height, width)` of the images that it takes; None where it
            takes other inputs, of which the framing says nothing.
        framing: Str, which part of an image they are, as in `HashNet`.
        description: Dict, what the file tells of itself: `description` of the
            model, and what its format adds.
        model_digest: Str, names the model whose bits these are.
    """

    bits: int
    inputs: EncoderInputs
    image_size: tuple[int, int] | None
    framing: str
    description: dict[str, Any]
    model_digest: str

    def _describe(self, metadata: Any) -> None:
        """Takes what the file says; raises where it is not a description."""
        self.description = metadata
        self.bits = metadata["bits"]
        self.inputs = inputs_told(metadata)
        self.image_size = self.inputs.image_size
        self.framing = self.inputs.framing
        self.model_digest = metadata["model_digest"]

    @abc.abstractmethod
    def run(self, images: Any) -> dict[str, np.ndarray]:
        """Returns all outputs for inputs, `codes` among them.

        Args:
            images: As for `encode`.

        Returns:
            Dict of arrays `[n, ...]`.

        Raises:
            ValueError: As `encode`.
        """

    def encode(self, images: Any) -> np.ndarray:
        """Returns the packed codes of images, or of what else it takes.

        Args:
            images: Array `[n, height, width, 3]` of the trained size, of uint8
                or of floats that are whole numbers in [0, 255]. Of other
                inputs what `HashNet.encode` takes.

        Returns:
            uint8 array `[n, ceil(bits / 8)]`.

        Raises:
            ValueError: If the inputs have another form, shape or dtype, which
                a runtime may take without a word, or hold NaN, of which the
                file itself would give a code, or images were scaled to [0, 1].
        """
        return self.run(images)["codes"]

    def encode_files(
        self, paths: Iterable[os.PathLike[str] | str]
    ) -> np.ndarray:
        """Returns the packed codes of image files, framed as in training.

        Args:
            paths: Paths of n JPEG, PNG, WebP or BMP files.

        Returns:
            uint8 array `[n, ceil(bits / 8)]`, in the order of the paths.

        Raises:
            ValueError: If `paths` is one path, a file is no image, or the
                encoder takes no RGB images of one size.
            FileNotFoundError: If a file is missing.
        """
        batches = pixel_batches(paths, *self.inputs.of_files())
        return joined_codes(map(self.encode, batches), self.bits)
