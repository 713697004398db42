"""Runs a LiteRT file for the stub of LiteRT's interpreter, over pipes."""

import json
import struct
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def asked(format):
    """Reads a number, the highest byte first; None at the end."""
    content = sys.stdin.buffer.read(struct.calcsize(format))
    return struct.unpack(f">{format}", content)[0] if content else None


def answer(content):
    sys.stdout.buffer.write(struct.pack(">i", len(content)) + content)
    sys.stdout.buffer.flush()


def described(details):
    return {
        name: {
            "dtype": np.dtype(tensor["dtype"]).name,
            "shape": tensor["shape_signature"].tolist(),
        }
        for name, tensor in details.items()
    }


threads = asked("i")
interpreter = Interpreter(
    model_content=sys.stdin.buffer.read(asked("i")), num_threads=threads
)
# A file of `hashnet export` has one.
(key,) = interpreter.get_signature_list()
runner = interpreter.get_signature_runner(key)
inputs = runner.get_input_details()
sides = {
    "inputs": described(inputs),
    "outputs": described(runner.get_output_details()),
}
answer(json.dumps({key: sides}).encode())
while (length := asked("H")) is not None:
    given = sys.stdin.buffer.read(length).decode()
    wanted = sys.stdin.buffer.read(asked("H")).decode()
    content = sys.stdin.buffer.read(asked("i"))
    # Of any batch size a file stands ready for one image.
    shape = inputs[given]["shape"]
    array = np.frombuffer(content, inputs[given]["dtype"]).reshape(shape)
    answer(runner(**{given: array})[wanted].tobytes())
