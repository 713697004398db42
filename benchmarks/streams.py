"""Measures what TensorFlow's tuning of a stream gives and takes, in one run.

  python benchmarks/streams.py

Streams of features and of images are read for some seconds, those of
`feature_batches` and `training_batches` as they are, untuned, and as TensorFlow
would tune them; then their iterator goes. TensorFlow's thread that tunes looks
at a stream after 10 ms, 20 ms and so on, twice as late each time. An iterator
that goes waits for it, and sometimes it is not woken: then for as long as all
that was read before, in the worst case. Machines are shared, so both are
measured by turns, several times.
"""

import argparse
import time

import numpy as np
import tensorflow as tf

import hashnet_tf as hn

ITEMS, WIDTH, SIDE, BATCH = 2000, 512, 64, 100
# Read for so long, in s, between two looks of the tuning thread.
SECONDS = (0.8, 1.6, 3.2)


def streams():
    """Yields the name of a stream that does not end, and it."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(ITEMS, 1, WIDTH)).astype(np.float32)
    labels = rng.integers(0, 10, ITEMS)
    yield (
        "features",
        hn.runs.feature_batches(features, labels, BATCH, seed=0).repeat(),
    )
    pixels = rng.integers(0, 256, (ITEMS, SIDE, SIDE, 3), np.uint8)
    images = hn.datasets.ArrayImages(pixels, labels)
    yield (
        "images",
        hn.datasets.training_batches(
            images, (SIDE, SIDE), BATCH, seed=0, augmentation="shift_flip"
        ).repeat(),
    )


def read(stream, seconds):
    """Reads for some seconds; returns batches a second and the wait, in s."""
    iterator = iter(stream)
    next(iterator)
    start, count = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        next(iterator)
        count += 1
    end = time.perf_counter()
    del iterator
    return count / (end - start), time.perf_counter() - end


def main():
    """Entry point."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=5, help="turns of each")
    arguments = parser.parse_args()
    options = tf.data.Options()
    options.autotune.enabled = True
    for name, stream in streams():
        ways = {"untuned": stream, "tuned": stream.with_options(options)}
        rates = {way: [] for way in ways}
        waits = {way: [] for way in ways}
        for seconds in SECONDS * arguments.rounds:
            for way, taken in ways.items():
                rate, wait = read(taken, seconds)
                rates[way].append(rate)
                waits[way].append(wait)
        for way in ways:
            print(
                f"{name}, {way}: {max(rates[way]):.0f} batches/s; an iterator"
                f" ends in {np.mean(waits[way]):.2f} s in the mean,"
                f" {max(waits[way]):.2f} s at most, after"
                f" {np.mean(SECONDS):.1f} s",
                flush=True,
            )
        ratio = max(rates["untuned"]) / max(rates["tuned"])
        spent = {
            way: np.mean(SECONDS) + np.mean(waits[way])
            for way in ("tuned", "untuned")
        }
        print(
            f"{name}: RATIO of batches/s {ratio:.2f}, RATIO of time"
            f" {spent['tuned'] / spent['untuned']:.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
