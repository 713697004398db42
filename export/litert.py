"""A HashNet as a LiteRT file."""

import os
import pathlib
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from hashnet_tf._files import written_beside
from hashnet_tf.export._litert_file import with_metadata
from hashnet_tf.export.encoder_inputs import first_of
from hashnet_tf.export.freeze import Outputs, Tensor, description, inputs_of
from hashnet_tf.export.litert_conversion import (
    Representative,
    check_is_of_numbers,
    check_quantize,
    litert_content,
    representative_inputs,
)
from hashnet_tf.export.parity import check_litert
from hashnet_tf.models import HashNet


def file_to_write(path: os.PathLike[str] | str) -> pathlib.Path:
    """Returns the path of a file that may be written.

    Raises:
        ValueError: If it is a folder.
    """
    path = pathlib.Path(path)
    if path.is_dir():
        raise ValueError(
            "`path` must be a file to write, not a folder."
            f" Received: path={path}"
        )
    return path


def write_litert(
    model: HashNet,
    path: pathlib.Path,
    to_outputs: Callable[[Tensor, Outputs, Tensor], Outputs],
    check: Callable[[pathlib.Path, HashNet, Any], Any],
    quantize: str | None,
    representative: Representative | None,
    batch_size: int | None,
    samples: Any = None,
) -> pathlib.Path:
    """Converts, describes, writes beside, runs, and renames.

    Args:
        model: `HashNet`.
        path: As `file_to_write` returns it; a file that is there is replaced.
        to_outputs: As in `litert_content`.
        check: Function from the file, the model and a few inputs that raises
            if the file does not give what it should; it is removed then.
        quantize: As in `to_litert`.
        representative: As in `to_litert`.
        batch_size: As in `to_litert`.
        samples: As in `to_litert`.

    Returns:
        `pathlib.Path` of the file.

    Raises:
        ValueError: As `to_litert`.

    Example:

    ```python
    to_outputs = lambda z, bits, features: bits
    write_litert(
        model, Path("signs.tflite"), to_outputs, check_litert, None, None, 1
    )
    ```
    """
    check_quantize(quantize, representative)
    inputs = inputs_of(model)
    check_is_of_numbers(inputs)
    given, calibrating = first_of(inputs, samples), None
    if quantize == "int8" or representative is not None:
        calibrating = representative_inputs(representative, inputs)
    content = litert_content(
        model, to_outputs, quantize, calibrating, batch_size
    )
    content = with_metadata(
        content, {**description(model), "quantize": quantize}
    )
    with written_beside(path) as beside:
        beside.write_bytes(content)
        # Enough to see a file that lost its weights, and no more time.
        some = inputs.some(calibrating if given is None else given)
        check(beside, model, inputs.packed(some))
    return path


def to_litert(
    model: HashNet,
    path: os.PathLike[str] | str,
    quantize: str | None = None,
    representative: Representative | None = None,
    z: bool = False,
    batch_size: int | None = None,
    features: bool = False,
    samples: Any = None,
) -> pathlib.Path:
    """Writes the frozen encoder as a LiteRT file, once it ran as it should.

    One signature, `serving_default`, of builtin operators only: `images`,
    uint8 `[n, height, width, 3]` of the trained size, to `codes`, packed
    uint8 `[n, ceil(K / 8)]`, and `signs`, int8 `[n, K]` of -1 and +1. Of a
    model on anything else the inputs are its own, by their names: float32 for
    floats, int32 for integers. What `description` tells of the model is inside,
    as metadata "hashnet.json". The runtime does not check the size of the
    images, nor what other inputs hold; `LiteRTEncoder` does.

    Unquantised, the bits are those of the model. Quantised, bits near zero
    move, and not the same ones on every device: measure them with
    `measure_encoders`, and encode the queries and the database with one file.

    Args:
        model: `HashNet`, but for one that takes strings.
        path: File to write; one that is there is replaced.
        quantize: None; "float16" for weights of half the size; "dynamic" for
            int8 weights; or "int8" for int8 weights and activations.
        representative: For "int8", and better for "dynamic" too: iterable of
            batches of training images without labels, uint8
            `[n, height, width, 3]`, together at least 32 and better some
            hundreds; or a function that returns such, or lists of one batch, as
            TensorFlow's converter takes it. Of other inputs such as
            `model.encode` takes, all of one size. From them the ranges of the
            activations are taken ("int8"), and from the first 128 the means by
            which `with_corrected_biases` has the quantised layers corrected,
            some gigabytes of memory at 224 pixels; "dynamic" is not corrected
            without.
        z: Whether to give `z` too, float32 `[n, K]`; of an int8 file in steps,
            rounded down, and cut off at the range of the usual images.
        batch_size: Positive int, the only n that the file takes, which some
            delegates need; or None for any.
        features: Whether to give `features` too, float32 `[n, d]`, what comes
            before the hash layer: `hn.Index` ranks what it found by them, and
            can learn another hash layer.
        samples: As in `to_saved_model`.

    Returns:
        `pathlib.Path` of the file.

    Raises:
        ParityError: If the file, run on some images, does not give what it
            should; it is not left behind then.
        ValueError: If an argument is none of these, `path` is a folder,
            `representative` does not fit `quantize`, `model` is no `HashNet`,
            takes strings, gives NaN or is of what LiteRT has no operators for,
            an input has no name for a signature, or Keras does not run on
            TensorFlow.

    Example:

    ```python
    path = hn.export.to_litert(model, "encoder.tflite", quantize="float16")
    codes = hn.export.LiteRTEncoder(path).encode_files(["cat.jpg"])
    ```
    """
    path = file_to_write(path)
    for name, value in (("z", z), ("features", features)):
        if not isinstance(value, bool):
            raise ValueError(
                f"`{name}` must be True or False. Received: {name}={value!r}"
            )
    if batch_size is not None and (
        type(batch_size) is not int or batch_size < 1
    ):
        raise ValueError(
            "`batch_size` must be None or a positive integer."
            f" Received: batch_size={batch_size!r}"
        )

    def outputs(z_values: Tensor, bits: Outputs, values: Tensor) -> Outputs:
        if z:
            bits = {**bits, "z": tf.cast(z_values, tf.float32)}
        if features:
            bits = {**bits, "features": tf.cast(values, tf.float32)}
        return bits

    return write_litert(
        model,
        path,
        outputs,
        check_litert,
        quantize,
        representative,
        batch_size,
        samples,
    )
