"""Compares the bits of one network in every format and runtime of this machine.

  python benchmarks/parity.py
  python benchmarks/parity.py --workdir=runs/tuned

Networks of random weights on RGB images, grey ones, 13 channels and vectors,
and with --workdir that of a run on its queries. A cell is the number of bits
that are not those of `model.encode` in Keras on TensorFlow. float16, dynamic
range and int8 move some by what they are.

The JVM runs no network: its `CodeIndex` is asked for the ten nearest of each
code among those of as many other items, and its cell is the number of hits
that are not those of `hashnet_tf.retrieval.search`, by distance or item.

A runtime whose tools are not here has a row that says what it needs.
"""

import argparse
import contextlib
import dataclasses
import functools
import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile
import typing
from collections.abc import Callable, Iterator

import keras
import numpy as np
from runtimes import Missing, browser, c_session, kotlin

import hashnet_tf as hn

BITS, ITEMS, SIDE, HITS = 48, 200, 32, 10
IN_KERAS = """\
import sys, keras, numpy as np, hashnet_tf
model = keras.saving.load_model(sys.argv[1], compile=False)
np.save(sys.argv[3], model.encode(np.load(sys.argv[2])))
"""
# Keras' names of its backends, which are those of their packages, and ours.
BACKENDS = {"tensorflow": "TensorFlow", "jax": "JAX"}


@dataclasses.dataclass(frozen=True)
class Network:
    """A network, what it is asked, and the files of its encoder.

    Attributes:
        name: Str, the title of its column.
        model: `HashNet`.
        asked: Its first items, an array.
        fitting: As many others.
        folder: Path of a folder of its own.
        codes: uint8 `[n, ceil(K / 8)]`, of those asked.
        files: Dict from a format and a way to quantise, or None, to the path of
            the file, or to the error that told why there is none.
    """

    name: str
    model: hn.HashNet
    asked: np.ndarray
    fitting: np.ndarray
    folder: pathlib.Path
    codes: np.ndarray
    files: dict[tuple[str, str | None], pathlib.Path | Exception]

    @classmethod
    def written(cls, name, model, inputs, folder) -> "Network":
        """Writes the encoder in every format, and makes the codes."""
        folder.mkdir()
        asked, fitting = inputs[:ITEMS], inputs[ITEMS:]
        model.save(folder / "model.keras")
        np.save(folder / "x.npy", asked)
        files = {}
        for kind in hn.export.FORMATS:
            for way in hn.export.FORMATS[kind].bounds:
                print(f"Writing {name}, {title(kind, way)}", flush=True)
                files[kind, way] = write(kind, way, model, folder, fitting)
        codes = model.encode(asked)
        return cls(name, model, asked, fitting, folder, codes, files)

    def file(self, kind: str, way: str | None = None) -> pathlib.Path:
        """Returns the path of a file.

        Raises:
            Missing: If there is none.
        """
        found = self.files[kind, way]
        if isinstance(found, Exception):
            raise Missing(str(found))
        return found

    def moved(self, codes: np.ndarray) -> str:
        """Returns how many bits differ from those of Keras."""
        return str(np.bitwise_count(codes ^ self.codes).sum())


def write(kind, way, model, folder, fitting):
    """Returns the path of a file that it wrote, or the error."""
    chosen = hn.export.FORMATS[kind]
    options: dict[str, typing.Any] = {}
    if "quantize" in chosen.options:
        options["quantize"] = way
    if way in ("dynamic", "int8"):
        options["representative"] = [fitting]
    place = folder / chosen.file_name(kind, way)
    try:
        return chosen.function("write")(model, place, **options)
    # An extra that is not installed, and what a format has no operators for.
    except (ImportError, ValueError) as error:
        return error


def title(kind, way):
    """Returns what a format, quantised or not, is called."""
    called = hn.export.FORMATS[kind].title
    return f"{called} {way}" if way else called


def networks():
    """Yields the name of each network of random weights, it and its inputs."""
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


@contextlib.contextmanager
def keras_on(backend):
    """Yields what counts the bits of a model's file in a process of its own."""
    if importlib.util.find_spec(backend) is None:
        raise Missing(f"{backend}: pip install {backend}")

    def cell(network: Network) -> str:
        names = ("model.keras", "x.npy", "codes.npy")
        paths = [network.folder / name for name in names]
        environment = {**os.environ, "KERAS_BACKEND": backend}
        command = [sys.executable, "-c", IN_KERAS, *paths]
        subprocess.run(command, check=True, env=environment)
        return network.moved(np.load(paths[2]))

    yield cell


@contextlib.contextmanager
def in_python(kind, way):
    """Yields what counts the bits of a format by its runtime in Python."""

    def cell(network: Network) -> str:
        encoder = hn.export.load_encoder(network.file(kind, way))
        return network.moved(encoder.encode(network.asked))

    yield cell


@contextlib.contextmanager
def in_c():
    """Yields what counts the bits of a SavedModel in a C session."""
    with c_session.opened() as encode:

        def cell(network: Network) -> str:
            path = network.file("saved_model")
            _, inputs = served(path, network.asked)
            return network.moved(encode(path, np.array_split(inputs, 8)))

        yield cell


@contextlib.contextmanager
def in_chromium(runtime, kind):
    """Yields what counts the bits of a format by a runtime for browsers."""
    with browser.opened(runtime) as encode:

        def cell(network: Network) -> str:
            path = network.file(kind)
            name, inputs = served(path, network.asked)
            return network.moved(encode(path, name, inputs))

        yield cell


@contextlib.contextmanager
def on_jvm():
    """Yields what counts the hits of the JVM's index."""
    with kotlin.opened() as machine:

        def cell(network: Network) -> str:
            database = network.model.encode(network.fitting)
            place = network.folder / "codes"
            code_set = hn.runs.CodeSet.of(database, bits=network.model.bits)
            code_set.save(place)
            _, found = machine.search(place, network.codes, HITS)
            expected = [
                f"{distance} {code_set.ids[row]} null"
                for pair in zip(
                    *hn.retrieval.search(network.codes, database, HITS),
                    strict=True,
                )
                for distance, row in zip(*pair, strict=True)
            ]
            hits = [hit for line in found for hit in line]
            other = sum(a != b for a, b in zip(hits, expected, strict=True))
            return f"{other} of {len(expected):,} hits"

        yield cell


def served(path, asked):
    """Returns the name of an encoder's input, and what is asked as it is."""
    (batch,) = hn.export.load_encoder(path).inputs.batches(asked, len(asked))
    ((name, inputs),) = batch.items()
    return name, inputs


def rows():
    """Returns what opens each runtime, by the title of its row."""
    opened: dict[str, Callable[[], typing.Any]] = {
        f"Keras on {name}": functools.partial(keras_on, backend)
        for backend, name in BACKENDS.items()
    }
    for kind, chosen in hn.export.FORMATS.items():
        for way in chosen.bounds:
            opened[f"{title(kind, way)}, in Python"] = functools.partial(
                in_python, kind, way
            )
    return {
        **opened,
        "SavedModel, in a C session": in_c,
        "LiteRT for browsers, by LiteRT.js in Chromium": functools.partial(
            in_chromium, "litertjs", "web"
        ),
        "ONNX, by onnxruntime-web in Chromium": functools.partial(
            in_chromium, "onnxruntimeWeb", "onnx"
        ),
        "Search by `CodeIndex` on the JVM": on_jvm,
    }


def cells(opened, chosen) -> Iterator[str]:
    """Yields a row: what a runtime gives for each network, or needs."""
    with contextlib.ExitStack() as stack:
        try:
            cell = stack.enter_context(opened())
        except Missing as error:
            yield from [f"-: needs {error}"] * len(chosen)
            return
        for network in chosen:
            try:
                yield cell(network)
            except Missing as error:
                yield f"-: {error}"


def main():
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--workdir", help="run of images that is trained")
    given = parser.parse_args()
    wanted = list(networks())
    if given.workdir:
        wanted.append(run_network(given.workdir))
    with tempfile.TemporaryDirectory() as folder:
        chosen = [
            Network.written(*network, pathlib.Path(folder) / str(place))
            for place, network in enumerate(wanted)
        ]
        compared = [f"{n.name}, of {ITEMS * n.model.bits:,}" for n in chosen]
        table = [
            f"| bits that differ | {' | '.join(compared)} |",
            "|---" * (len(compared) + 1) + "|",
        ]
        for name, opened in rows().items():
            row = []
            for network, cell in zip(
                chosen, cells(opened, chosen), strict=True
            ):
                row.append(cell)
                print(f"RESULT {network.name}, {name}: {cell}", flush=True)
            table.append(f"| {name} | {' | '.join(row)} |")
    print("\n".join(table))


if __name__ == "__main__":
    main()
