"""Turns vectors into codes of 8 bytes: with labels, with pairs, with nothing.

  python examples/vectors_and_pairs.py

The vectors are the 64 pixels of each digit; embeddings of any other program
take their place. The pairs are such as clicks give: two items, and whether they
belong together.
"""

import argparse

import keras
import numpy as np

import hashnet_tf as hn

BITS, PAIRS = 64, 8000


def main() -> dict[str, float]:
    """Prints and returns MAP of each way."""
    digits = hn.datasets.load("digits")
    train, query, database = (
        hn.datasets.pixel_array(part, (8, 8))[..., 0].reshape(len(part), 64)
        / 255
        for part in (digits.train, digits.query, digits.database)
    )
    encoders = {
        "nothing: ITQ": hn.shallow.ITQ(BITS).fit(train).encode,
        "labels: SDH": hn.shallow.SDH(BITS)
        .fit(train, digits.train.labels)
        .encode,
        "pairs: HashNet": trained_on_pairs(train, digits.train.labels).encode,
    }
    found = {
        name: hn.retrieval.mean_average_precision(
            encode(query),
            encode(database),
            digits.query.labels,
            digits.database.labels,
            top_k=1000,
        )
        for name, encode in encoders.items()
    }
    for name, value in found.items():
        print(f"{name:<16}MAP@1000 {value:.4f}")
    return found


def trained_on_pairs(vectors: np.ndarray, labels: np.ndarray) -> hn.HashNet:
    """Trains a HashNet on pairs, and returns it."""
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, len(vectors), (2, PAIRS))
    # Here made from labels; who has pairs has them in place of labels.
    similar = (labels[first] == labels[second]).astype("float32")

    keras.utils.set_random_seed(0)
    inputs = keras.Input(vectors.shape[1:])
    features = keras.layers.Dense(256, activation="relu")(inputs)
    hashnet = hn.HashNet(keras.Model(inputs, features), bits=BITS)
    model = hn.models.PairModel(hashnet)
    model.compile(optimizer="adam", loss=hn.losses.GivenPairsLoss())
    epochs, batch = 10, 200
    beta = hn.schedules.SquareRootBeta.reaching(10.0, epochs * PAIRS // batch)
    model.fit(
        (vectors[first], vectors[second]),
        similar,
        batch_size=batch,
        epochs=epochs,
        callbacks=[hn.callbacks.Continuation(beta)],
    )
    return hashnet


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    main()
