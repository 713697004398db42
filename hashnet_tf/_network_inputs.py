"""In which form a network takes its inputs: one array, a list or a dict."""

import collections.abc
import dataclasses
import typing

import numpy as np

from hashnet_tf._inputs import InputCheck, Shape


@dataclasses.dataclass(frozen=True)
class InputField:
    """One of the arrays that a network takes.

    Attributes:
        name: Str, its key in a dict, else the name of its `keras.Input`.
        shape: `(None, ...)`; None for any size.
        dtype: Str, as the network has it.
    """

    name: str
    shape: Shape
    dtype: str


@dataclasses.dataclass(frozen=True)
class NetworkInputs:
    """What a network takes: one array, or a list or a dict of several.

    Attributes:
        fields: Tuple of `InputField`, in the order of the network's `inputs`.
        form: "array", "list" or "dict".

    Example:

    >>> import keras
    >>> from hashnet_tf._network_inputs import NetworkInputs
    >>> words, age = keras.Input((8,), name="words"), keras.Input((1,))
    >>> joined = keras.layers.Concatenate()([words, age])
    >>> inputs = NetworkInputs.of(keras.Model([words, age], joined))
    >>> inputs.form, inputs.fields[0].name
    ('list', 'words')
    """

    fields: tuple[InputField, ...]
    form: str

    @classmethod
    def of(cls, network: typing.Any) -> "NetworkInputs":
        """Returns what a functional or Sequential Keras model takes.

        Raises:
            ValueError: If its inputs are lists or dicts in one another.
        """
        tensors = network.inputs
        # A Sequential takes one, and tells no `input` before its first call.
        taken: typing.Any = tensors
        if hasattr(network, "operations"):
            taken = network.input
        form = "list" if len(tensors) > 1 else "array"
        names = {}
        if isinstance(taken, dict):
            form = "dict"
            names = {id(tensor): name for name, tensor in taken.items()}
        if isinstance(taken, (dict, list, tuple)) and (
            {id(tensor) for tensor in _values(taken)} != set(map(id, tensors))
        ):
            raise ValueError(
                "A network of several inputs must take a list or a dict of"
                f" tensors. Received: {network.name!r} with input={taken}"
            )
        fields = []
        for tensor in tensors:
            # The name of the tensor itself changes when a model is loaded.
            own = tensor._keras_history.operation.name
            name = names.get(id(tensor), own)
            fields.append(InputField(name, tuple(tensor.shape), tensor.dtype))
        return cls(tuple(fields), form)

    @property
    def told(self) -> str:
        """Str, a sentence's object: what is wanted in place of another."""
        names = ", ".join(f"`{field.name}`" for field in self.fields)
        if self.form == "array":
            return "one array of inputs"
        kind = "dict" if self.form == "dict" else "list or tuple"
        return f"a {kind} of {len(self.fields)} arrays, {names}"

    def packed(
        self, arrays: collections.abc.Sequence[typing.Any]
    ) -> typing.Any:
        """Returns what stands in the order of `fields` in the network's form.

        Args:
            arrays: List of arrays, tensors or anything else.
        """
        if self.form == "dict":
            names = (field.name for field in self.fields)
            return dict(zip(names, arrays, strict=True))
        return list(arrays) if self.form == "list" else arrays[0]

    def arrays(self, inputs: typing.Any) -> list[typing.Any] | None:
        """Returns the arrays of one set of inputs in the order of `fields`.

        Args:
            inputs: One array, or a list, tuple or dict of arrays, or an
                iterable of batches.

        Returns:
            List of arrays; None where `inputs` are no arrays in the network's
            form. What holds too many or too few of them is none either.
        """
        # Of one input alone, even one in a dict.
        if len(self.fields) == 1 and hasattr(inputs, "shape"):
            return [inputs]
        if self.form == "dict":
            if not isinstance(inputs, collections.abc.Mapping):
                return None
            names = [field.name for field in self.fields]
            if set(inputs) != set(names):
                return None
            return [inputs[name] for name in names]
        if self.form == "list" and isinstance(inputs, (list, tuple)):
            # Of batches each is a list or tuple in its turn.
            if len(inputs) == len(self.fields) and all(
                hasattr(array, "shape") for array in inputs
            ):
                return list(inputs)
        return None


class InputsCheck:
    """Checks what is given to a network, batch after batch.

    Args:
        inputs: `NetworkInputs`.
        name: Str, what to call them in an error; several have their own names.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf._network_inputs import (
    ...     InputField, InputsCheck, NetworkInputs)
    >>> fields = InputField("a", (None, 4), "float32"),
    >>> check = InputsCheck(NetworkInputs(fields, "dict"))
    >>> [len(a) for a, in check.batches({"a": np.zeros((5, 4))}, batch_size=3)]
    [3, 2]
    """

    def __init__(self, inputs: NetworkInputs, name: str = "inputs"):
        self._inputs = inputs
        self._name = name
        self._checks = [
            InputCheck(
                field.shape,
                name if inputs.form == "array" else field.name,
                field.dtype,
            )
            for field in inputs.fields
        ]

    def batches(
        self, inputs: typing.Any, batch_size: int
    ) -> collections.abc.Iterator[list[np.ndarray]]:
        """Yields batches, each a list of arrays in the order of the fields.

        Args:
            inputs: What `batch` takes, or an iterable of such.
            batch_size: Positive int, items in a batch of what is no iterable.

        Raises:
            ValueError: As `batch`; of images also if all of them were scaled
                to [0, 1] or [-1, 1].
        """
        arrays = self._inputs.arrays(inputs)
        if self._inputs.form == "array":
            self._checks[0].batches(inputs)
        elif arrays is None and (
            hasattr(inputs, "shape")
            or isinstance(inputs, (str, bytes, collections.abc.Mapping))
            or not (
                hasattr(inputs, "__iter__") or hasattr(inputs, "__getitem__")
            )
        ):
            self._refuse(f"`{self._name}` must be", inputs)
        batches: typing.Any = inputs
        if arrays is not None:
            self._check_lengths(arrays)
            batches = (
                self._inputs.packed([a[i : i + batch_size] for a in arrays])
                for i in range(0, len(arrays[0]), batch_size)
            )
        for batch in batches:
            yield self.batch(batch)
        for check in self._checks:
            check.end()

    def batch(self, batch: typing.Any) -> list[np.ndarray]:
        """Returns the arrays of one batch, in the order of the fields.

        Args:
            batch: One array, or a list, tuple or dict of arrays, as the network
                takes them.

        Raises:
            ValueError: If it is in another form, an array is of another shape
                or dtype or holds NaN, or they differ in length.
        """
        if self._inputs.form == "array":
            if isinstance(batch, (tuple, dict)):
                self._refuse("Each batch must be", batch)
            return [self._checks[0].batch(np.asarray(batch))]
        arrays = self._inputs.arrays(batch)
        if arrays is None:
            self._refuse("Each batch must be", batch)
        self._check_lengths(arrays)
        return [
            check.batch(array)
            for check, array in zip(self._checks, arrays, strict=True)
        ]

    def _check_lengths(self, arrays: list[typing.Any]) -> None:
        for check, array in zip(self._checks, arrays, strict=True):
            check.shape(array)
        if len({len(array) for array in arrays}) > 1:
            told = (
                f"{field.name}.shape={tuple(array.shape)}"
                for field, array in zip(
                    self._inputs.fields, arrays, strict=True
                )
            )
            raise ValueError(
                f"`{self._name}` must all hold the same number of items."
                f" Received: {', '.join(told)}"
            )

    def _refuse(self, begin: str, given: typing.Any) -> typing.NoReturn:
        raise ValueError(
            f"{begin} {self._inputs.told}, without labels."
            f" Received: {_described(given)}"
        )


def count_items(inputs: typing.Any, expected: int | None = None) -> int:
    """Returns how many items there are in inputs of whichever form.

    Args:
        inputs: Array `[n, ...]`, or a list, tuple or dict of such.
        expected: Int, how many labels there are. A list of as many arrays is
            one of single items.

    Raises:
        ValueError: If the arrays of a list or dict differ in length.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf._network_inputs import count_items
    >>> count_items({"a": np.zeros((5, 2)), "b": np.zeros((5, 3))})
    5
    """
    if not is_several(inputs, expected):
        return len(inputs)
    lengths = [len(array) for array in _values(inputs)]
    if len(set(lengths)) > 1:
        raise ValueError(
            "Several inputs must hold the same number of items."
            f" Received: {lengths}"
        )
    return lengths[0]


def is_several(inputs: typing.Any, expected: int | None = None) -> bool:
    """Tells whether inputs are a list, tuple or dict of arrays `[n, ...]`.

    Args:
        inputs: As for `count_items`.
        expected: As there.
    """
    if isinstance(inputs, collections.abc.Mapping):
        return True
    if not isinstance(inputs, (list, tuple)) or not inputs:
        return False
    if not all(len(getattr(array, "shape", ())) for array in inputs):
        return False
    # `tf.data` gives several inputs as a tuple, which may be as long as a last,
    # small batch.
    return len(inputs) != expected or (
        isinstance(inputs, tuple)
        and all(len(array) == expected for array in inputs)
    )


def _values(inputs: typing.Any) -> list[typing.Any]:
    if isinstance(inputs, collections.abc.Mapping):
        return list(inputs.values())
    return list(inputs)


def _described(given: typing.Any) -> str:
    """Returns what was given in place of inputs."""
    if isinstance(given, collections.abc.Mapping):
        names = ", ".join(map(str, given))
        return f"a {type(given).__name__} of {len(given)}: {names}"
    if isinstance(given, (list, tuple)):
        return f"a {type(given).__name__} of {len(given)}"
    if hasattr(given, "shape"):
        return f"one array of shape {tuple(given.shape)}"
    return repr(given)
