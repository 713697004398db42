"""Runs an encoder's ONNX file."""

import importlib
import json
import os
import pathlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from hashnet_tf.export._metadata import DIGEST, NAME, check_seal
from hashnet_tf.export.file_encoder import FileEncoder

# How ONNX Runtime names the dtypes of a signature.
TYPES = {
    "float32": "tensor(float)",
    "int8": "tensor(int8)",
    "int32": "tensor(int32)",
    "uint8": "tensor(uint8)",
}


def load_onnx(module: str, what: str) -> Any:
    """Imports a package of the extra.

    Args:
        module: Str, its name.
        what: Str, what needs it, the first words of the error.

    Raises:
        ImportError: If it is not installed.

    Example:

    >>> from hashnet_tf.export.onnx_encoder import load_onnx
    >>> load_onnx("no_such_runtime", "This")
    Traceback (most recent call last):
    ...
    ImportError: This needs no_such_runtime: pip install 'hashnet_tf[onnx]'
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"{what} needs {module}: pip install 'hashnet_tf[onnx]'"
        ) from error


class OnnxEncoder(FileEncoder):
    """An encoder from the file that `to_onnx` wrote.

    By ONNX Runtime (extra `[onnx]`) on the CPU, where its bits are checked.

    Args:
        path: The file.

    Attributes:
        bits: Int, K.
        inputs: `EncoderInputs`, what it takes.
        image_size: `(height, width)` of the images that it takes; None where it
            takes other inputs, of which the framing says nothing.
        framing: Str, which part of an image they are, as in `HashNet`.
        description: Dict, what the file tells of itself: `description` of the
            model.
        model_digest: Str, names the model whose bits these are.

    Raises:
        ValueError: If the file is no ONNX encoder, or has changed.
        ImportError: If ONNX Runtime is not installed.

    Example:

    ```python
    encoder = hn.export.OnnxEncoder("encoder.onnx")
    codes = encoder.encode_files(["cat.jpg", "dog.png"])
    ```
    """

    def __init__(self, path: os.PathLike[str] | str):
        runtime = load_onnx("onnxruntime", "An ONNX encoder")
        content = pathlib.Path(path).read_bytes()
        try:
            # First, for the runtime trusts what it is given.
            check_seal(content)
            self._session = _session(runtime, content)
            told = self._session.get_modelmeta().custom_metadata_map[NAME]
            self._read(json.loads(told))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                "An ONNX encoder must be as `to_onnx` wrote it, with metadata"
                f" {NAME} that fit it: copy the file again, or export the model"
                f" anew (`hashnet export --format=onnx`). Received: {path}"
                f" ({error})"
            ) from error

    def _read(self, metadata: Any) -> None:
        """Takes what the file says, if its tensors say the same."""
        del metadata[DIGEST]
        self._describe(metadata)
        self._outputs = {
            "codes": ("uint8", -(-self.bits // 8)),
            "signs": ("int8", self.bits),
        }
        taken = {
            field.name: (field.dtype, *field.shape[1:])
            for field in self.inputs.fields
        }
        found = (
            _told(self._session.get_inputs()),
            _told(self._session.get_outputs()),
        )
        expected = tuple(
            {
                name: (TYPES[dtype], *sizes)
                for name, (dtype, *sizes) in t.items()
            }
            for t in (taken, self._outputs)
        )
        if found != expected:
            raise ValueError(f"{found} are not {expected}")

    def run(self, images: Any) -> dict[str, np.ndarray]:
        """Returns all outputs for inputs.

        Args:
            images: As for `encode`.

        Returns:
            Dict of arrays `[n, ...]`: `codes`, and `signs`, int8 `[n, bits]` of
            -1 and +1.

        Raises:
            ValueError: As `encode`.
        """
        found = {
            name: [np.zeros((0, width), dtype)]
            for name, (dtype, width) in self._outputs.items()
        }
        for batch in self.inputs.batches(images):
            outputs = self._session.run(list(found), batch)
            for arrays, output in zip(found.values(), outputs, strict=True):
                arrays.append(output)
        return {name: np.concatenate(arrays) for name, arrays in found.items()}


def _session(runtime: Any, content: bytes) -> Any:
    try:
        # Elsewhere sums go in other orders, and bits near zero with them.
        return runtime.InferenceSession(
            content, providers=["CPUExecutionProvider"]
        )
    # Its errors have no class of their own in common.
    except Exception as error:
        raise ValueError(str(error)) from error


def _told(tensors: Iterable[Any]) -> dict[str, tuple[Any, ...]]:
    """Returns dtype and shape, less the first axis, of each tensor."""
    return {
        tensor.name: (
            tensor.type,
            # Any size has a name.
            *(s if isinstance(s, int) else None for s in tensor.shape[1:]),
        )
        for tensor in tensors
    }
