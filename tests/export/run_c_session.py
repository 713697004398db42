"""Runs SavedModels in the C session: no TensorFlow in Python, no hashnet_tf.

Takes the path of an .npz of inputs, the path of an .npz to write, and the
SavedModels. An input that is refused gives `error`, the message. Strings come
out as uint8 beside their lengths, since numpy's own lose zeros at the end: a
row each where all are of one length, else joined.
"""

import sys

import c_api
import numpy as np
from c_session import CSession


def in_c_session(path, inputs):
    session = CSession(path)
    for name, signature in session.signatures.items():
        (argument,) = signature.inputs
        for key, value in inputs.items():
            if key.split("/")[0] != name:
                continue
            if value.dtype.kind == "S":
                value = value.astype(object)
            try:
                outputs = session.run(name, {argument: value})
            except c_api.StatusError as error:
                yield f"{key}/error", np.array(error.message)
                continue
            for output, array in outputs.items():
                if array.dtype == object:
                    lengths = [len(value) for value in array]
                    yield f"{key}/{output}_lengths", np.array(lengths)
                    array = np.frombuffer(b"".join(array), np.uint8)
                    if len(set(lengths)) == 1:
                        array = array.reshape(len(lengths), -1)
                yield f"{key}/{output}", array
    session.close()


def main(inputs_path, outputs_path, *paths):
    inputs = dict(np.load(inputs_path))
    outputs = {
        f"{path}/in_c_session/{key}": array
        for path in paths
        for key, array in in_c_session(path, inputs)
    }
    assert not {"hashnet_tf", "tensorflow.python"} & set(sys.modules)
    np.savez(outputs_path, **outputs)


if __name__ == "__main__":
    main(*sys.argv[1:])
