"""Requests that TensorFlow Serving replays before it serves a version."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from hashnet_tf._files import written_beside

# The name under which the server looks for it, in `assets.extra/`.
WARMUP_FILE = "tf_serving_warmup_requests"
# The server refuses the whole version over a longer file.
MOST_RECORDS = 1000


def warmup_requests(
    size: tuple[int, int], dtype: npt.DTypeLike = "uint8"
) -> dict[str, dict[str, Any]]:
    """Makes one request for each signature of an encoder's SavedModel.

    But for `serve`, which is `serving_default` by another name.

    Args:
        size: `(height, width)`, the trained size.
        dtype: Str or dtype of the images of the trained size, "uint8" or
            "float32".

    Returns:
        Dict from signature to a dict from input to a numpy array or a list of
        bytes: black images, one of the trained size, one of another size, and
        that one as a PNG and as a JPEG. The same at every call.

    Example:

    >>> from hashnet_tf.export.serving.warmup import warmup_requests
    >>> warmup_requests((16, 20))["encode_images"]["images"].shape
    (1, 17, 22, 3)
    """
    height, width = size
    trained = np.zeros((1, height, width, 3), dtype)
    # So that the resizing is warmed up too.
    other = np.zeros((1, height + 1, width + 2, 3), np.uint8)
    files = [
        tf.io.encode_png(other[0]).numpy(),
        tf.io.encode_jpeg(other[0]).numpy(),
    ]
    return {
        "serving_default": {"images": trained},
        "encode_images": {"images": other},
        "encode_bytes": {"image_bytes": files},
        "embed": {"images": trained},
    }


def write_warmup(
    path: os.PathLike[str] | str,
    requests: Mapping[str, Mapping[str, Any]],
) -> None:
    """Writes requests as TensorFlow Serving replays them at load time.

    The server does not serve a version whose warm-up fails, so that each
    request must be one that the SavedModel answers.

    Args:
        path: File to write, `assets.extra/tf_serving_warmup_requests` of the
            SavedModel; one that is there is replaced.
        requests: Dict from signature to a dict from input to a numpy array
            or, for strings, a list of bytes or an array of objects; as
            `warmup_requests` gives.

    Raises:
        ValueError: If there are no requests or more than 1,000, or a request
            has no inputs or one of another kind.

    Example:

    >>> import pathlib, tempfile
    >>> from hashnet_tf.export.serving.warmup import (
    ...     warmup_requests, write_warmup)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "tf_serving_warmup_requests")
    ...     write_warmup(path, warmup_requests((16, 20)))
    ...     path.stat().st_size > 0
    True
    """
    if not 1 <= len(requests) <= MOST_RECORDS:
        raise ValueError(
            f"`requests` must be 1 to {MOST_RECORDS:,} requests, the most that"
            f" TensorFlow Serving takes. Received: {len(requests):,} requests"
        )
    records = [_record(*request) for request in requests.items()]
    with (
        written_beside(path) as beside,
        tf.io.TFRecordWriter(str(beside)) as writer,
    ):
        for record in records:
            writer.write(record)


def _record(signature: str, inputs: Mapping[str, Any]) -> bytes:
    if not inputs:
        raise ValueError(
            "A request must have inputs."
            f" Received: requests[{signature!r}]={inputs!r}"
        )
    # Generated at import, where no type checker sees it.
    log = prediction_log_pb2.PredictionLog()  # pyright: ignore[reportAttributeAccessIssue]
    request = log.predict_log.request
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        tensor = _tensor(value, f"requests[{signature!r}][{name!r}]")
        request.inputs[name].CopyFrom(tensor)
    return log.SerializeToString(deterministic=True)


def _tensor(value: Any, name: str) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return tf.make_tensor_proto(value)
    if isinstance(value, np.ndarray) and value.dtype == object:
        return tf.make_tensor_proto(value, tf.string, value.shape)
    # Not arrays of bytes, which lose the zeros at the end of each.
    if isinstance(value, list) and all(isinstance(v, bytes) for v in value):
        return tf.make_tensor_proto(value, tf.string)
    raise ValueError(
        "An input must be a numpy array of numbers or a list of bytes."
        f" Received: {name}={value!r}"
    )
