"""What an encoder takes, of whichever runtime: one check and one sentence."""

import os
import typing

import numpy as np

Shape = tuple[int | None, ...]


class InputCheck:
    """Checks the inputs of an encoder, batch after batch.

    RGB images, inputs `[n, height, width, 3]`, are uint8 or floats in [0, 255].
    Floats that all lie in [-1, 1] were scaled for another network, unless
    they are whole numbers, as of a black image. Other inputs are what the
    network is given; NaN is in none, and no fraction where it takes integers.

    Args:
        shape: `(None, ...)`, as the network takes them; None for any size.
        name: Str, what to call the inputs in an error.
        dtype: Str, of what the network takes; "string" of texts.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf._inputs import InputCheck
    >>> check = InputCheck((None, 16, 16, 3), "images")
    >>> check.batch(np.zeros((2, 16, 16, 3), "uint8")).shape
    (2, 16, 16, 3)
    >>> check.end()
    """

    def __init__(self, shape: Shape, name: str, dtype: str = "float32"):
        self._shape = shape
        self._name = name
        self._of_text = dtype == "string"
        self._of_images = len(shape) == 4 and shape[3] == 3
        self._whole = dtype.startswith(("int", "uint", "bool"))
        what = " of numbers"
        if self._of_images:
            what = ", uint8, or floats in [0, 255]"
        elif self._of_text:
            what = " of strings"
        elif self._whole:
            what = " of whole numbers"
        sizes = ["n", *("any" if s is None else str(s) for s in shape[1:])]
        self._wanted = f"`{name}` must be one array [{', '.join(sizes)}]{what}."
        self._scaled, self._largest = False, 0.0

    def batches(self, inputs: typing.Any) -> None:
        """Checks, before the first of them, what is to be taken in batches.

        Raises:
            ValueError: If it is neither an array of the right shape nor an
                iterable of batches: one path, or a list of images.
        """
        if hasattr(inputs, "shape"):
            self.shape(inputs)
        elif isinstance(inputs, (list, tuple)):
            first = inputs[0] if inputs else None
            # A pair is of labels, and told so as a batch.
            if first is not None and not isinstance(first, (tuple, dict)):
                if len(getattr(first, "shape", ())) != len(self._shape):
                    self._refuse(_told(inputs))
        elif isinstance(inputs, (str, bytes, os.PathLike, dict)) or not (
            hasattr(inputs, "__iter__") or hasattr(inputs, "__getitem__")
        ):
            self._refuse(_told(inputs))

    def batch(self, inputs: typing.Any) -> np.ndarray:
        """Returns a batch as an array.

        Raises:
            ValueError: If it is no array, of another shape or dtype, or holds
                NaN; of images also if it holds infinity.
        """
        self.shape(inputs)
        array = np.asarray(inputs)
        # Of NumPy, and those that JAX and TensorFlow add.
        of_floats = array.dtype.name.startswith(("float", "bfloat"))
        if self._of_images:
            right = of_floats or array.dtype == np.uint8
        elif self._of_text:
            right = array.dtype.kind in "OSUT"
        else:
            right = of_floats or array.dtype.kind in "biu"
        if not right:
            self._refuse(self._array_told(array))
        if of_floats and array.size:
            self._check_floats(array)
        return array

    def shape(self, inputs: typing.Any) -> None:
        """Checks that it is an array of the right shape, whatever is in it.

        Raises:
            ValueError: If it is none.
        """
        if not hasattr(inputs, "shape"):
            self._refuse(_told(inputs))
        shape, wanted = tuple(inputs.shape), self._shape
        if len(shape) != len(wanted) or not _fits(shape[1:], wanted[1:]):
            more = ", one without the axis n" * _fits(shape, wanted[1:])
            if _fits(shape[1:], (*wanted[1:3], 3)):
                more = ", RGB as of every image file"
            self._refuse(self._array_told(np.asarray(inputs)) + more)

    def end(self) -> None:
        """Checks what can be told of all batches alone.

        Raises:
            ValueError: If the images were all scaled to [0, 1] or [-1, 1].
        """
        if self._of_images and self._scaled and self._largest <= 1:
            self._refuse(
                "floats that all lie in [0, 1] or [-1, 1]; what scales them"
                " belongs inside the network"
            )

    def _array_told(self, array: np.ndarray) -> str:
        return f"{self._name}.shape={array.shape}, {self._name}.dtype=" + (
            f"{array.dtype}"
        )

    def _check_floats(self, array: np.ndarray) -> None:
        rows = array.reshape(len(array), -1)
        if lost := np.isnan(rows).any(axis=1).sum():
            self._refuse(f"NaN for {lost} of {len(array)} inputs")
        if self._of_images:
            self._largest = max(self._largest, float(np.abs(rows).max()))
            if self._largest == np.inf:
                self._refuse("infinity")
            if self._largest <= 1:
                self._scaled |= bool((rows != np.round(rows)).any())
        elif self._whole:
            broken = (rows != np.round(rows)).any(axis=1).sum()
            if broken:
                self._refuse(f"fractions in {broken} of {len(array)} inputs")

    def _refuse(self, received: str) -> typing.NoReturn:
        raise ValueError(f"{self._wanted} Received: {received}")


def _fits(shape: Shape, wanted: Shape) -> bool:
    return len(shape) == len(wanted) and all(
        w is None or w == size for w, size in zip(wanted, shape, strict=True)
    )


def _told(inputs: typing.Any) -> str:
    """Returns what was given in place of an array."""
    if not isinstance(inputs, (list, tuple, dict)):
        return f"{inputs!r}"
    kind = f"a {type(inputs).__name__} of {len(inputs)}"
    if isinstance(inputs, dict) or not inputs:
        return kind
    first = inputs[0]
    shape = getattr(first, "shape", None)
    return f"{kind} of {type(first).__name__}" + (
        "" if shape is None else f" of shape {tuple(shape)}"
    )


def check_inputs(
    inputs: typing.Any, shape: Shape, name: str, whole: bool = False
) -> np.ndarray:
    """Returns the inputs of an encoder as an array.

    Args:
        inputs: Array `[n, ...]`.
        shape: As for `InputCheck`.
        name: As for `InputCheck`.
        whole: Whether images become uint8, as runtimes take them that have
            no other input.

    Raises:
        ValueError: As the methods of `InputCheck`, or if `whole` and uint8
            does not hold the values.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf._inputs import check_inputs
    >>> images = np.full((2, 16, 16, 3), 255.0)
    >>> check_inputs(images, (None, 16, 16, 3), "images", whole=True).dtype
    dtype('uint8')
    """
    check = InputCheck(shape, name)
    array = check.batch(inputs)
    check.end()
    if whole and array.dtype != np.uint8:
        values = array.clip(0, 255).astype(np.uint8)
        if (values != array).any():
            raise ValueError(
                f"`{name}` must be whole numbers in [0, 255] for an encoder"
                f" that takes uint8. Received: {name}.dtype={array.dtype} with"
                f" values from {array.min():g} to {array.max():g}"
            )
        return values
    return array
