"""Runs a SavedModel as a stranger does: TensorFlow alone, no hashnet_tf.

Takes the path of an .npz of inputs, the path of an .npz to write, and the
SavedModels. Each runs in TensorFlow's Python loader and in a session, which
loads as TensorFlow Serving does.
"""

import sys

import numpy as np
import tensorflow as tf


def in_python(path, inputs):
    loaded = tf.saved_model.load(path)
    for name, signature in loaded.signatures.items():
        ((argument, spec),) = signature.structured_input_signature[1].items()
        for key, value in feeds(inputs, name):
            outputs = signature(**{argument: tf.constant(value, spec.dtype)})
            for output, tensor in outputs.items():
                yield f"{key}/{output}", tensor.numpy()


def in_session(path, inputs):
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        graph = tf.compat.v1.saved_model.load(session, ["serve"], path)
        for name, signature in graph.signature_def.items():
            if name.startswith("__"):
                continue
            (argument,) = signature.inputs.values()
            names = {k: v.name for k, v in signature.outputs.items()}
            for key, value in feeds(inputs, name):
                outputs = session.run(names, {argument.name: value})
                for output, array in outputs.items():
                    yield f"{key}/{output}", array


def feeds(inputs, signature):
    for key, value in inputs.items():
        if key.split("/")[0] == signature:
            if key.startswith("encode_bytes"):
                value = value.astype(object)
            yield key, value


def main(inputs_path, outputs_path, *paths):
    inputs = dict(np.load(inputs_path))
    outputs = {}
    for path in paths:
        for loader in (in_python, in_session):
            for key, array in loader(path, inputs):
                if array.dtype == object:
                    # As npz, without pickle: one row of bytes a string.
                    rows = [list(string) for string in array]
                    array = np.array(rows, np.uint8)
                outputs[f"{path}/{loader.__name__}/{key}"] = array
    assert "hashnet_tf" not in sys.modules
    np.savez(outputs_path, **outputs)


if __name__ == "__main__":
    main(*sys.argv[1:])
