"""Measures what the exact bits cost beside the bare backbone, in one run.

  python benchmarks/encoder.py

MobileNetV2 of random weights, 96 x 96, 48 bits. The encoder, which has the hash
layer, the sign and the packing on top, and the backbone alone run through the
same runtime; and the files of images that are good through `encode_bytes`
beside a decoder that one bad file would stop. Each figure is a ratio of two
times of this run; machines are shared, so the parts are measured by turns and
the least counts.
"""

import argparse
import pathlib
import sys
import tempfile
import time

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

import hashnet_tf as hn
from hashnet_tf.datasets.pixels.decoding import decode_image, resize_image
from hashnet_tf.export.image_signatures import decode_files

SIZE, BITS, BATCH = (96, 96), 48, 32
FILE_SIZE = (240, 320)


def by_turns(functions, rounds):
    """Returns the least seconds of each function, called by turns."""
    taken = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            taken[name].append(time.perf_counter() - start)
    return {name: min(times) for name, times in taken.items()}


def session_run(path, signature, values):
    """Returns a function that runs a SavedModel's signature in a session."""
    session = tf.compat.v1.Session(graph=tf.Graph())
    with session.graph.as_default():
        loaded = tf.compat.v1.saved_model.load(session, ["serve"], str(path))
    (given,) = loaded.signature_def[signature].inputs.values()
    outputs = loaded.signature_def[signature].outputs
    names = [outputs[name].name for name in outputs]
    return lambda: session.run(names, {given.name: values})


def litert_run(path, images):
    """Returns a function that runs a LiteRT file's signature."""
    runner = Interpreter(model_path=str(path)).get_signature_runner()
    return lambda: runner(images=images)


def write_backbone(backbone, folder):
    """Writes the bare backbone for both runtimes; returns both paths."""
    archive = keras.export.ExportArchive()
    spec = tf.TensorSpec([None, *SIZE, 3], tf.uint8, name="images")

    def features(images):
        images = tf.ensure_shape(images, [None, *SIZE, 3])
        images = tf.cast(images, tf.float32)
        return {"features": backbone(images, training=False)}

    archive.add_endpoint("serving_default", features, [spec])
    saved = folder / "backbone"
    # The class depends on Keras' backend, which is TensorFlow here.
    archive.write_out(  # pyright: ignore[reportAttributeAccessIssue]
        str(saved), verbose=False
    )
    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved))
    litert = folder / "backbone.tflite"
    litert.write_bytes(converter.convert())
    return saved, litert


def print_ratio(what, slow, fast, taken, images):
    """Prints one row."""
    print(
        f"{what}: {slow} {images / taken[slow]:.0f} images/s, {fast}"
        f" {images / taken[fast]:.0f} images/s, RATIO of the times"
        f" {taken[slow] / taken[fast]:.3f}",
        flush=True,
    )


def run(rounds):
    """Measures and prints."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (BATCH, *SIZE, 3), np.uint8)
    backbone = hn.models.backbone("MobileNetV2", (*SIZE, 3))
    model = hn.HashNet(backbone, BITS)
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        saved, litert = write_backbone(backbone, folder)
        encoder = hn.export.to_saved_model(model, folder / "encoder")
        file = hn.export.to_litert(model, folder / "encoder.tflite")
        for name, functions in {
            "SavedModel": {
                "encoder": session_run(encoder, "serving_default", images),
                "backbone": session_run(saved, "serving_default", images),
                # How far the measurement itself can be trusted.
                "again": session_run(saved, "serving_default", images),
            },
            "LiteRT": {
                "encoder": litert_run(file, images),
                "backbone": litert_run(litert, images),
                "again": litert_run(litert, images),
            },
        }.items():
            taken = by_turns(functions, rounds)
            print_ratio(name, "encoder", "backbone", taken, BATCH)
            print_ratio(f"{name}, noise", "again", "backbone", taken, BATCH)
        large = rng.integers(0, 256, (BATCH, *FILE_SIZE, 3), np.uint8)
        large = tf.image.resize(large[:, ::16, ::16], FILE_SIZE)
        files = tf.stack(
            [tf.io.encode_jpeg(tf.cast(i, tf.uint8)) for i in large]
        )
        functions = {
            "safe": tf.function(lambda: decode_files(files, SIZE)),
            "unsafe": tf.function(lambda: _unsafe(files)),
            "encode_bytes": session_run(encoder, "encode_bytes", files.numpy()),
        }
        taken = by_turns(functions, rounds)
        what = f"{BATCH} JPEGs of {FILE_SIZE[1]} x {FILE_SIZE[0]}, decoding"
        print_ratio(what, "safe", "unsafe", taken, BATCH)
        whole = taken["encode_bytes"]
        share = (taken["safe"] - taken["unsafe"]) / whole
        print(
            f"encode_bytes {BATCH / whole:.0f} images/s, of whose time the"
            f" safety takes {share:.1%}"
        )


def _unsafe(files):
    return tf.map_fn(
        lambda file: resize_image(decode_image(file), SIZE),
        files,
        fn_output_signature=tf.TensorSpec([*SIZE, 3], tf.uint8),
        parallel_iterations=8,
    )


def main():
    """Entry point."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=40, help="turns of each")
    run(parser.parse_args().rounds)


if __name__ == "__main__":
    sys.exit(main())
