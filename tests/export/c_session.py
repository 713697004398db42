"""A SavedModel in a session of TensorFlow's C API, as the server runs it.

For a process of its own, like `c_api`.
"""

import ctypes
import sys

import c_api
from c_api import checked, tf
from c_tensor import delete_input, to_array, to_tensor
from tensorflow.core.protobuf import meta_graph_pb2

INVALID_ARGUMENT = 3


class CSession:
    """A loaded SavedModel; threads may share it.

    Args:
        path: Folder of one version.

    Attributes:
        signatures: Dict from name to `SignatureDef`.

    Raises:
        c_api.StatusError: If it does not load.
    """

    def __init__(self, path):
        self._graph = tf.NewGraph()
        options, meta = tf.NewSessionOptions(), tf.NewBuffer()
        tags = (ctypes.c_char_p * 1)(b"serve")
        try:
            self._session = checked(
                tf.LoadSessionFromSavedModel,
                options,
                None,
                str(path).encode(),
                tags,
                len(tags),
                self._graph,
                meta,
            )
            buffer = c_api.Buffer.from_address(meta)
            text = ctypes.string_at(buffer.data, buffer.length)
        finally:
            tf.DeleteSessionOptions(options)
            tf.DeleteBuffer(meta)
        definition = meta_graph_pb2.MetaGraphDef.FromString(text)
        self.signatures = {
            name: signature
            for name, signature in definition.signature_def.items()
            if not name.startswith("__")
        }
        assert "tensorflow.python" not in sys.modules

    def run(self, signature, inputs, outputs=None):
        """Runs a signature.

        Args:
            signature: Str.
            inputs: Dict from name to array.
            outputs: Names of what is wanted, or None for all.

        Returns:
            Dict from name to array.

        Raises:
            c_api.StatusError: If there is no such signature, input or output,
                or the graph refuses the inputs.
        """
        if signature not in self.signatures:
            raise c_api.StatusError(
                INVALID_ARGUMENT,
                f'Serving signature key "{signature}" not found.',
            )
        known = self.signatures[signature]
        outputs = list(outputs or known.outputs)
        _check_names("input", inputs, known.inputs)
        _check_names("output", outputs, known.outputs)
        if missing := set(known.inputs) - set(inputs):
            raise c_api.StatusError(
                INVALID_ARGUMENT, f"missing inputs: {sorted(missing)}"
            )
        feeds = self._ends(known.inputs, inputs)
        fetches = self._ends(known.outputs, outputs)
        results = (ctypes.c_void_p * len(outputs))()
        tensors = [to_tensor(array) for array in inputs.values()]
        try:
            checked(
                tf.SessionRun,
                self._session,
                None,
                feeds,
                (ctypes.c_void_p * len(tensors))(*tensors),
                len(tensors),
                fetches,
                results,
                len(results),
                None,
                0,
                None,
            )
            # A graph may hand an input's strings on: they are freed after.
            arrays = [to_array(tensor) for tensor in results]
        finally:
            for tensor in filter(None, results):
                tf.DeleteTensor(tensor)
            for tensor in tensors:
                delete_input(tensor)
        return dict(zip(outputs, arrays, strict=True))

    def close(self):
        checked(tf.CloseSession, self._session)
        checked(tf.DeleteSession, self._session)
        tf.DeleteGraph(self._graph)

    def _ends(self, infos, names):
        ends = (c_api.Output * len(names))()
        for end, name in zip(ends, names, strict=True):
            operation, index = infos[name].name.rsplit(":", 1)
            end.operation = tf.GraphOperationByName(
                self._graph, operation.encode()
            )
            end.index = int(index)
        return ends


def _check_names(kind, names, known):
    for name in names:
        if name not in known:
            raise c_api.StatusError(
                INVALID_ARGUMENT,
                f"{kind} tensor alias not found in signature: {name}."
                f" {kind.capitalize()}s expected to be in the set"
                f" {{{','.join(sorted(known))}}}.",
            )
