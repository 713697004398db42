"""Measures `HashEncoder` with its defaults: what it reaches, and how soon.

  python benchmarks/estimator.py

Of vectors of 50 topics (`topics.py`) 19,000 are learned from with their labels
and found, and 1,000 others ask: by `HashEncoder`, by a network without a
normalisation, as one writes it in Keras, and by ITQ and SDH. Then the time of
one fit to 100,000 vectors of 768 numbers in a file that is mapped, beside that
of as many steps by `fit` of the same network, and of ITQ: by the clock, and of
all cores together, which others that use them change less.
"""

import argparse
import pathlib
import tempfile
import time

import keras
import numpy as np
from topics import ASKING, measure, told, topic_vectors

import hashnet_tf as hn

BITS = 64
USUAL = hn.HashEncoder(BITS)


def by_keras(vectors, labels, epochs, normalised=False):
    """Returns a HashNet as one writes it, trained by `fit`."""
    inputs = x = keras.Input(vectors.shape[1:])
    if normalised:
        normalisation = keras.layers.Normalization()
        normalisation.adapt(vectors)
        x = normalisation(x)
    x = keras.layers.Dropout(USUAL.dropout)(x)
    hidden = keras.layers.Dense(USUAL.hidden, activation="relu")(x)
    hashnet = hn.HashNet(keras.Model(inputs, hidden), bits=BITS)
    loss = hn.losses.WeightedPairwiseLoss(likelihood="radius")
    hashnet.compile(keras.optimizers.Adam(1e-3), loss)
    hashnet.fit(vectors, labels, 256, epochs, verbose=0)
    return hashnet


def reached(seeds, count):
    """Prints MAP of each way."""
    found = {}
    for seed in range(seeds):
        vectors, labels = topic_vectors(seed, count)
        some = vectors[ASKING:], labels[ASKING:]
        keras.utils.set_random_seed(seed)
        for name, fitted in (
            ("HashEncoder", hn.HashEncoder(BITS, random_state=seed).fit(*some)),
            ("Keras on raw vectors, 20 epochs", by_keras(*some, epochs=20)),
            ("SDH", hn.shallow.SDH(BITS, seed=seed).fit(*some)),
            ("ITQ, no labels", hn.shallow.ITQ(BITS, seed=seed).fit(*some)),
        ):
            found.setdefault(name, []).append(
                measure(fitted.encode, vectors, labels)
            )
    print(f"{count:,} vectors of 384, {BITS} bits")
    for name, values in found.items():
        told(name, values)


def took(function, *values):
    """Returns what a function returns, its seconds, and those of all cores."""
    clock, cores = time.perf_counter(), time.process_time()
    found = function(*values)
    clock, cores = time.perf_counter() - clock, time.process_time() - cores
    return found, np.array([clock, cores])


def seconds_of(count, width):
    """Prints how long a fit takes, beside other ways."""
    vectors, labels = topic_vectors(0, count, width)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "vectors.npy")
        np.save(path, vectors)
        mapped = np.load(path, mmap_mode="r")
        encoder, fitted = took(hn.HashEncoder(BITS).fit, mapped, labels)
        _, encoded = took(encoder.encode, mapped)
    steps = 100 * len(encoder.validation_losses_)
    epochs = -(-steps * 256 // count)
    _, by_fit = took(by_keras, vectors, labels, epochs, True)
    by_fit *= steps * 256 / epochs / count
    _, by_itq = took(hn.shallow.ITQ(BITS).fit, vectors)
    print(f"RESULT {count:,} x {width}, seconds, and those of all cores:")
    for name, (clock, cores) in {
        f"fit, {steps} steps": fitted,
        "encode": encoded,
        "Keras' fit of as many steps": by_fit,
        "ITQ": by_itq,
    }.items():
        print(f"RESULT {name}: {clock:.1f}, {cores:.1f}")
    longer = by_fit / fitted
    print(
        f"RESULT Keras' fit took {longer[0]:.2f} times as long, and"
        f" {longer[1]:.2f} of all cores"
    )


def main():
    """Prints what is reached, and how soon."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vectors", type=int, default=20_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--large", type=int, default=100_000)
    parser.add_argument("--width", type=int, default=768)
    options = parser.parse_args()
    if options.seeds:
        reached(options.seeds, options.vectors)
    if options.large:
        seconds_of(options.large, options.width)


if __name__ == "__main__":
    main()
