"""What an exported encoder takes: RGB images of one size, or any arrays."""

import abc
import dataclasses
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn, final

import numpy as np

from hashnet_tf._inputs import check_inputs
from hashnet_tf._network_inputs import InputField, InputsCheck, NetworkInputs
from hashnet_tf.export.images import (
    BATCH_SIZE,
    FEW,
    check_images,
    image_batches,
    some_images,
)

# Arrays by the names of a signature's inputs.
Batch = dict[str, np.ndarray]

RESIZE = {
    "whole": "aspect ratio not kept",
    "paper": "aspect ratio not kept, to 8/7 of image_size (256 for 227), of"
    " which the centre, its offsets rounded down",
    "modern": "aspect ratio kept, to just cover 8/7 of image_size (256 for"
    " 227), the longer side rounded down, of which the centre, its offsets"
    " rounded down",
}

# What made-up inputs have where any size is taken: of an axis of a sequence,
# and of those of an image.
LENGTH, SIDE = 8, 32


class EncoderInputs(abc.ABC):
    """What an exported encoder takes, and how it is told and checked.

    Abstract, with two final classes: `ImageInputs` and `ArrayInputs`.

    Attributes:
        fields: Tuple of `InputField`, of the signature's inputs.
        noun: Str, what to call many of them.
        form: Str, as of `NetworkInputs`.
        image_size: `(height, width)` of images of one known size, whatever
            their channels; None of what is no image.
        framing: Str, as in `HashNet`, which says nothing of what is no image.
    """

    fields: tuple[InputField, ...]
    noun: str
    form: str
    image_size: tuple[int, int] | None
    framing: str

    @abc.abstractmethod
    def packed(self, batch: Mapping[str, Any]) -> Any:
        """Returns arrays or tensors in the form in which a HashNet has them."""

    @abc.abstractmethod
    def batches(
        self, inputs: Any, batch_size: int = BATCH_SIZE
    ) -> Iterator[Batch]:
        """Yields what is given in batches, checked, as the signature has it.

        Args:
            inputs: As `HashNet.encode` takes them; of images one array.
            batch_size: Positive int, items in a batch of arrays.

        Raises:
            ValueError: If they are of another form, shape or dtype, hold what
                is no number, or do not go into the signature's dtype.
        """

    @abc.abstractmethod
    def kept(self, inputs: Any, name: str | None = None) -> Any:
        """Returns inputs, checked, to be gone through several times.

        Args:
            inputs: As for `batches`.
            name: Str, what to call them in an error, or None.

        Raises:
            ValueError: As `batches`.
        """

    @abc.abstractmethod
    def some(self, given: Batch | None = None) -> Batch:
        """Returns a few inputs that a new file is run on.

        Args:
            given: Arrays to take the first of, or None for made-up ones, which
                are the same each time.
        """

    @abc.abstractmethod
    def told(self) -> dict[str, Any]:
        """Returns what a description says of them, ready for JSON."""

    @abc.abstractmethod
    def of_files(self) -> tuple[tuple[int, int], str]:
        """Returns `(size, framing)` that image files get.

        Raises:
            ValueError: If the inputs are no RGB images of one size.
        """


@final
class ImageInputs(EncoderInputs):
    """RGB images of one size, `images` `[n, height, width, 3]`.

    Args:
        size: `(height, width)`.
        framing: Str, as in `HashNet`.
        dtype: Str, "uint8" or "float32", of the signature.

    Example:

    >>> from hashnet_tf.export.encoder_inputs import ImageInputs
    >>> ImageInputs((16, 20)).fields[0].shape
    (None, 16, 20, 3)
    """

    noun, form = "images", "array"
    image_size: tuple[int, int]

    def __init__(
        self,
        size: tuple[int, int],
        framing: str = "whole",
        dtype: str = "uint8",
    ):
        self.image_size = size
        self.framing = framing
        self.fields = (InputField("images", (None, *size, 3), dtype),)

    def packed(self, batch: Mapping[str, Any]) -> Any:
        return batch["images"]

    def batches(
        self, inputs: Any, batch_size: int = BATCH_SIZE
    ) -> Iterator[Batch]:
        (field,) = self.fields
        images = check_inputs(
            inputs, field.shape, "images", whole=field.dtype == "uint8"
        )
        for batch in image_batches(images, batch_size):
            yield {"images": batch}

    def kept(self, inputs: Any, name: str | None = None) -> Any:
        return check_images(inputs, self.image_size, name or "images")

    def some(self, given: Batch | None = None) -> Batch:
        images = None if given is None else given["images"]
        return {"images": some_images(self.image_size, images)}

    def told(self) -> dict[str, Any]:
        return {
            "image_size": list(self.image_size),
            "framing": self.framing,
            "preprocessing": {
                "channels": "RGB",
                "range": [0, 255],
                "orientation": "upright, turned by the EXIF tag 0x0112",
                "resize": "bilinear, antialiased,"
                f" {RESIZE[self.framing]}, rounded",
                "normalization": "inside the network",
            },
        }

    def of_files(self) -> tuple[tuple[int, int], str]:
        return self.image_size, self.framing


@final
class ArrayInputs(EncoderInputs):
    """Arrays of any shapes, one or several, as a network takes them.

    Floats are float32 in a signature, integers and booleans int32, strings
    strings.

    Args:
        network: `NetworkInputs`.
        framing: Str, as in `HashNet`.

    Raises:
        ValueError: If an input has a name that is none of a signature, or a
            dtype that none has.

    Example:

    >>> from hashnet_tf._network_inputs import InputField, NetworkInputs
    >>> from hashnet_tf.export.encoder_inputs import ArrayInputs
    >>> ids = InputField("ids", (None, 8), "int64")
    >>> ArrayInputs(NetworkInputs((ids,), "array")).fields[0].dtype
    'int32'
    """

    noun = "inputs"

    def __init__(self, network: NetworkInputs, framing: str = "whole"):
        for field in network.fields:
            if not re.fullmatch("[A-Za-z][A-Za-z0-9_]*", field.name):
                raise ValueError(
                    "An input of an exported network must have a name of"
                    " letters, digits and _, as keras.Input gets by `name`."
                    f" Received: {field.name!r}"
                )
        self.fields = tuple(
            dataclasses.replace(field, dtype=_served(field.dtype))
            for field in network.fields
        )
        self.form = network.form
        self.image_size, self.framing = _image_size(self.fields), framing
        self._network = NetworkInputs(self.fields, network.form)

    def packed(self, batch: Mapping[str, Any]) -> Any:
        return self._network.packed([batch[f.name] for f in self.fields])

    def batches(
        self, inputs: Any, batch_size: int = BATCH_SIZE
    ) -> Iterator[Batch]:
        yield from self._checked(inputs, batch_size, "inputs")

    def kept(self, inputs: Any, name: str | None = None) -> Any:
        whole = self._checked(inputs, sys.maxsize, name or "inputs")
        batches = [self.packed(batch) for batch in whole]
        return batches[0] if len(batches) == 1 else batches

    def _checked(
        self, inputs: Any, batch_size: int, name: str
    ) -> Iterator[Batch]:
        check = InputsCheck(self._network, name)
        for arrays in check.batches(inputs, batch_size):
            yield {
                field.name: _as_served(field, array)
                for field, array in zip(self.fields, arrays, strict=True)
            }

    def some(self, given: Batch | None = None) -> Batch:
        if given is not None:
            return {name: array[:FEW] for name, array in given.items()}
        rng = np.random.default_rng(0)
        return {field.name: _made_up(field, rng) for field in self.fields}

    def told(self) -> dict[str, Any]:
        return {
            "form": self.form,
            "inputs": [
                {**dataclasses.asdict(field), "shape": list(field.shape)}
                for field in self.fields
            ],
            **({"framing": self.framing} if self.image_size else {}),
        }

    def of_files(self) -> NoReturn:
        taken = ", ".join(
            f"{f.name} {f.dtype} {list(f.shape)}" for f in self.fields
        )
        raise ValueError(
            "`encode_files` is for encoders of RGB images of one known size;"
            f" what this one takes goes to `encode`. Received: {taken}"
        )


def first_of(inputs: EncoderInputs, samples: Any) -> Batch | None:
    """Returns the first few of some inputs, as a signature has them.

    Args:
        inputs: `EncoderInputs`.
        samples: Inputs as `EncoderInputs.batches` takes them, or None.

    Returns:
        Arrays by name, or None where none were given.

    Raises:
        ValueError: As `EncoderInputs.batches`, or if there are none.
    """
    if samples is None:
        return None
    for batch in inputs.batches(samples, FEW):
        return {name: array[:FEW] for name, array in batch.items()}
    raise ValueError(f"`samples` must be at least one. Received: {samples}")


def inputs_told(description: Mapping[str, Any]) -> EncoderInputs:
    """Returns what an encoder takes by what its file says of it.

    Args:
        description: Dict that holds what `EncoderInputs.told` gave.

    Raises:
        KeyError: If it does not.
        TypeError: If it holds something else there.

    Example:

    >>> from hashnet_tf.export.encoder_inputs import ImageInputs, inputs_told
    >>> inputs_told(ImageInputs((16, 20)).told()).of_files()
    ((16, 20), 'whole')
    """
    if "inputs" not in description:
        return ImageInputs(
            tuple(description["image_size"]),
            # A file that tells none is older than the choice.
            description.get("framing", "whole"),
            description.get("image_dtype", "uint8"),
        )
    fields = (
        InputField(told["name"], tuple(told["shape"]), told["dtype"])
        for told in description["inputs"]
    )
    return ArrayInputs(
        NetworkInputs(tuple(fields), description["form"]),
        description.get("framing", "whole"),
    )


def _image_size(fields: tuple[InputField, ...]) -> tuple[int, int] | None:
    shapes = [field.shape for field in fields]
    if len(shapes) != 1 or len(shapes[0]) != 4:
        return None
    _, height, width, channels = shapes[0]
    if height is None or width is None or channels is None:
        return None
    return height, width


def _served(dtype: str) -> str:
    if dtype.startswith(("float", "bfloat")):
        return "float32"
    if dtype.startswith(("int", "uint", "bool")):
        return "int32"
    if dtype == "string":
        return dtype
    raise ValueError(
        "An input of an exported network must be of floats, integers or"
        f" strings. Received: dtype={dtype!r}"
    )


def _as_served(field: InputField, array: np.ndarray) -> np.ndarray:
    """Returns an array, checked but for its range, in its signature's dtype."""
    if field.dtype == "string":
        return array.astype(object)
    values = array.astype(field.dtype)
    if field.dtype == "float32":
        # What infinity becomes is NaN in one network and nothing in another.
        if not np.isfinite(values).all():
            raise ValueError(
                f"`{field.name}` must be finite float32 for an exported"
                f" encoder. Received: {field.name}.dtype={array.dtype} with"
                f" values from {array.min():g} to {array.max():g}"
            )
    elif (values != array).any():
        raise ValueError(
            f"`{field.name}` must be int32 for an exported encoder. Received:"
            f" {field.name}.dtype={array.dtype} with values from {array.min()}"
            f" to {array.max()}"
        )
    return values


def _made_up(field: InputField, rng: np.random.Generator) -> np.ndarray:
    any_size = SIDE if len(field.shape) > 3 else LENGTH
    shape = (FEW, *(size or any_size for size in field.shape[1:]))
    if field.dtype == "string":
        words = np.array([b"a", b"b", b"a b", b""], object)
        return words[rng.integers(0, len(words), shape)]
    if field.dtype == "int32":
        # Ids that any vocabulary has, and what a mask is made of.
        return rng.integers(0, 2, shape).astype("int32")
    if len(shape) == 4 and shape[3] == 3:
        return rng.integers(0, 256, shape).astype("float32")
    # Positive: a network may begin with a logarithm.
    return rng.uniform(0.01, 1.0, shape).astype("float32")
