"""The ranges of activations, from which int8 takes its steps."""

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from ai_edge_litert.tools import flatbuffer_utils

# Of 100 images, how many lie wholly within a tensor's range. The smallest and
# the largest value of all, which the converter takes, are the choice of one
# odd image in hundreds and make the steps of all others coarse.
WITHIN = 98


def with_robust_ranges(content, images, batch_size=1):
    """Sets the ranges in a calibrated LiteRT file anew, outliers left out.

    A range goes from the 2nd percentile over the images of a tensor's
    smallest value to the 98th of its largest.

    Args:
        content: Bytes of a file that the converter calibrated and did not
            quantise yet.
        images: Array `[n, ...]` as the file takes it, n a multiple of
            `batch_size`.
        batch_size: How many of them the file takes at once.

    Returns:
        Bytes of the file with the new ranges.

    Raises:
        ValueError: If an activation is NaN or infinite.

    Example:

    ```python
    calibrated = with_robust_ranges(calibrated, images)
    ```
    """
    model = flatbuffer_utils.read_model_from_bytearray(content)
    ranges = {
        index: tensor.quantization
        for index, tensor in enumerate(model.subgraphs[0].tensors)
        if tensor.quantization is not None
        and tensor.quantization.min is not None
        and len(tensor.quantization.min)
    }
    lowest, highest = _extremes(content, list(ranges), images, batch_size)
    if not (np.isfinite(lowest).all() and np.isfinite(highest).all()):
        raise ValueError(
            "`model` must have finite activations. Received: NaN or infinity"
            " from the representative images"
        )
    # Zero, of which ReLU and padding make much, must have an int8 of its own.
    lowest = np.percentile(lowest, 100 - WITHIN, axis=0).clip(max=0.0)
    highest = np.percentile(highest, WITHIN, axis=0).clip(min=0.0)
    for range_, low, high in zip(ranges.values(), lowest, highest, strict=True):
        range_.min, range_.max = [float(low)], [float(high)]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _extremes(content, tensors, images, batch_size):
    """Returns the least and the largest of each tensor, two `[n, tensors]`."""
    # A delegate keeps its tensors to itself.
    interpreter = Interpreter(
        model_content=content,
        experimental_op_resolver_type=(
            OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        ),
        experimental_preserve_all_tensors=True,
    )
    (given,) = interpreter.get_input_details()
    interpreter.resize_tensor_input(
        given["index"], [batch_size, *images.shape[1:]]
    )
    interpreter.allocate_tensors()
    lowest, highest = [], []
    for start in range(0, len(images), batch_size):
        interpreter.set_tensor(
            given["index"], images[start : start + batch_size]
        )
        interpreter.invoke()
        rows = [
            interpreter.get_tensor(index).reshape(batch_size, -1)
            for index in tensors
        ]
        lowest.append(np.stack([row.min(axis=1) for row in rows], axis=1))
        highest.append(np.stack([row.max(axis=1) for row in rows], axis=1))
    return np.concatenate(lowest), np.concatenate(highest)
