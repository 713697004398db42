"""Takes some steps of `LayerwiseSGD` on the backend of KERAS_BACKEND.

Takes a file of the weights and gradients, and one to leave the weights in.
"""

import sys

import keras
import numpy as np

import hashnet_tf as hn


def main(given, found):
    arrays = np.load(given)
    weights = []
    for layer in ("body", "hash"):
        with keras.name_scope(layer):
            weights += [
                keras.Variable(arrays[f"{layer}/{name}"], name=name)
                for name in ("kernel", "bias")
            ]
    rate = keras.optimizers.schedules.ExponentialDecay(0.5, 2, 0.5)
    optimizer = hn.optimizers.LayerwiseSGD(
        rate,
        momentum=0.75,
        global_clipnorm=1.5,
        gradient_accumulation_steps=2,
        multipliers={"hash": 4.0},
        l2=0.125,
    )
    for step in range(arrays["steps"]):
        optimizer.apply(
            [
                keras.ops.convert_to_tensor(arrays[f"{step}/{weight.path}"])
                for weight in weights
            ],
            weights,
        )
    values = {w.path: keras.ops.convert_to_numpy(w.value) for w in weights}
    np.savez(found, backend=keras.backend.backend(), **values)


if __name__ == "__main__":
    main(*sys.argv[1:])
