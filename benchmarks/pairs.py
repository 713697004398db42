"""Measures codes that are learned from clicks alone.

  python benchmarks/pairs.py

Of vectors of 50 topics (`topics.py`) 10,000 pairs are drawn, both items of one
topic, as clicks give them; 1,000 other vectors ask and those that were clicked
on or not are found. The same network, a normalisation and 256 units, is trained
on the pairs for as many steps: by `GivenPairsLoss` on the pairs alone, on these
and five random pairs for each, which count as dissimilar, and by
`InBatchPairsLoss`; last `HashEncoder` with its defaults. Told are the mean over
the seeds, which draw all, and half of the range.
"""

import argparse
import warnings

import keras
import numpy as np
from topics import ASKING, measure, told, topic_vectors

import hashnet_tf as hn

BITS, BATCH = 64, 128
NEGATIVES = 5


def clicked(labels, count, rng):
    """Returns pairs of rows behind those that ask, of one topic each."""
    rows = np.arange(ASKING, len(labels))
    order = rows[np.argsort(labels[rows], kind="stable")]
    starts = np.searchsorted(labels[order], np.arange(labels.max() + 2))
    first = rng.choice(rows, count)
    topics = labels[first]
    second = order[rng.integers(starts[topics], starts[topics + 1])]
    return np.stack([first, second], axis=1)


def trained(vectors, pairs, y, loss, steps, seed):
    """Returns the HashNet of a `PairModel` that was trained by a loss."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input(vectors.shape[1:])
    normalisation = keras.layers.Normalization()
    normalisation.adapt(vectors[ASKING:])
    hidden = keras.layers.Dense(256, activation="relu")(normalisation(inputs))
    hashnet = hn.HashNet(keras.Model(inputs, hidden), bits=BITS)
    model = hn.models.PairModel(hashnet)
    model.compile(keras.optimizers.Adam(1e-3), loss)
    both = vectors[pairs[:, 0]], vectors[pairs[:, 1]]
    model.fit(both, y, BATCH, epochs=-(-steps * BATCH // len(pairs)), verbose=0)
    return hashnet


def main():
    """Prints a line for each way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vectors", type=int, default=20_000)
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--steps", type=int, default=1_500)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    given = hn.losses.GivenPairsLoss(likelihood="radius")
    in_batch = hn.losses.InBatchPairsLoss(likelihood="radius")
    found = {}

    def keep(name, encode):
        found.setdefault(name, []).append(measure(encode, vectors, labels))

    # Of similar pairs alone fit warns, and this shows why.
    warnings.filterwarnings("ignore", "`y` holds no dissimilar pair")
    for seed in range(options.seeds):
        vectors, labels = topic_vectors(seed, options.vectors)
        rng = np.random.default_rng(seed)
        pairs = clicked(labels, options.pairs, rng)
        random = rng.integers(ASKING, len(labels), (NEGATIVES * len(pairs), 2))
        both = np.concatenate([pairs, random])
        similar = np.repeat([1, 0], [len(pairs), len(random)])
        for name, rows, y, loss in (
            ("given pairs, clicks alone", pairs, np.ones(len(pairs)), given),
            ("given pairs, five random each", both, similar, given),
            ("in-batch pairs", pairs, pairs, in_batch),
        ):
            way = rows, y, loss, options.steps, seed
            keep(name, trained(vectors, *way).encode)
        keep("ITQ, no clicks", hn.shallow.ITQ(BITS).fit(vectors).encode)
        encoder = hn.HashEncoder(BITS, random_state=seed)
        keep("HashEncoder", encoder.fit(vectors, pairs=pairs).encode)
    print(
        f"{options.vectors:,} vectors, {options.pairs:,} pairs, {BITS} bits,"
        f" {options.steps:,} steps of {BATCH} pairs"
    )
    for name, values in found.items():
        told(name, values)


if __name__ == "__main__":
    main()
