"""Compares the bits of one network in every format and runtime of this machine.

  python benchmarks/parity.py
  python benchmarks/parity.py --workdir=runs/tuned

Networks of random weights on RGB images, grey ones, 13 channels and vectors,
and with --workdir that of a run on its queries. A cell is the number of bits
that are not those of `model.encode` in Keras on TensorFlow. float16, dynamic
range and int8 move some by what they are.

Browsers and a C session are compared by the slow tests
(`tests/export/test_web_browser.py`, `tests/export/test_same_bits.py`).
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import typing

import keras
import numpy as np

import hashnet_tf as hn

BITS, ITEMS, SIDE = 48, 200, 32
IN_JAX = """\
import sys, keras, numpy as np, hashnet_tf
model = keras.saving.load_model(sys.argv[1], compile=False)
np.save(sys.argv[3], model.encode(np.load(sys.argv[2])))
"""


def networks():
    """Yields the name of each network, it, its inputs and some to fit to."""
    rng = np.random.default_rng(0)
    for name, channels in {"RGB": 3, "grey": 1, "13 channels": 13}.items():
        keras.utils.set_random_seed(0)
        shape = (SIDE, SIDE, channels)
        backbone = hn.models.backbone("small_cnn", shape)
        images = rng.integers(0, 256, (2 * ITEMS, *shape), np.uint8)
        yield name, hn.HashNet(backbone, BITS), images
    keras.utils.set_random_seed(0)
    inputs = keras.Input((64,), name="vectors")
    hidden = keras.layers.Dense(256, activation="relu")(inputs)
    vectors = rng.normal(size=(2 * ITEMS, 64)).astype(np.float32)
    yield "vectors", hn.HashNet(keras.Model(inputs, hidden), BITS), vectors


def run_network(workdir):
    """Returns the same of a run, whose first items are its queries."""
    run = hn.runs.Run(workdir)
    config, dataset = run.config, run.dataset
    size = (config.image_size, config.image_size)
    parts = dataset.query.first(ITEMS), dataset.train.first(ITEMS)
    pixels = [
        hn.datasets.pixel_array(part, size, config.framing) for part in parts
    ]
    return pathlib.Path(workdir).name, run.model, np.concatenate(pixels)


def in_jax(model, inputs, folder):
    """Returns the codes of the model's file in a process on JAX."""
    paths = [folder / name for name in ("model.keras", "x.npy", "codes.npy")]
    model.save(paths[0])
    np.save(paths[1], inputs)
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    subprocess.run(
        [sys.executable, "-c", IN_JAX, *paths], check=True, env=environment
    )
    return np.load(paths[2])


def codes_of(model, inputs, folder):
    """Yields each runtime and its codes of the first items."""
    asked, fitting = inputs[:ITEMS], [inputs[ITEMS:]]
    yield "Keras, JAX", in_jax(model, asked, folder)
    for name, kind in hn.export.FORMATS.items():
        for way in kind.bounds:
            place = folder / kind.file_name(name, way)
            options: dict[str, typing.Any] = {}
            if "quantize" in kind.options:
                options["quantize"] = way
            if way in ("dynamic", "int8"):
                options["representative"] = fitting
            try:
                path = kind.function("write")(model, place, **options)
            except ImportError as error:
                print(f"Skipped: {error}")
                continue
            encoder = hn.export.load_encoder(path)
            called = f"{kind.title} {way}" if way else kind.title
            yield called, encoder.encode(asked)


def main():
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--workdir", help="run of images that is trained")
    given = parser.parse_args()
    found, compared = {}, []
    chosen = list(networks())
    if given.workdir:
        chosen.append(run_network(given.workdir))
    for name, model, inputs in chosen:
        expected = model.encode(inputs[:ITEMS])
        compared.append(f"{name}, of {ITEMS * model.bits:,}")
        with tempfile.TemporaryDirectory() as folder:
            for runtime, codes in codes_of(model, inputs, pathlib.Path(folder)):
                moved = int(np.bitwise_count(codes ^ expected).sum())
                found.setdefault(runtime, {})[name] = moved
                print(f"RESULT {name}, {runtime}: {moved}", flush=True)
    print(f"| bits that differ | {' | '.join(compared)} |")
    print("|---" * (len(compared) + 1) + "|")
    for runtime, row in found.items():
        cells = (str(row.get(name, "-")) for name, *_ in chosen)
        print(f"| {runtime} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
