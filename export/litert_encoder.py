"""Runs an encoder's LiteRT file."""

import hashlib
import os
import pathlib
import struct
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from hashnet_tf._output import silenced
from hashnet_tf.export._litert_file import read_metadata, with_hash_layer
from hashnet_tf.export.file_encoder import FileEncoder
from hashnet_tf.export.images import BATCH_SIZE


class LiteRTEncoder(FileEncoder):
    """An encoder from the file that `to_litert` wrote.

    Not safe to share between threads: give each its own.

    Args:
        path: The file, or one that `to_web` wrote, or its bytes.

    Attributes:
        bits: Int, K.
        inputs: `EncoderInputs`, what it takes.
        image_size: `(height, width)` of the images that it takes; None where it
            takes other inputs, of which the framing says nothing.
        framing: Str, which part of an image they are, as in `HashNet`.
        batch_size: The number of images, or other items, that the file takes
            at once, or None for any; `encode` and `embed` take any number
            either way.
        quantize: None, "float16", "dynamic" or "int8".
        features: Int d, how many features `run` gives beside the codes, or
            None where the file has none.
        has_z: Bool, whether the file gives z.
        content: Bytes of the file.
        description: Dict, what the file tells of itself: `description` of the
            model, and `quantize`.
        model_digest: Str that two files share only if their bits do: that of
            the model if the file is unquantised, and else one of the file.

    Raises:
        ValueError: If the file is no LiteRT encoder.

    Example:

    ```python
    encoder = hn.export.LiteRTEncoder("encoder.tflite")
    codes = encoder.encode_files(["cat.jpg", "dog.png"])
    ```
    """

    batch_size: int | None
    quantize: str | None
    features: int | None
    has_z: bool
    content: bytes

    def __init__(self, path: os.PathLike[str] | str | bytes):
        content, told = path, "bytes"
        if not isinstance(content, bytes):
            content, told = pathlib.Path(content).read_bytes(), path
        self.content = content
        found = None
        try:
            # First, for the runtime trusts what it is given.
            metadata = read_metadata(content)
            # Of a file of a fixed batch it makes a delegate, and tells of it.
            with silenced():
                self._interpreter = Interpreter(model_content=content)
            found = {
                "signatures": self._interpreter.get_signature_list(),
                "metadata": metadata,
            }
            self._runner = self._interpreter.get_signature_runner(
                "serving_default"
            )
            self._read(metadata)
        # Of the metadata, and of the runtime for content of another kind.
        except (
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            struct.error,
            MemoryError,
        ) as error:
            raise ValueError(
                "A LiteRT encoder, as `to_litert` writes it, has a signature"
                " serving_default from images to codes and signs (for browsers"
                " codes alone), and metadata hashnet.json that fits them."
                f" Received: {told} with {found or error}"
            ) from error
        if self.quantize is not None:
            self.model_digest = hashlib.sha256(content).hexdigest()

    def _read(self, metadata: Any) -> None:
        """Takes what the file says, if its tensors say the same."""
        self._describe(metadata)
        self.quantize = metadata["quantize"]
        # Apart, for an input may have the name of an output.
        taken = self._runner.get_input_details()
        given = self._runner.get_output_details()
        n = int(taken[self.inputs.fields[0].name]["shape_signature"][0])
        self.batch_size = n if n > 0 else None
        self._outputs: dict[str, tuple[Any, int]] = {
            "codes": (np.uint8, -(-self.bits // 8))
        }
        # A file for browsers has none: their runtime knows no int8.
        if "signs" in given:
            self._outputs["signs"] = (np.int8, self.bits)
        self.has_z = "z" in given
        if self.has_z:
            self._outputs["z"] = (np.float32, self.bits)
        self.features = None
        if "features" in given:
            self.features = int(given["features"]["shape_signature"][1])
            self._outputs["features"] = (np.float32, self.features)
        of_inputs = {
            field.name: (
                np.dtype(field.dtype).type,
                *(-1 if size is None else size for size in field.shape[1:]),
            )
            for field in self.inputs.fields
        }
        expected = of_inputs, self._outputs
        told = _told(taken), _told(given)
        if told != expected:
            raise ValueError(f"{told} are not {expected}")

    def embed(self, images: Any) -> np.ndarray:
        """Returns z of inputs, before it becomes bits.

        Args:
            images: As for `encode`.

        Returns:
            float32 array `[n, bits]`.

        Raises:
            ValueError: As `encode`, or if the file was written without
                `z=True`.
        """
        if not self.has_z:
            raise ValueError(
                "`embed` needs a file that `to_litert` wrote with z=True."
                f" Received: a file with {', '.join(self._outputs)}"
            )
        return self.run(images)["z"]

    def run(self, images: Any) -> dict[str, np.ndarray]:
        """Returns all outputs for inputs.

        Args:
            images: As for `encode`.

        Returns:
            Dict of arrays `[n, ...]`: `codes`, and where the file has them
            `signs`, int8 `[n, bits]` of -1 and +1, `z` and `features`.

        Raises:
            ValueError: As `encode`.
        """
        found = {
            name: [np.zeros((0, width), dtype)]
            for name, (dtype, width) in self._outputs.items()
        }
        most = self.batch_size or BATCH_SIZE
        for batch in self.inputs.batches(images, most):
            n = len(batch[self.inputs.fields[0].name])
            if missing := (self.batch_size or n) - n:
                batch = {
                    name: np.concatenate([x, np.repeat(x[:1], missing, axis=0)])
                    for name, x in batch.items()
                }
            # The first call makes a delegate and tells of it.
            with silenced():
                outputs = self._runner(**batch)
            for name, arrays in found.items():
                arrays.append(outputs[name][:n])
        return {name: np.concatenate(arrays) for name, arrays in found.items()}

    def with_hash_layer(
        self, kernel: npt.ArrayLike, bias: npt.ArrayLike
    ) -> "LiteRTEncoder":
        """Returns an encoder of the same features by another hash layer.

        Args:
            kernel: Real `[d, bits]`.
            bias: Real `[bits]`.

        Returns:
            `LiteRTEncoder` with another `model_digest`.

        Raises:
            ValueError: If the file gives no features or is quantised, or the
                arrays are of other shapes.

        Example:

        ```python
        itq = hn.shallow.ITQ(encoder.bits).fit(encoder.run(images)["features"])
        bias = -itq.mean_ @ itq.projection_
        encoder = encoder.with_hash_layer(itq.projection_, bias)
        ```
        """
        if self.features is None or self.quantize is not None:
            raise ValueError(
                "The encoder must give features and be unquantised"
                " (`to_litert` with features=True). Received: features="
                f"{self.features}, quantize={self.quantize!r}"
            )
        new = np.asarray(kernel, np.float32), np.asarray(bias, np.float32)
        shapes = tuple(array.shape for array in new)
        if shapes != ((self.features, self.bits), (self.bits,)):
            raise ValueError(
                f"`kernel` must be [{self.features}, {self.bits}] and `bias`"
                f" [{self.bits}]. Received: {shapes}"
            )
        return LiteRTEncoder(with_hash_layer(self.content, *new))


def _told(tensors: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    """Returns dtype and shape, less the first axis, of each tensor."""
    return {
        name: (tensor["dtype"], *tensor["shape_signature"][1:].tolist())
        for name, tensor in tensors.items()
    }
