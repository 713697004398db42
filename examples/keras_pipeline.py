"""Adds hashing to a Keras pipeline: one layer, one loss, one callback.

python examples/keras_pipeline.py --out=runs/pipeline
"""

import argparse
import pathlib

import keras

import hashnet_tf as hn

SIZE = (16, 16)
EPOCHS, BATCH = 20, 100


def main(out: pathlib.Path) -> hn.retrieval.RetrievalReport:
    """Trains on the digits, measures and exports; returns the report."""
    digits = hn.datasets.load("digits")
    batches = hn.datasets.training_batches(digits.train, SIZE, BATCH, seed=0)

    keras.utils.set_random_seed(0)
    # Any keras.Model that ends in features takes the backbone's place.
    backbone = hn.models.backbone("small_cnn", (*SIZE, 3))
    model = hn.HashNet(backbone, bits=48)
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss=hn.losses.WeightedPairwiseLoss(alpha=0.2),
    )
    steps = EPOCHS * (len(digits.train) // BATCH)
    beta = hn.schedules.SquareRootBeta.reaching(10.0, steps)
    model.fit(
        batches,
        epochs=EPOCHS,
        shuffle=False,
        callbacks=[hn.callbacks.Continuation(beta)],
    )

    query, database = (
        model.encode(hn.datasets.pixel_array(part, SIZE))  # uint8 [n, 6]
        for part in (digits.query, digits.database)
    )
    report = hn.retrieval.evaluate(
        query,
        database,
        digits.query.labels,
        digits.database.labels,
        bits=48,
        at=1000,
    )
    print(report.table())

    hn.export.to_saved_model(model, out / "encoder")
    hn.export.to_litert(model, out / "encoder.tflite")
    return report


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--out", type=pathlib.Path, default="runs/pipeline", help="folder"
    )
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    main(arguments.out)
