"""Turns vectors into codes of 8 bytes: with labels, with pairs, with nothing.

  python examples/vectors_and_pairs.py

The vectors are the 64 pixels of each digit; embeddings of any other program
take their place. The pairs are such as clicks give: two items that belong
together, and no word of what does not.
"""

import argparse

import numpy as np

import hashnet_tf as hn

BITS, PAIRS = 64, 2000


def main() -> dict[str, float]:
    """Prints and returns MAP of each way."""
    digits = hn.datasets.load("digits")
    train, query, database = (
        hn.datasets.pixel_array(part, (8, 8))[..., 0].reshape(len(part), 64)
        for part in (digits.train, digits.query, digits.database)
    )
    labels = digits.train.labels
    encoders = {
        "nothing: ITQ": hn.HashEncoder(BITS, method="itq").fit(train),
        "labels: SDH": hn.shallow.SDH(BITS).fit(train, labels),
        "labels: HashNet": hn.HashEncoder(BITS).fit(train, labels),
        "pairs: HashNet": hn.HashEncoder(BITS).fit(
            train, pairs=clicked(labels)
        ),
    }
    found = {
        name: hn.retrieval.mean_average_precision(
            encoder.encode(query),
            encoder.encode(database),
            digits.query.labels,
            digits.database.labels,
            top_k=1000,
        )
        for name, encoder in encoders.items()
    }
    for name, value in found.items():
        print(f"{name:<16}MAP@1000 {value:.4f}")
    return found


def clicked(labels: np.ndarray) -> np.ndarray:
    """Returns pairs of rows of one label, `[PAIRS, 2]`.

    Here made from labels; who has pairs has them in place of labels.
    """
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, len(labels), (2, 20 * PAIRS))
    alike = (labels[first] == labels[second]) & (first != second)
    return np.stack([first[alike], second[alike]], axis=1)[:PAIRS]


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    main()
