"""The means of a quantised network's layers, set right by their biases."""

import copy
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from ai_edge_litert.tools import flatbuffer_utils

from hashnet_tf._output import Progress
from hashnet_tf.export.encoder_inputs import Batch

_LAYERS = (
    schema.BuiltinOperator.CONV_2D,
    schema.BuiltinOperator.DEPTHWISE_CONV_2D,
    schema.BuiltinOperator.FULLY_CONNECTED,
)
# Between which limits an output still follows its bias.
_LIMITS = {
    schema.ActivationFunctionType.RELU: (0.0, np.inf),
    schema.ActivationFunctionType.RELU_N1_TO_1: (-1.0, 1.0),
    schema.ActivationFunctionType.RELU6: (0.0, 6.0),
}
# A channel that is hardly ever between them would be moved far for little.
LEAST_SHARE = 0.1


def with_corrected_biases(
    quantized: bytes, exact: bytes, inputs: Batch, batch_size: int = 1
) -> bytes:
    """Gives each channel of a quantised LiteRT file the mean that it had.

    Rounded weights move the mean of a channel c, by the same amount for all
    inputs, and the layers after it add to that. Layer by layer, each as it
    runs after those before it were corrected,

        b'_c = b_c + (mean(y_c) - mean(y'_c)) / p_c,

    y the outputs of the layer, y' those of the quantised one, of convolutions,
    depthwise ones and dense layers; p_c the share of the y_c that its ReLU or
    ReLU6 does not cut off, at least .1. This is the empirical bias correction
    of Nagel et al., "Data-Free Quantization Through Weight Equalization and
    Bias Correction", ICCV 2019, section 4.2 and appendix D.

    Where z, the outputs of the last layer, are int8, they are rounded down in
    the end: the nearest step would be 0, whose bit is 1, from half a step
    below it on.

    Args:
        quantized: Bytes of the file, of int8 or dynamic range.
        exact: Bytes of the same file that is not quantised, with the same
            layers.
        inputs: Arrays `[n, ...]` by the names of the inputs of the signature
            serving_default, n a multiple of `batch_size`. What lies between
            two layers is kept of all of them at once.
        batch_size: How many of them the file takes at once.

    Returns:
        Bytes of the file, with other biases.

    Raises:
        RuntimeError: If the two files have not the same layers.
        ValueError: If an activation is NaN or infinite.

    Example:

    ```python
    content = with_corrected_biases(content, exact, {"images": images})
    ```
    """
    walk = _Walk(quantized, inputs, batch_size)
    reference = _Walk(exact, inputs, batch_size)
    if walk.shapes() != reference.shapes():
        raise RuntimeError(
            "The quantised LiteRT file must have the layers of the exact one."
            f" Received: weights of {walk.shapes()} and {reference.shapes()}"
        )
    pairs = list(zip(walk.layers, reference.layers, strict=True))
    progress = Progress(len(pairs), "layers")
    for done, (place, place_before) in enumerate(pairs, start=1):
        expected = reference.outputs(place_before)
        outputs = walk.outputs(place)
        if not (np.isfinite(expected).all() and np.isfinite(outputs).all()):
            raise ValueError(
                "`model` must have finite activations. Received: NaN or"
                " infinity from the representative inputs"
            )
        low, high = reference.limits(place_before)
        follows = np.mean((expected > low) & (expected < high), axis=0)
        change = expected.mean(axis=0) - outputs.mean(axis=0)
        walk.add_to_bias(place, change / np.maximum(follows, LEAST_SHARE))
        progress.update(done)
    if pairs:
        walk.round_down(pairs[-1][0])
    return bytes(flatbuffer_utils.convert_object_to_bytearray(walk.model))


class _Walk:
    """A LiteRT file that is run from layer to layer, on all inputs at once.

    Args:
        content: Bytes of the file.
        inputs: As in `with_corrected_biases`.
        batch_size: As there.

    Attributes:
        model: The file as the flatbuffer's objects.
        layers: List of int, the places of the layers among the operators.
    """

    def __init__(self, content: bytes, inputs: Batch, batch_size: int):
        # Generated, with types that do not fit what is read.
        self.model: Any = flatbuffer_utils.read_model_from_bytearray(
            bytearray(content)
        )
        self._graph = self.model.subgraphs[0]
        self._tensors = self._graph.tensors
        self._reached = 0
        (signature,) = self.model.signatureDefs
        self._batches = len(next(iter(inputs.values()))) // batch_size
        # Of each tensor one array for each batch: not all are of the inputs.
        self._values = {
            given.tensorIndex: np.split(
                inputs[given.name.decode()], self._batches
            )
            for given in signature.inputs
        }
        self.layers = [
            place
            for place, operator in enumerate(self._graph.operators)
            if self._code(operator) in _LAYERS
            # What is computed is no weight and no bias to change.
            and all(
                self._buffer(i).data is not None
                for i in operator.inputs[1:]
                if i >= 0
            )
        ]

    def shapes(self) -> list[tuple[int, ...]]:
        """Returns the kind and the shape of the weights of each layer."""
        operators = [self._graph.operators[place] for place in self.layers]
        return [
            (self._code(o), *map(int, self._tensors[o.inputs[1]].shape))
            for o in operators
        ]

    def limits(self, place: int) -> tuple[float, float]:
        """Returns the limits of the activation that is part of a layer."""
        options = self._graph.operators[place].builtinOptions
        return _LIMITS.get(options.fusedActivationFunction, (-np.inf, np.inf))

    def outputs(self, place: int) -> np.ndarray:
        """Returns the outputs of a layer, float `[positions, channels]`."""
        self._reach(place)
        (output,) = self._graph.operators[place].outputs
        (values,) = self._run(place, place + 1, [output])
        rows = np.concatenate([v.reshape(-1, v.shape[-1]) for v in values])
        if rows.dtype != np.int8:
            return rows
        (scale,), (zero,) = self._steps(output)
        return np.float32(scale) * (rows.astype(np.float32) - np.float32(zero))

    def add_to_bias(self, place: int, change: np.ndarray) -> None:
        """Adds to the biases of a layer, as near as their steps allow.

        Args:
            place: Int.
            change: Float `[channels]`.
        """
        operator = self._graph.operators[place]
        index = self._own_bias(operator, len(change))
        buffer = self._buffer(index)
        if self._tensors[index].type == schema.TensorType.INT32:
            unit, _ = self._steps(index)
            bounds = np.iinfo(np.int32)
            steps = np.rint(_numbers(buffer, np.int32) + change / unit)
            bias = steps.clip(bounds.min, bounds.max).astype(np.int32)
        else:
            bias = (_numbers(buffer, np.float32) + change).astype(np.float32)
        buffer.data = bias.view(np.uint8)

    def round_down(self, place: int) -> None:
        """Lets the int8 outputs of a layer be rounded down."""
        operator = self._graph.operators[place]
        (output,) = operator.outputs
        if self._tensors[output].type != schema.TensorType.INT8:
            return
        (step,), _ = self._steps(output)
        unit, _ = self._steps(operator.inputs[2])
        # An exact 0 stays 0: less than half a step is taken.
        most = np.maximum(np.ceil(step / 2 / unit) - 1, 0)
        self.add_to_bias(place, -unit * most)

    def _reach(self, place: int) -> None:
        """Runs what comes before an operator, and keeps what is used later."""
        used = {i for o in self._graph.operators[place:] for i in o.inputs}
        made = {
            i
            for o in self._graph.operators[self._reached : place]
            for i in o.outputs
        }
        wanted = sorted(made & used)
        if wanted:
            values = self._run(self._reached, place, wanted)
            self._values.update(zip(wanted, values, strict=True))
        self._values = {i: v for i, v in self._values.items() if i in used}
        self._reached = place

    def _run(
        self, start: int, stop: int, outputs: list[int]
    ) -> list[list[np.ndarray]]:
        """Runs some operators; returns the batches of each output."""
        operators = self._graph.operators[start:stop]
        used = {i for o in operators for i in o.inputs if i >= 0}
        given = sorted(used & set(self._values))
        graph, part = copy.copy(self._graph), copy.copy(self.model)
        graph.operators, graph.inputs, graph.outputs = operators, given, outputs
        part.subgraphs = [graph, *self.model.subgraphs[1:]]
        part.signatureDefs = part.metadata = None
        # Without the weights of all other layers.
        kept = {self._tensors[i].buffer for i in used}
        for other in part.subgraphs[1:]:
            kept.update(tensor.buffer for tensor in other.tensors)
        part.buffers = [
            buffer if i in kept else schema.BufferT()
            for i, buffer in enumerate(self.model.buffers)
        ]
        # A delegate would hide the layers' own rounding behind its own.
        interpreter = Interpreter(
            model_content=bytes(
                flatbuffer_utils.convert_object_to_bytearray(part)
            ),
            experimental_op_resolver_type=(
                OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
            ),
        )
        for i in given:
            interpreter.resize_tensor_input(i, self._values[i][0].shape)
        interpreter.allocate_tensors()
        found: list[list[np.ndarray]] = [[] for _ in outputs]
        for batch in range(self._batches):
            for i in given:
                interpreter.set_tensor(i, self._values[i][batch])
            interpreter.invoke()
            for values, i in zip(found, outputs, strict=True):
                values.append(interpreter.get_tensor(i))
        return found

    def _own_bias(self, operator: Any, channels: int) -> int:
        """Returns the tensor of a layer's biases, which is of it alone then."""
        inputs = list(operator.inputs)
        index = inputs[2] if len(inputs) > 2 else -1
        if index >= 0 and self._users(self._tensors[index].buffer) == 1:
            return index
        buffer: Any = schema.BufferT()
        if index >= 0:
            tensor = copy.copy(self._tensors[index])
            buffer.data = self._buffer(index).data
        else:
            tensor = self._zeros(inputs, channels)
            buffer.data = np.zeros(4 * channels, dtype=np.uint8)
        tensor.buffer = len(self.model.buffers)
        self.model.buffers.append(buffer)
        operator.inputs = [*inputs[:2], len(self._tensors)]
        self._tensors.append(tensor)
        return operator.inputs[2]

    def _zeros(self, inputs: list[int], channels: int) -> Any:
        """Returns a tensor for the biases of a layer that has none."""
        tensor: Any = schema.TensorT()
        tensor.name, tensor.shape = "bias", [channels]
        if self._tensors[inputs[0]].type != schema.TensorType.INT8:
            tensor.type = schema.TensorType.FLOAT32
            return tensor
        unit = self._steps(inputs[0])[0] * self._steps(inputs[1])[0]
        tensor.type = schema.TensorType.INT32
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale = list(unit)
        tensor.quantization.zeroPoint = [0] * len(unit)
        return tensor

    def _users(self, buffer: int) -> int:
        return sum(
            self._tensors[i].buffer == buffer
            for o in self._graph.operators
            for i in o.inputs
            if i >= 0
        )

    def _code(self, operator: Any) -> int:
        return self.model.operatorCodes[operator.opcodeIndex].builtinCode

    def _buffer(self, index: int) -> Any:
        return self.model.buffers[self._tensors[index].buffer]

    def _steps(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns the scales and the zero points of a quantised tensor."""
        told = self._tensors[index].quantization
        return np.asarray(told.scale), np.asarray(told.zeroPoint)


def _numbers(buffer: Any, dtype: Any) -> np.ndarray:
    return np.frombuffer(bytes(buffer.data), dtype)
