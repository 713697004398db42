"""What lies in a LiteRT file: all that it needs, and what it says of itself."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from ai_edge_litert.tools import flatbuffer_utils

from hashnet_tf.export._metadata import (
    DIGEST,
    NAME,
    check_digest,
    sealed,
    unsealed_text,
)


def check_self_contained(content: bytes) -> None:
    """Checks that a LiteRT file holds its weights as constants.

    A converter that lost track of the variables writes a file that runs, with
    weights of its own making; it shows by operators on variables.

    Args:
        content: Bytes of the file.

    Raises:
        RuntimeError: If the file holds an operator on variables.
    """
    # Without a delegate, which would hide operators behind its own.
    interpreter = Interpreter(
        model_content=content,
        experimental_op_resolver_type=(
            OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        ),
    )
    names = {op["op_name"] for op in interpreter._get_ops_details()}
    variables = sorted(
        names & {"VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE"}
    )
    if variables:
        raise RuntimeError(
            "The LiteRT file must hold the weights as constants."
            f" Received: operators {', '.join(variables)}"
        )


def with_metadata(content: bytes, values: Mapping[str, Any]) -> bytes:
    """Adds an entry of metadata named "hashnet.json" to a LiteRT file.

    The graph, its weights and its signatures stay as they are; a runtime does
    not look at entries that it does not know. A digest of the whole file is
    added besides, which `read_metadata` compares.

    Args:
        content: Bytes of the file.
        values: Dict that JSON takes.

    Returns:
        Bytes of the new file.

    Example:

    ```python
    described = with_metadata(content, {"bits": 48})
    read_metadata(described)["bits"]  # 48
    ```
    """
    text = unsealed_text(values).encode("utf-8")
    model: Any = flatbuffer_utils.read_model_from_bytearray(content)
    entry = schema.MetadataT()
    entry.name, entry.buffer = NAME, len(model.buffers)
    # Generated, with types that do not fit what is written.
    buffer: Any = schema.BufferT()
    buffer.data = np.frombuffer(text, dtype=np.uint8)
    model.buffers.append(buffer)
    model.metadata = [*(model.metadata or ()), entry]
    return sealed(bytes(flatbuffer_utils.convert_object_to_bytearray(model)))


def read_metadata(content: bytes) -> Any:
    """Returns what `with_metadata` added, or None where there is nothing.

    Args:
        content: Bytes of a LiteRT file.

    Returns:
        Dict or None.

    Raises:
        ValueError: If the entry holds no JSON, or the file has changed since.

    Example:

    ```python
    read_metadata(pathlib.Path("encoder.tflite").read_bytes())["bits"]
    ```
    """
    model: Any = schema.Model.GetRootAs(content, 0)
    for i in range(model.MetadataLength()):
        entry = model.Metadata(i)
        if entry.Name() == NAME.encode():
            data = model.Buffers(entry.Buffer()).DataAsNumpy()
            values = json.loads(data.tobytes())
            # Version 0.1 wrote none.
            if isinstance(values, dict) and DIGEST in values:
                check_digest(content, values.pop(DIGEST))
            return values
    return None


def with_hash_layer(
    content: bytes,
    kernel: npt.NDArray[np.float32],
    bias: npt.NDArray[np.float32],
) -> bytes:
    """Puts other weights into the hash layer of an unquantised LiteRT file.

    Args:
        content: Bytes of the file, which gives features too.
        kernel: `[d, K]`.
        bias: `[K]`.

    Returns:
        Bytes of the new file, whose metadata tell another `model_digest`.

    Raises:
        ValueError: If the file has no layer of these shapes.

    Example:

    ```python
    new = with_hash_layer(content, np.ones((1280, 64)), np.zeros(64))
    ```
    """
    metadata = read_metadata(content)
    model: Any = flatbuffer_utils.read_model_from_bytearray(content)
    graph = model.subgraphs[0]
    # LiteRT has the kernel of a fully connected layer as [K, d].
    new = kernel.T.copy(), bias.copy()
    dense = schema.BuiltinOperator.FULLY_CONNECTED
    found = [
        operator
        for operator in graph.operators
        if model.operatorCodes[operator.opcodeIndex].builtinCode == dense
        and tuple(graph.tensors[operator.inputs[1]].shape) == new[0].shape
    ]
    if len(found) != 1:
        raise ValueError(
            "The file must have one hash layer of its shape."
            f" Received: {len(found)} of [K, d] = {list(new[0].shape)}"
        )
    places = []
    # As tensors of their own: constants that are equal may be shared, and of a
    # bias of zeros there is none.
    for name, array in zip(("kernel", "bias"), new, strict=True):
        buffer: Any = schema.BufferT()
        buffer.data = array.view(np.uint8).ravel()
        tensor: Any = schema.TensorT()
        tensor.name, tensor.shape = f"hash/{name}", list(array.shape)
        tensor.type = schema.TensorType.FLOAT32
        tensor.buffer = len(model.buffers)
        model.buffers.append(buffer)
        places.append(len(graph.tensors))
        graph.tensors.append(tensor)
    # What it replaces is left empty.
    old = graph.tensors[found[0].inputs[1]]
    found[0].inputs = [found[0].inputs[0], *places]
    if sum(tensor.buffer == old.buffer for tensor in graph.tensors) == 1:
        model.buffers[old.buffer].data = None
    parts = metadata["model_digest"].encode(), *(a.tobytes() for a in new)
    digest = hashlib.sha256(b"".join(parts)).hexdigest()
    model.metadata = [m for m in model.metadata if _name(m) != NAME]
    content = bytes(flatbuffer_utils.convert_object_to_bytearray(model))
    return with_metadata(content, {**metadata, "model_digest": digest})


def _name(metadata: Any) -> str:
    name = metadata.name
    return name.decode() if isinstance(name, bytes) else name
