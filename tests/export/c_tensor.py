"""Arrays to tensors of TensorFlow's C API and back."""

import ctypes

import c_api
import numpy as np
from c_api import tf
from tensorflow.core.framework import types_pb2

DTYPES = {
    types_pb2.DT_FLOAT: np.dtype(np.float32),
    types_pb2.DT_DOUBLE: np.dtype(np.float64),
    types_pb2.DT_INT32: np.dtype(np.int32),
    types_pb2.DT_UINT8: np.dtype(np.uint8),
    types_pb2.DT_INT8: np.dtype(np.int8),
    types_pb2.DT_INT64: np.dtype(np.int64),
    types_pb2.DT_BOOL: np.dtype(np.bool_),
    types_pb2.DT_STRING: np.dtype(object),
}
ENUMS = {dtype: enum for enum, dtype in DTYPES.items()}


def to_tensor(array):
    """Copies an array, whose objects are bytes, to a new TF_Tensor."""
    # Not np.ascontiguousarray, which makes a scalar a row.
    array = np.asarray(array, order="C")
    strings = array.dtype == object
    size = array.size * c_api.STRING_SIZE if strings else array.nbytes
    tensor = tf.AllocateTensor(
        ENUMS[array.dtype],
        (ctypes.c_int64 * array.ndim)(*array.shape),
        array.ndim,
        size,
    )
    if strings:
        for place, value in zip(_places(tensor), array.flat, strict=True):
            tf.StringInit(place)
            tf.StringCopy(place, value, len(value))
    elif size:
        ctypes.memmove(tf.TensorData(tensor), array.ctypes.data, size)
    return tensor


def to_array(tensor):
    """Copies a TF_Tensor to a new array; strings become bytes."""
    shape = [tf.Dim(tensor, axis) for axis in range(tf.NumDims(tensor))]
    dtype = DTYPES[tf.TensorType(tensor)]
    if dtype.kind != "O":
        size = tf.TensorByteSize(tensor)
        data = ctypes.string_at(tf.TensorData(tensor), size) if size else b""
        return np.frombuffer(data, dtype).reshape(shape).copy()
    array = np.empty(int(np.prod(shape)), object)
    for i, place in enumerate(_places(tensor)):
        size = tf.StringGetSize(place)
        array[i] = ctypes.string_at(tf.StringGetDataPointer(place), size)
    return array.reshape(shape)


def delete_input(tensor):
    """Frees a tensor of `to_tensor`, with what its strings hold."""
    if DTYPES[tf.TensorType(tensor)].kind == "O":
        for place in _places(tensor):
            tf.StringDealloc(place)
    tf.DeleteTensor(tensor)


def _places(tensor):
    size = tf.TensorByteSize(tensor)
    start = tf.TensorData(tensor)
    return [start + at for at in range(0, size, c_api.STRING_SIZE)]
