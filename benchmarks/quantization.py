"""Measures what quantising costs a trained network, technique by technique.

  python benchmarks/quantization.py --workdir=runs/tuned

The run's network is written as `hashnet export` writes it, and without the
techniques that keep its bits: as TensorFlow's converter leaves the weights (the
ranges of the activations are those of `with_robust_ranges` everywhere), with
the biases corrected, and with z rounded down besides. Each file is measured on
the run's own queries and database: the bits that moved, of all and of those
whose |z| is in the smallest tenth, the rest of the lower half, and the upper
half; MAP, size, the milliseconds an image beside the unquantised file, and the
seconds of writing. Last come the layers of int8 whose means moved most before
they were corrected.
"""

import argparse
import contextlib
import pathlib
import sys
import tempfile
import time
import unittest.mock

import numpy as np

import hashnet_tf as hn
from hashnet_tf.datasets import pixel_array
from hashnet_tf.export import litert_conversion
from hashnet_tf.export.bias_correction import _Walk
from hashnet_tf.export.from_run import REPRESENTATIVE, _drawn
from hashnet_tf.export.parity import model_bits

CORRECTION = "with_corrected_biases"
# Where the |z| of the bits are parted, in quantiles.
PARTS = (0.0, 0.1, 0.5, 1.0)
LAYERS = 5


def without_correction():
    """Leaves the files as the converter writes them, meanwhile."""
    return unittest.mock.patch.object(
        litert_conversion, CORRECTION, lambda quantized, *_: quantized
    )


def without_rounding_down():
    """Leaves z rounded to the nearest step, meanwhile."""
    return unittest.mock.patch.object(_Walk, "round_down")


FILES = {
    "LiteRT": (None, contextlib.nullcontext),
    "float16": ("float16", contextlib.nullcontext),
    "dynamic, as converted": ("dynamic", without_correction),
    "dynamic, biases": ("dynamic", contextlib.nullcontext),
    "int8, as converted": ("int8", without_correction),
    "int8, biases": ("int8", without_rounding_down),
    "int8, biases, z down": ("int8", contextlib.nullcontext),
}


def shares_by_z(codes, expected, size):
    """Returns the share that moved of the bits of each part of |z|."""
    differ = np.unpackbits(codes ^ expected, axis=1, count=size.shape[1])
    edges = np.quantile(size, PARTS)
    return [
        differ[(size >= low) & (size <= high)].mean()
        for low, high in zip(edges, edges[1:], strict=False)
    ]


def written(model, images, folder):
    """Writes all files; returns their paths and the seconds of each."""
    paths, seconds = {}, {}
    for name, (way, technique) in FILES.items():
        start = time.perf_counter()
        fitting = [images] if way in litert_conversion.CORRECTED else None
        path = folder / f"{name.replace(', ', '-').replace(' ', '_')}.tflite"
        with technique():
            paths[name] = hn.export.to_litert(model, path, way, fitting)
        seconds[name] = time.perf_counter() - start
    return paths, seconds


def shifts_by_layer(model, images, folder):
    """Returns by layer how far its channels' means lie off in int8.

    Each by the standard deviation of the layer's outputs, the mean over the
    channels, of the file as it is converted.
    """
    given = []

    def keep(quantized, *arguments):
        given.append((quantized, *arguments))
        return quantized

    with unittest.mock.patch.object(litert_conversion, CORRECTION, keep):
        path = folder / "shifts.tflite"
        hn.export.to_litert(model, path, "int8", [images])
    quantized, exact, inputs, batch_size = given[0]
    walks = [_Walk(c, inputs, batch_size) for c in (quantized, exact)]
    found = []
    for places in zip(*(walk.layers for walk in walks), strict=True):
        outputs = [w.outputs(p) for w, p in zip(walks, places, strict=True)]
        means = [y.mean(axis=0) for y in outputs]
        found.append(np.abs(means[0] - means[1]).mean() / outputs[1].std())
    return found, walks[1].shapes()


def run(workdir, queries, database):
    """Measures and prints."""
    trained = hn.runs.Run(workdir)
    config, model, dataset = trained.config, trained.model, trained.dataset
    rng = np.random.default_rng(config.seed)
    asked = dataset.query.first(queries)
    searched = _drawn(dataset.database, database, rng)
    chosen = _drawn(dataset.train, REPRESENTATIVE, rng)
    size = (config.image_size, config.image_size)
    query, there, images = (
        pixel_array(items, size, model.framing)
        for items in (asked, searched, chosen)
    )
    labels = asked.labels, searched.labels
    reference = hn.export.Reference(model, query, there, *labels)
    codes, z = model_bits(model, query)
    print(
        f"RESULT {workdir}: {config.backbone}, {config.image_size} px,"
        f" {model.bits} bits, {len(query):,} queries, {len(there):,} of the"
        f" database; MAP {reference.map:.4f}; median |z| {np.median(z):.3f}"
    )
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        paths, seconds = written(model, images, folder)
        encoders = {p: hn.export.LiteRTEncoder(p) for p in paths.values()}
        found = hn.export.measure_encoders(encoders, reference)
        for name, result in zip(paths, found, strict=True):
            parity = result.parity
            parts = ", ".join(
                f"{share:.2%}"
                for share in shares_by_z(
                    encoders[paths[name]].encode(query), codes, z
                )
            )
            print(
                f"RESULT {name}: moved {parity.share:.2%} ({parts} by |z|;"
                f" median {parity.median_moved_z:.3f}, largest"
                f" {parity.largest_moved_z:.3f}), MAP {result.map:.4f}"
                f" ({(result.map or 0) - (reference.map or 0):+.4f}),"
                f" {result.bytes / 1e6:.2f} MB, RATIO of the times"
                f" {result.milliseconds / found[0].milliseconds:.2f},"
                f" {seconds[name]:.0f} s to write",
                flush=True,
            )
        shifts, shapes = shifts_by_layer(model, images, folder)
    for layer in np.argsort(shifts)[::-1][:LAYERS]:
        kind, *shape = shapes[layer]
        kind = {3: "convolution", 4: "depthwise", 9: "dense"}[kind]
        print(
            f"RESULT layer {layer} of {len(shifts)}, {kind}, {shape}: means off"
            f" by {shifts[layer]:.3f} standard deviations"
        )
    print(f"RESULT all layers: {np.mean(shifts):.3f} in the mean", flush=True)


def main():
    """Entry point."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--workdir", help="run of images that is trained")
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--database", type=int, default=5000)
    given = parser.parse_args()
    if given.workdir is None:
        print("Skipped: no --workdir of a trained run")
        return
    run(given.workdir, given.queries, given.database)


if __name__ == "__main__":
    sys.exit(main())
