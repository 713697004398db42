"""A HashNet as an ONNX file."""

import os
import pathlib
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import (
    convert_variables_to_constants_v2,
)

from hashnet_tf._files import written_beside
from hashnet_tf._output import silenced
from hashnet_tf.export._metadata import NAME, sealed, unsealed_text
from hashnet_tf.export.encoder_inputs import EncoderInputs, first_of
from hashnet_tf.export.freeze import (
    Outputs,
    Tensor,
    check_backend,
    description,
    exact_bits,
    frozen_z,
    inputs_of,
    packed,
    tensor_specs,
)
from hashnet_tf.export.litert import file_to_write
from hashnet_tf.export.litert_conversion import check_is_of_numbers
from hashnet_tf.export.onnx_encoder import load_onnx
from hashnet_tf.export.parity import check_onnx
from hashnet_tf.models import HashNet


def to_onnx(
    model: HashNet, path: os.PathLike[str] | str, samples: Any = None
) -> pathlib.Path:
    """Writes the frozen encoder as an ONNX file, once it gave the model's bits.

    It needs `pip install 'hashnet_tf[onnx]'`. One graph: `images`, uint8
    `[n, height, width, 3]` of the trained size, to `codes`, packed uint8
    `[n, ceil(K / 8)]`, and `signs`, int8 `[n, K]` of -1 and +1. Of a model on
    anything else the inputs are its own, by their names: float32 for floats,
    int32 for integers. What `description` tells of the model is inside, as
    metadata "hashnet.json". A runtime refuses images of another size, but not
    NaN in other inputs; `OnnxEncoder` does.

    Args:
        model: `HashNet`, but for one that takes strings.
        path: File to write; one that is there is replaced.
        samples: As in `to_saved_model`.

    Returns:
        `pathlib.Path` of the file.

    Raises:
        ParityError: If the file, run on some inputs, does not give the model's
            bits; it is not left behind then.
        ValueError: If `path` is a folder, `model` is no `HashNet`, takes
            strings, gives NaN or is of what ONNX has no operators for, an
            input has no name for a signature, or Keras does not run on
            TensorFlow.
        ImportError: If the extra is not installed.

    Example:

    ```python
    path = hn.export.to_onnx(model, "encoder.onnx")
    codes = hn.export.OnnxEncoder(path).encode_files(["cat.jpg"])
    ```
    """
    path = file_to_write(path)
    check_backend()
    inputs = inputs_of(model)
    check_is_of_numbers(inputs)
    given = first_of(inputs, samples)
    converted = _converted(model, inputs)
    text = unsealed_text(description(model))
    onnx = load_onnx("onnx", "Writing an ONNX file")
    onnx.helper.set_model_props(converted, {NAME: text})
    with written_beside(path) as beside:
        beside.write_bytes(sealed(converted.SerializeToString()))
        # Enough to see a file that lost its weights, and no more time.
        check_onnx(beside, model, inputs.packed(inputs.some(given)))
    return path


def _converted(model: HashNet, inputs: EncoderInputs) -> Any:
    """Returns the `onnx.ModelProto` of the frozen encoder."""
    tf2onnx = load_onnx("tf2onnx", "Writing an ONNX file")
    checker = load_onnx("onnx", "Writing an ONNX file").checker

    def encode(*tensors: Tensor) -> Outputs:
        return exact_bits(frozen_z(model, packed(inputs, tensors)))

    specs = tensor_specs(inputs)
    function = tf.function(encode, input_signature=specs, autograph=False)
    # Not its from_function, which takes a constant of the network, a table of
    # positions, for one input more.
    concrete: Any = function.get_concrete_function()
    frozen: Any = convert_variables_to_constants_v2(
        concrete, aggressive_inlining=True
    )
    # A table that looks words up is what stays a resource.
    taken = [t.name for t in frozen.inputs if t.dtype != tf.resource]
    given = [tensor.name for tensor in frozen.outputs]
    names = [
        *(spec.name for spec in specs),
        *sorted(concrete.structured_outputs),
    ]
    with silenced():
        converted, _ = tf2onnx.convert.from_graph_def(
            _inlinable(frozen.graph.as_graph_def()),
            input_names=taken,
            output_names=given,
            tensors_to_rename=dict(zip([*taken, *given], names, strict=True)),
            custom_op_handlers={"Erfc": (_with_erf, [])},
        )
    # It leaves in what it did not know.
    try:
        checker.check_model(converted)
    except checker.ValidationError as error:
        raise ValueError(
            "`model` must be of operators that ONNX has; what looks words or"
            " ids up belongs before it. Received: a network of which is told:"
            f" {str(error).splitlines()[0]}"
        ) from error
    return converted


def _inlinable(graph: Any) -> Any:
    """Lets what XLA was to compile be put in the place of its calls.

    Keras has XLA compile each grouped convolution, as it trains by. Such a
    function is left a call of its own, and of that tf2onnx knows nothing,
    while it knows the convolution inside.
    """
    for part in (*graph.node, *graph.library.function):
        for name in ("_XlaMustCompile", "_noinline"):
            part.attr.pop(name, None)
    return graph


def _with_erf(graph: Any, node: Any, name: str, _: Any) -> None:
    """Writes erfc(x), of which GELU is made, as 1 - erf(x).

    ONNX has no erfc, and tf2onnx none for it.
    """
    dtypes, shapes = node.output_dtypes, node.output_shapes
    graph.remove_node(node.name)
    erf = graph.make_node("Erf", node.input)
    one = graph.make_const(f"{name}/one", np.float32(1))
    graph.make_node(
        "Sub",
        [one.output[0], erf.output[0]],
        outputs=node.output,
        dtypes=dtypes,
        shapes=shapes,
    )
