"""The whole way on scanned digits: train, measure, export, search."""

import dataclasses
import os
import typing

import numpy as np

from hashnet_tf.datasets import ArrayImages, RetrievalDataset, pixel_array
from hashnet_tf.retrieval import RetrievalReport, evaluate
from hashnet_tf.runs.config import TrainingConfig
from hashnet_tf.runs.run import Run
from hashnet_tf.runs.training import train
from hashnet_tf.shallow import ITQ, LSH

if typing.TYPE_CHECKING:
    from hashnet_tf.shallow.hash_function import HashFunction

AT = 1000
SHEET_ROWS = 8

SETTINGS = TrainingConfig(
    data="digits",
    backbone="small_cnn",
    image_size=16,
    bits=48,
    method="hashnet",
    alpha=0.2,
    beta=10.0,
    learning_rate=3e-4,
    batch_size=100,
    epochs=40,
    augmentation="shift",
)


def demonstrate(directory: os.PathLike[str] | str, seed: int = 0) -> Run:
    """Trains on the digits, measures, exports and searches, and prints it all.

    Args:
        directory: Str or path of the run directory.
        seed: Int, of all that is drawn.

    Returns:
        `Run`.

    Raises:
        ValueError: If the folder holds a run of other settings.
        hashnet_tf.export.ParityError: If an exported encoder has other bits
            than it may have.

    Example:

    ```python
    hn.runs.demonstrate("runs/digits")
    ```
    """
    _title("Training: images in, binary codes out")
    config = dataclasses.replace(SETTINGS, seed=seed)
    run = train(config, directory)
    figures = run.draw()

    _title("Retrieval, beside two hash functions that learn no features")
    report, dataset = run.evaluate(AT), run.dataset
    print(report.table("tie-aware"))
    print(f"\n{f'{config.bits} bits':<12}MAP@{AT}  P@H<=2")
    _row("HashNet", report)
    for rival in (LSH(config.bits, seed), ITQ(config.bits, seed=seed)):
        _row(type(rival).__name__, _rival_report(rival, dataset))

    _title("The encoder, as it is served and as it runs on a phone")
    exported = run.export(at=AT)
    print(exported.table())
    exported.check()

    _title("Search: a digit and its ten nearest")
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(dataset.query), size=SHEET_ROWS, replace=False)
    asked = dataset.query.subset(np.sort(chosen))
    size = (config.image_size, config.image_size)
    found = run.search(pixel_array(asked, size), k=10)
    names = dataset.class_names or []
    print(f"Query: image {asked.names[0]}, a {names[asked.labels[0]]}")
    print(found.table())
    figures.append(
        found.draw(run.figures_path / "neighbours.png", asked.labels)
    )

    _title("What lies where")
    print(f"{run.path}/  model.keras, config.json, report.json, codes/, logs/")
    print(f"{run.export_path}/  saved_model/ and encoder.tflite")
    for figure in figures:
        print(figure)
    return run


def _title(text: str) -> None:
    print(f"\n== {text}", flush=True)


def _row(name: str, report: RetrievalReport) -> None:
    print(f"{name:<12}{report.map:.4f}    {report.precision_radius2:.4f}")


def _rival_report(
    rival: "HashFunction", dataset: RetrievalDataset
) -> RetrievalReport:
    """Measures a shallow hash function on raw pixels, same split and rule."""
    train_x, query_x, database_x = (
        typing.cast(ArrayImages, part)
        .images.reshape(len(part), -1)
        .astype(np.float32)
        for part in (dataset.train, dataset.query, dataset.database)
    )
    rival.fit(train_x)
    return evaluate(
        rival.encode(query_x),
        rival.encode(database_x),
        dataset.query.labels,
        dataset.database.labels,
        bits=SETTINGS.bits,
        at=AT,
    )
