"""What is used of TensorFlow's C API, by ctypes out of the wheel.

Importing this puts an empty package in TensorFlow's place, so that its
protobuf classes load and its Python runtime does not. For a process of its
own, therefore: never import it where TensorFlow is used.
"""

import ctypes
import importlib.util
import pathlib
import sys
import types

FOLDER = pathlib.Path(
    importlib.util.find_spec("tensorflow").submodule_search_locations[0]
)
assert "tensorflow" not in sys.modules
sys.modules["tensorflow"] = types.ModuleType("tensorflow")
sys.modules["tensorflow"].__path__ = [str(FOLDER)]

POINTER, INT, SIZE, TEXT = (
    ctypes.c_void_p,
    ctypes.c_int,
    ctypes.c_size_t,
    ctypes.c_char_p,
)
# sizeof(TF_TString); what is inside is the library's own affair.
STRING_SIZE = 24


class Buffer(ctypes.Structure):
    _fields_ = [("data", POINTER), ("length", SIZE), ("deallocator", POINTER)]


class Output(ctypes.Structure):
    _fields_ = [("operation", POINTER), ("index", INT)]


class StatusError(Exception):
    """A TF_Status other than OK.

    Attributes:
        code: Int, a `TF_Code`, which is also gRPC's number.
        message: Str.
    """

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


# Name: what it returns, what it takes.
FUNCTIONS = {
    "TF_AllocateTensor": (POINTER, [INT, POINTER, INT, SIZE]),
    "TF_CloseSession": (None, [POINTER, POINTER]),
    "TF_DeleteBuffer": (None, [POINTER]),
    "TF_DeleteGraph": (None, [POINTER]),
    "TF_DeleteSession": (None, [POINTER, POINTER]),
    "TF_DeleteSessionOptions": (None, [POINTER]),
    "TF_DeleteStatus": (None, [POINTER]),
    "TF_DeleteTensor": (None, [POINTER]),
    "TF_Dim": (ctypes.c_int64, [POINTER, INT]),
    "TF_GetCode": (INT, [POINTER]),
    "TF_GraphOperationByName": (POINTER, [POINTER, TEXT]),
    "TF_LoadSessionFromSavedModel": (
        POINTER,
        [POINTER, POINTER, TEXT, POINTER, INT, POINTER, POINTER, POINTER],
    ),
    "TF_Message": (TEXT, [POINTER]),
    "TF_NewBuffer": (POINTER, []),
    "TF_NewGraph": (POINTER, []),
    "TF_NewSessionOptions": (POINTER, []),
    "TF_NewStatus": (POINTER, []),
    "TF_NumDims": (INT, [POINTER]),
    "TF_SessionRun": (
        None,
        [POINTER, POINTER]
        + [POINTER, POINTER, INT] * 2
        + [POINTER, INT, POINTER, POINTER],
    ),
    "TF_StringCopy": (None, [POINTER, TEXT, SIZE]),
    "TF_StringDealloc": (None, [POINTER]),
    "TF_StringGetDataPointer": (POINTER, [POINTER]),
    "TF_StringGetSize": (SIZE, [POINTER]),
    "TF_StringInit": (None, [POINTER]),
    "TF_TensorByteSize": (SIZE, [POINTER]),
    "TF_TensorData": (POINTER, [POINTER]),
    "TF_TensorType": (INT, [POINTER]),
}


def _load():
    library = ctypes.CDLL(str(FOLDER / "libtensorflow_cc.so.2"))
    functions = {}
    for name, (returns, takes) in FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = returns, takes
        functions[name.removeprefix("TF_")] = function
    return types.SimpleNamespace(**functions)


tf = _load()


def checked(function, *arguments):
    """Calls a function whose last argument is a TF_Status.

    Raises:
        StatusError: If the status is not OK.
    """
    status = tf.NewStatus()
    try:
        result = function(*arguments, status)
        if code := tf.GetCode(status):
            raise StatusError(code, tf.Message(status).decode())
    finally:
        tf.DeleteStatus(status)
    return result
