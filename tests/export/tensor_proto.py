"""TensorProto to array and back, without TensorFlow's Python.

Answers hold their values in the typed fields, as the server's do by default,
not in `tensor_content`. For a process of its own, like `c_api`.
"""

import numpy as np
from c_tensor import DTYPES, ENUMS
from tensorflow.core.framework import tensor_pb2

FIELDS = {
    "float32": "float_val",
    "float64": "double_val",
    "int32": "int_val",
    "uint8": "int_val",
    "int8": "int_val",
    "int64": "int64_val",
    "bool": "bool_val",
    "object": "string_val",
}


def from_proto(proto):
    """Reads a TensorProto; strings become bytes."""
    shape = [dim.size for dim in proto.tensor_shape.dim]
    dtype = DTYPES[proto.dtype]
    if proto.tensor_content:
        return np.frombuffer(proto.tensor_content, dtype).reshape(shape)
    values = list(getattr(proto, FIELDS[dtype.name]))
    array = np.empty(len(values), dtype)
    array[:] = values
    # One value may stand for all.
    return np.resize(array, shape) if len(values) == 1 else array.reshape(shape)


def to_proto(array):
    """Writes an array, whose objects are bytes, as a TensorProto."""
    proto = tensor_pb2.TensorProto(dtype=ENUMS[array.dtype])
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    getattr(proto, FIELDS[array.dtype.name]).extend(array.ravel().tolist())
    return proto
