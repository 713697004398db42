"""The conversion to LiteRT, quantised or not."""

import re
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from ai_edge_litert.tools import flatbuffer_utils
from tensorflow.lite.python.convert_phase import ConverterError

from hashnet_tf._output import silenced
from hashnet_tf.export._litert_file import check_self_contained
from hashnet_tf.export.bias_correction import with_corrected_biases
from hashnet_tf.export.encoder_inputs import Batch, EncoderInputs
from hashnet_tf.export.formats import FORMATS
from hashnet_tf.export.freeze import (
    Outputs,
    Tensor,
    exact_bits,
    frozen_archive,
)
from hashnet_tf.models import HashNet

# Of 100 images, how many lie wholly within a tensor's range. The smallest and
# the largest value of all, which the converter takes, are the choice of one
# odd image in hundreds and make the steps of all others coarse.
WITHIN = 98

FEWEST_IMAGES = 32

# Whose means the biases are corrected by. With 500, which take four times as
# long and as much memory, as many bits moved within the noise.
CORRECTING = 128

# The ways to quantise that round weights so much that means move.
CORRECTED = ("dynamic", "int8")

# Batches of images, or as TensorFlow's converter takes them.
Representative = Iterable[npt.ArrayLike] | Callable[[], Iterable[Any]]


def with_robust_ranges(
    content: bytes, inputs: Batch, batch_size: int = 1
) -> bytes:
    """Sets the ranges in a calibrated LiteRT file anew, outliers left out.

    A range goes from the 2nd percentile over the images of a tensor's
    smallest value to the 98th of its largest.

    Args:
        content: Bytes of a file that the converter calibrated and did not
            quantise yet.
        inputs: Arrays `[n, ...]` by the names of the inputs of the signature
            serving_default, n a multiple of `batch_size`.
        batch_size: How many of them the file takes at once.

    Returns:
        Bytes of the file with the new ranges.

    Raises:
        ValueError: If an activation is NaN or infinite.

    Example:

    ```python
    calibrated = with_robust_ranges(calibrated, {"images": images})
    ```
    """
    model: Any = flatbuffer_utils.read_model_from_bytearray(content)
    ranges = {
        index: tensor.quantization
        for index, tensor in enumerate(model.subgraphs[0].tensors)
        if tensor.quantization is not None
        and tensor.quantization.min is not None
        and len(tensor.quantization.min)
    }
    lowest, highest = _extremes(content, list(ranges), inputs, batch_size)
    if not (np.isfinite(lowest).all() and np.isfinite(highest).all()):
        raise ValueError(
            "`model` must have finite activations. Received: NaN or infinity"
            " from the representative inputs"
        )
    # Zero, of which ReLU and padding make much, must have an int8 of its own.
    lowest = np.percentile(lowest, 100 - WITHIN, axis=0).clip(max=0.0)
    highest = np.percentile(highest, WITHIN, axis=0).clip(min=0.0)
    for range_, low, high in zip(ranges.values(), lowest, highest, strict=True):
        range_.min, range_.max = [float(low)], [float(high)]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _extremes(
    content: bytes, tensors: list[int], inputs: Batch, batch_size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the least and the largest of each tensor, two `[n, tensors]`."""
    # A delegate keeps its tensors to itself.
    interpreter = Interpreter(
        model_content=content,
        experimental_op_resolver_type=(
            OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        ),
        experimental_preserve_all_tensors=True,
    )
    # The runner is not kept: while there is one, no tensor can be resized.
    details = interpreter.get_signature_runner(
        "serving_default"
    ).get_input_details()
    places = {name: tensor["index"] for name, tensor in details.items()}
    for name, place in places.items():
        interpreter.resize_tensor_input(
            place, [batch_size, *inputs[name].shape[1:]]
        )
    interpreter.allocate_tensors()
    lowest, highest = [], []
    count = len(next(iter(inputs.values())))
    for start in range(0, count, batch_size):
        for name, place in places.items():
            interpreter.set_tensor(
                place, inputs[name][start : start + batch_size]
            )
        interpreter.invoke()
        rows = [
            _rows(interpreter.get_tensor(index), batch_size)
            for index in tensors
        ]
        lowest.append(np.stack([row.min(axis=1) for row in rows], axis=1))
        highest.append(np.stack([row.max(axis=1) for row in rows], axis=1))
    return np.concatenate(lowest), np.concatenate(highest)


def _rows(values: np.ndarray, batch_size: int) -> np.ndarray:
    # What is of no item, as a table of positions, belongs to each.
    if not values.ndim or len(values) % batch_size:
        values = np.broadcast_to(values, (batch_size, *values.shape))
    return values.reshape(batch_size, -1)


def litert_content(
    model: HashNet,
    to_outputs: Callable[[Tensor, Outputs, Tensor], Outputs],
    quantize: str | None,
    calibrating: Batch | None,
    batch_size: int | None,
) -> bytes:
    """Converts the frozen encoder, with the signature `serving_default`.

    Args:
        model: `HashNet`.
        to_outputs: Function from z, its bits, a dict of `codes` and `signs`,
            and the features that z is of to the dict of the outputs.
        quantize: As in `to_litert`.
        calibrating: What `representative_inputs` returns; for "int8", for
            "dynamic" if its biases shall be corrected, else None.
        batch_size: Positive int, or None for any.

    Returns:
        Bytes of the file.

    Raises:
        ValueError: If `model` is no `HashNet`, its activations are not finite,
            LiteRT has no operators for it, or Keras does not run on TensorFlow.

    Example:

    ```python
    content = litert_content(model, lambda z, bits, _: bits, None, None, 1)
    content[4:8]  # b"TFL3"
    ```
    """
    to_bits = _bits_of_quantized if quantize == "int8" else exact_bits
    archive = frozen_archive(
        model,
        lambda z, features: to_outputs(z, to_bits(z), features),
        batch_size=batch_size,
    )
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # The converter itself calibrates with the old interpreter.
        warnings.filterwarnings(
            "ignore", r"\s*Warning: tf\.lite\.Interpreter is deprecated"
        )
        archive.write_out(folder, verbose=False)
        content = _convert(folder, quantize, calibrating, batch_size or 1)
    check_self_contained(content)
    return content


def check_quantize(
    quantize: str | None, representative: Representative | None
) -> None:
    """Checks what to quantise, and that it takes images where they are there.

    Raises:
        ValueError: If not.
    """
    ways = tuple(FORMATS["litert"].bounds)
    if quantize not in ways:
        raise ValueError(
            f"`quantize` must be one of {ways}. Received: quantize={quantize!r}"
        )
    if representative is not None and quantize not in CORRECTED:
        raise ValueError(
            "`representative` is for `quantize` one of"
            f" {', '.join(map(repr, CORRECTED))}."
            f" Received: quantize={quantize!r} and representative images"
        )


def check_is_of_numbers(inputs: EncoderInputs) -> None:
    """Checks that a LiteRT or ONNX file can take the inputs of a network.

    Args:
        inputs: `EncoderInputs`.

    Raises:
        ValueError: If there are strings among them.
    """
    for field in inputs.fields:
        if field.dtype == "string":
            raise ValueError(
                "`model` must take numbers: a LiteRT or ONNX file looks no"
                " string up. Turn text into ids before the network, by the"
                " same keras.layers.TextVectorization or StringLookup."
                f" Received: the input {field.name!r} of strings"
            )


def representative_inputs(
    representative: Representative | None, inputs: EncoderInputs
) -> Batch:
    """Returns batches of representative inputs as one.

    Args:
        representative: As in `to_litert`.
        inputs: `EncoderInputs` of the model.

    Returns:
        Dict from the name of each input to an array `[n, ...]`, of images uint8
        `[n, height, width, 3]`.

    Raises:
        ValueError: If the inputs are too few, or not such, or not of one size.
    """
    given: Any = () if representative is None else representative
    if of_function := callable(given):
        given = given()
    batches: list[Batch] = []
    for batch in given:
        # What TensorFlow's converter asks of a function: a list of inputs.
        if of_function and isinstance(batch, (list, tuple)) and len(batch) == 1:
            (batch,) = batch
        # Inputs and labels would be taken for two batches.
        if inputs.form == "array" and isinstance(batch, (tuple, dict)):
            raise ValueError(
                "Each batch of `representative` must be one array of"
                f" {inputs.noun}, without labels. Received: a"
                f" {type(batch).__name__} of {len(batch)}"
            )
        kept = inputs.kept(batch, "representative")
        batches += inputs.batches(kept, sys.maxsize)
    count = sum(len(next(iter(batch.values()))) for batch in batches)
    if count < FEWEST_IMAGES:
        raise ValueError(
            "quantize='int8' needs `representative`, and 'dynamic' may have it:"
            f" batches of together at least {FEWEST_IMAGES} training"
            f" {inputs.noun}."
            f" Received: {count} {inputs.noun}"
        )
    sizes = {tuple(x.shape[1:] for x in batch.values()) for batch in batches}
    if len(sizes) > 1:
        raise ValueError(
            "`representative` must be of one size, in which the file is"
            f" calibrated. Received: inputs of shapes {sorted(sizes)}"
        )
    return {
        field.name: np.concatenate([batch[field.name] for batch in batches])
        for field in inputs.fields
    }


def _bits_of_quantized(z: Tensor) -> Outputs:
    # LiteRT compares int8 values after rounding both to multiples of 1/256,
    # whatever their scale: every z in (-1/512, 0) would pass for 0, in a net
    # of small z a sixth of all bits. No kernel takes the floor or the cast
    # in int8, so that these see z as it is, and floor(z) >= 0 iff z >= 0.
    return exact_bits(tf.cast(tf.floor(z), tf.int32))


@silenced()
def _convert(
    folder: str,
    quantize: str | None,
    calibrating: Batch | None,
    batch_size: int,
) -> Any:
    if quantize is None or calibrating is None:
        return _converted(_converter(folder, quantize).convert)
    whole = {
        name: _whole_batches(values, batch_size)
        for name, values in calibrating.items()
    }
    if quantize == "int8":
        exact, content = _calibrated(folder, whole, batch_size)
    else:
        exact = _converted(_converter(folder, None).convert)
        content = _converted(_converter(folder, quantize).convert)
    batches = max(CORRECTING // batch_size, 1)
    some = {
        name: values[: batches * batch_size] for name, values in whole.items()
    }
    return with_corrected_biases(content, exact, some, batch_size)


def _converter(folder: str, quantize: str | None) -> Any:
    converter = tf.lite.TFLiteConverter.from_saved_model(
        folder, signature_keys=["serving_default"]
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if quantize is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if quantize == "float16":
        converter.target_spec.supported_types = [tf.float16]
    return converter


def _calibrated(
    folder: str, inputs: Batch, batch_size: int
) -> tuple[bytes, bytes]:
    """Returns the file before it is quantised to int8, and after."""
    # Its own calibration takes the extremes of all images for the ranges, so
    # it sees one batch and the ranges are taken anew. The debugger is the
    # converter's door to what lies between calibrating and quantising.
    first = {name: values[:batch_size] for name, values in inputs.items()}
    converter = _converter(folder, "int8")
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.representative_dataset = lambda: [("serving_default", first)]
    debugger = _converted(
        lambda: tf.lite.experimental.QuantizationDebugger(converter=converter)
    )
    debugger.calibrated_model = with_robust_ranges(
        debugger.calibrated_model, inputs, batch_size
    )
    quantized = _converted(debugger.get_nondebug_quantized_model)
    return debugger.calibrated_model, quantized


def _converted(convert: Callable[[], Any]) -> Any:
    """Calls the converter, and tells what it cannot convert in one sentence."""
    try:
        return convert()
    except ConverterError as error:
        operators = sorted(set(re.findall(r"'(tf\.\w+)' op", str(error))))
        told = ", ".join(operators) or str(error).splitlines()[0]
        raise ValueError(
            "`model` must be of operators that LiteRT has; what looks words or"
            " ids up belongs before it. Received: a network with"
            f" {told}"
        ) from error


def _whole_batches(values: np.ndarray, batch_size: int) -> np.ndarray:
    missing = -len(values) % batch_size
    return np.concatenate(
        [values, np.resize(values, (missing, *values.shape[1:]))]
    )
