"""Runs an encoder's SavedModel."""

import contextlib
import json
import os
import pathlib
import tempfile
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from hashnet_tf._files import file_digest
from hashnet_tf._framings import check_framing
from hashnet_tf.datasets import file_batches
from hashnet_tf.export.encoder_inputs import EncoderInputs, inputs_told
from hashnet_tf.export.images import joined_codes

DESCRIPTION = pathlib.Path("assets.extra", "hashnet.json")


@contextlib.contextmanager
def _without_advice():
    # TensorFlow advises its loader in Python instead, which is another one than
    # servers have and takes what they do not.
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")
    try:
        yield
    finally:
        logger.setLevel(level)


@contextlib.contextmanager
def plain_path(path: pathlib.Path) -> Iterator[str]:
    """Gives a path of a folder that TensorFlow takes for no pattern.

    Its loaders look for files by patterns, so that they find none in a folder
    `run[48bits]`.

    Args:
        path: `pathlib.Path` of a folder that is there.

    Yields:
        Str: the path, or that of a link to it.
    """
    if not set(str(path)) & set("*?[\\"):
        yield str(path)
        return
    with tempfile.TemporaryDirectory() as folder:
        link = pathlib.Path(folder, "model")
        link.symlink_to(path.absolute(), target_is_directory=True)
        yield str(link)


class SavedModelEncoder:
    """An encoder from the SavedModel that `to_saved_model` wrote.

    In a session, which loads it as TensorFlow Serving and the C API do.

    Args:
        path: Folder of one version.

    Attributes:
        description: Dict, the content of `assets.extra/hashnet.json`.
        bits: Int, K.
        inputs: `EncoderInputs`, what it takes.
        image_size: `(height, width)` of the images that it takes; None where it
            takes other inputs, of which the framing says nothing.
        framing: Str, which part of an image they are, as in `HashNet`.
        model_digest: Str, names the model whose bits these are.
        signatures: Dict from name to `SignatureDef`.

    Raises:
        ValueError: If the folder is no SavedModel of an encoder.

    Example:

    ```python
    encoder = hn.export.SavedModelEncoder("encoder/1")
    codes = encoder.encode_files(["cat.jpg", "dog.png"])
    ```
    """

    description: dict[str, Any]
    bits: int
    inputs: EncoderInputs
    image_size: tuple[int, int] | None
    framing: str
    model_digest: str
    signatures: Any

    def __init__(self, path: os.PathLike[str] | str):
        path = pathlib.Path(path)
        if not (path / DESCRIPTION).is_file():
            raise ValueError(
                "A SavedModel of an encoder, as `to_saved_model` writes it,"
                f" holds {DESCRIPTION}. Received: {path}"
            )
        with _as_written(path / DESCRIPTION):
            text = (path / DESCRIPTION).read_text(encoding="utf-8")
            self.description = json.loads(text)
            self.bits = self.description["bits"]
            self.inputs = inputs_told(self.description)
            self.image_size = self.inputs.image_size
            self.framing = check_framing(self.inputs.framing)
            self.model_digest = self.description["model_digest"]
            # Version 0.1 wrote none.
            digests = self.description.get("digests", {}).items()
        for name, digest in digests:
            file = path / name
            if not file.is_file() or file_digest(file) != digest:
                raise ValueError(
                    "The files of a SavedModel must be as `to_saved_model`"
                    f" wrote them. Received: {file}, which has"
                    f" {'changed' if file.exists() else 'gone'}"
                )
        self._session = tf.compat.v1.Session(graph=tf.Graph())
        try:
            with (
                self._session.graph.as_default(),
                _without_advice(),
                plain_path(path) as plain,
            ):
                loaded = tf.compat.v1.saved_model.load(
                    self._session, ["serve"], plain
                )
        except (OSError, ValueError, RuntimeError, tf.errors.OpError) as error:
            raise ValueError(
                "A whole SavedModel with the tag serve is needed."
                f" Received: {path} ({error})"
            ) from error
        self.signatures = loaded.signature_def
        with _as_written(path / DESCRIPTION):
            self._check_description()

    def _check_description(self) -> None:
        """Checks that what the file tells is what the graph takes and gives."""
        served = self.signatures["serving_default"]
        expected = (
            {
                field.name: [-1 if s is None else s for s in field.shape[1:]]
                for field in self.inputs.fields
            },
            [-(-self.bits // 8)],
        )
        found = (
            {name: _sizes(tensor) for name, tensor in served.inputs.items()},
            _sizes(served.outputs["codes"]),
        )
        sizes = (s for field in self.inputs.fields for s in field.shape[1:])
        kinds = {type(s) for s in (self.bits, *sizes) if s is not None}
        if found != expected or kinds != {int}:
            raise ValueError(f"{found} are not {expected}")
        if not isinstance(self.model_digest, str):
            raise ValueError(f"model_digest={self.model_digest}")

    def run(self, signature: str, values: Any) -> dict[str, np.ndarray]:
        """Runs one signature.

        Args:
            signature: Str, its name.
            values: What its one input takes: an array, or a list of bytes; or a
                dict of such by the names of its inputs.

        Returns:
            Dict of arrays by the names of the outputs.

        Raises:
            tf.errors.InvalidArgumentError: If the graph refuses the values.
        """
        taken = self.signatures[signature].inputs
        if not isinstance(values, dict):
            (name,) = taken
            values = {name: values}
        fed = {taken[name].name: value for name, value in values.items()}
        outputs = self.signatures[signature].outputs
        names = {name: outputs[name].name for name in outputs}
        return self._session.run(names, fed)

    def encode(self, images: Any) -> np.ndarray:
        """Returns the packed codes of images, or of what else it takes.

        Args:
            images: Array `[n, height, width, 3]` of the trained size, of uint8
                or of floats in [0, 255]; where the graph takes uint8, of
                whole numbers. Of other inputs what `HashNet.encode` takes.

        Returns:
            uint8 array `[n, ceil(bits / 8)]`.

        Raises:
            ValueError: If the inputs have another form, shape or dtype or hold
                NaN, or images were scaled to [0, 1].
        """
        codes = (
            self.run("serving_default", batch)["codes"]
            for batch in self.inputs.batches(images)
        )
        return joined_codes(codes, self.bits)

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
        batches = file_batches(paths, *self.inputs.of_files())
        return joined_codes(map(self.encode, batches), self.bits)


def _sizes(tensor: Any) -> list[int]:
    """Returns the sizes of a tensor in a signature, less the first axis."""
    return [dimension.size for dimension in tensor.tensor_shape.dim[1:]]


@contextlib.contextmanager
def _as_written(file: pathlib.Path) -> Iterator[None]:
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{file} must be as `to_saved_model` wrote it; export the model"
            f" anew. Received: {error!r}"
        ) from error


def file_digests(path: pathlib.Path) -> dict[str, str]:
    """Returns a hex digest of each file of the graph and of its weights.

    Args:
        path: `pathlib.Path` of a SavedModel's folder.
    """
    files = [path / "saved_model.pb", *(path / "variables").glob("*")]
    return {
        file.relative_to(path).as_posix(): file_digest(file)
        for file in sorted(files)
    }


def version_numbers(directory: os.PathLike[str] | str) -> list[int]:
    """Returns the numbers that name entries of a folder.

    Args:
        directory: Str or path of the folder of all versions.

    Returns:
        List of int, in no order; empty if there is no such folder.

    Example:

    >>> import pathlib, tempfile
    >>> from hashnet_tf.export.saved_model_encoder import version_numbers
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("1", "12", "notes"):
    ...         pathlib.Path(folder, name).mkdir()
    ...     sorted(version_numbers(folder))
    [1, 12]
    """
    directory = pathlib.Path(directory)
    there = directory.iterdir() if directory.is_dir() else ()
    return [int(entry.name) for entry in there if entry.name.isdecimal()]


def open_version(path: os.PathLike[str] | str) -> SavedModelEncoder:
    """Opens a version, or the highest version in a folder of versions.

    Args:
        path: Folder of one version, or of all.

    Returns:
        `SavedModelEncoder`.

    Raises:
        ValueError: As `SavedModelEncoder`.
    """
    path = pathlib.Path(path)
    if not (path / DESCRIPTION).is_file():
        if versions := version_numbers(path):
            path = path / str(max(versions))
    return SavedModelEncoder(path)
