"""What an exported file takes and gives, whichever its format."""

import dataclasses
import os
import pathlib
from collections.abc import Iterable
from typing import Any

from hashnet_tf.export.formats import FORMATS, format_of
from hashnet_tf.export.onnx_encoder import TYPES, load_onnx


@dataclasses.dataclass(frozen=True)
class Port:
    """An input or an output.

    Attributes:
        name: Str.
        dtype: Str, as NumPy has it, or "string".
        sizes: Tuple of int, of the axes behind the first, which is of n items;
            None where any is taken.

    Example:

    >>> from hashnet_tf.export.signatures import Port
    >>> Port("images", "uint8", (None, None, 3)).shape
    '[n, any, any, 3]'
    """

    name: str
    dtype: str
    sizes: tuple[int | None, ...]

    @property
    def shape(self) -> str:
        """Str, for a reader."""
        sizes = ("any" if size is None else str(size) for size in self.sizes)
        return f"[{', '.join(['n', *sizes])}]"


@dataclasses.dataclass(frozen=True)
class Signature:
    """One way to call a file.

    Attributes:
        names: Tuple of str, all that it is called by; empty in an ONNX file,
            which can be called in one way.
        takes: Tuple of `Port`, the inputs.
        gives: Tuple of `Port`, the outputs.
    """

    names: tuple[str, ...]
    takes: tuple[Port, ...]
    gives: tuple[Port, ...]


def signatures_of(path: os.PathLike[str] | str) -> list[Signature]:
    """Reads from an exported file how it is called.

    Args:
        path: File, or folder of a version, that `hashnet export` wrote.

    Returns:
        List of `Signature`, `serving_default` first.

    Raises:
        ImportError: If the extra of the format is not installed.

    Example:

    ```python
    (signature,) = signatures_of("encoder.tflite")
    [port.name for port in signature.gives]  # ["codes", "signs"]
    ```
    """
    path = pathlib.Path(path)
    readers = {
        FORMATS["saved_model"].title: _of_saved_model,
        FORMATS["litert"].title: _of_litert,
        FORMATS["web"].title: _of_litert,
        FORMATS["onnx"].title: _of_onnx,
    }
    return readers[format_of(path).title](path)


def _of_saved_model(path: pathlib.Path) -> list[Signature]:
    # Where used: the other files can be read without waiting for it.
    import tensorflow as tf

    from hashnet_tf.export.saved_model_encoder import SavedModelEncoder

    signatures = SavedModelEncoder(path).signatures

    def ports(tensors: Any) -> tuple[Port, ...]:
        return _ports(
            (
                name,
                tf.as_dtype(t.dtype).name,
                [d.size for d in t.tensor_shape.dim],
            )
            for name, t in tensors.items()
        )

    found: dict[Any, list[str]] = {}
    # TensorFlow's own begin with __.
    own = [name for name in signatures if not name.startswith("__")]
    for name in sorted(own, key=lambda name: (name != "serving_default", name)):
        called = ports(signatures[name].inputs), ports(signatures[name].outputs)
        found.setdefault(called, []).append(name)
    return [Signature(tuple(names), *called) for called, names in found.items()]


def _of_litert(path: pathlib.Path) -> list[Signature]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path))

    def ports(tensors: Any) -> tuple[Port, ...]:
        return _ports(
            (name, t["dtype"].__name__, t["shape_signature"].tolist())
            for name, t in tensors.items()
        )

    runners = {
        name: interpreter.get_signature_runner(name)
        for name in interpreter.get_signature_list()
    }
    return [
        Signature(
            (name,),
            ports(runner.get_input_details()),
            ports(runner.get_output_details()),
        )
        for name, runner in runners.items()
    ]


def _of_onnx(path: pathlib.Path) -> list[Signature]:
    runtime = load_onnx("onnxruntime", "An ONNX encoder")
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    dtypes = {told: dtype for dtype, told in TYPES.items()}

    def ports(tensors: Any) -> tuple[Port, ...]:
        return _ports((t.name, dtypes[t.type], t.shape) for t in tensors)

    takes, gives = session.get_inputs(), session.get_outputs()
    return [Signature((), ports(takes), ports(gives))]


def _ports(
    tensors: Iterable[tuple[str, str, list[Any]]],
) -> tuple[Port, ...]:
    """Returns tensors by their names; a size that is no count is any."""
    return tuple(
        Port(
            name,
            dtype,
            tuple(
                s if isinstance(s, int) and s >= 0 else None for s in shape[1:]
            ),
        )
        for name, dtype, shape in sorted(tensors)
    )
