"""Requests that TensorFlow Serving replays before it serves a version."""

import functools

import numpy as np
import tensorflow as tf
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from hashnet_tf._files import written_beside

# The name under which the server looks for it, in `assets.extra/`.
WARMUP_FILE = "tf_serving_warmup_requests"
# The server refuses the whole version over a longer file.
MOST_RECORDS = 1000

_Field = descriptor_pb2.FieldDescriptorProto

# Of tensorflow_serving/apis/prediction_log.proto, predict.proto and
# model.proto what a request needs, under their numbers. On the wire a map is
# a repeated message of key and value, and a message is its bytes.
_MESSAGES = {
    "ModelSpec": [("signature_name", 3, _Field.TYPE_STRING)],
    "Input": [("key", 1, _Field.TYPE_STRING), ("value", 2, _Field.TYPE_BYTES)],
    "PredictRequest": [
        ("model_spec", 1, "ModelSpec"),
        ("inputs", 2, "Input"),
    ],
    "PredictLog": [("request", 1, "PredictRequest")],
    "PredictionLog": [("predict_log", 6, "PredictLog")],
}


def warmup_requests(size, dtype="uint8"):
    """Makes one request for each signature of an encoder's SavedModel.

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


def write_warmup(path, requests):
    """Writes requests as TensorFlow Serving replays them at load time.

    The server does not serve a version whose warm-up fails, so that each
    request must be one that the SavedModel answers.

    Args:
        path: File to write, `assets.extra/tf_serving_warmup_requests` of the
            SavedModel; one that is there is replaced.
        requests: Dict from signature to a dict from input to a numpy array
            or, for strings, a list of bytes; as `warmup_requests` gives.

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


def _record(signature, inputs):
    if not inputs:
        raise ValueError(
            "A request must have inputs."
            f" Received: requests[{signature!r}]={inputs!r}"
        )
    log = _prediction_log_class()()
    request = log.predict_log.request
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        tensor = _tensor(value, f"requests[{signature!r}][{name!r}]")
        request.inputs.add(key=name, value=tensor.SerializeToString())
    return log.SerializeToString(deterministic=True)


def _tensor(value, name):
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return tf.make_tensor_proto(value)
    # Not arrays of bytes, which lose the zeros at the end of each.
    if isinstance(value, list) and all(isinstance(v, bytes) for v in value):
        return tf.make_tensor_proto(value, tf.string)
    raise ValueError(
        "An input must be a numpy array of numbers or a list of bytes."
        f" Received: {name}={value!r}"
    )


@functools.cache
def _prediction_log_class():
    # In a pool of its own: the names do not meet those of
    # tensorflow-serving-api, should that be loaded too.
    file = descriptor_pb2.FileDescriptorProto(
        name="hashnet_tf/warmup.proto", package="warmup", syntax="proto3"
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            added = message.field.add(name=field, number=number)
            added.label = (
                _Field.LABEL_REPEATED
                if field == "inputs"
                else _Field.LABEL_OPTIONAL
            )
            if isinstance(kind, str):
                added.type = _Field.TYPE_MESSAGE
                added.type_name = f".warmup.{kind}"
            else:
                added.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    descriptor = pool.FindMessageTypeByName("warmup.PredictionLog")
    return message_factory.GetMessageClass(descriptor)
