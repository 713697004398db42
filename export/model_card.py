"""The card of a run's exports: what whoever gets a file should know of it."""

import contextlib
import json
import os
import pathlib
import typing
from collections.abc import Iterable

from hashnet_tf._files import write_json, written_beside
from hashnet_tf.datasets.protocol import protocols
from hashnet_tf.export.freeze import description
from hashnet_tf.export.measurement import Measurement
from hashnet_tf.methods import METHODS
from hashnet_tf.runs import Run
from hashnet_tf.runs.expectation import Expectation

CARD, VALUES = "MODEL_CARD.md", "model_card.json"
# Of names of weights that keras.applications downloads.
OF_KERAS = (
    "Apache-2.0, as keras.applications hands them out; they were trained on"
    " ImageNet, whose terms allow research that is not commercial"
)
NOT_KNOWN = "not known from a file: ask who made it"
YOURS = "whoever made the data has to say"


def write_card(run: Run, measurements: Iterable[Measurement]) -> pathlib.Path:
    """Writes `MODEL_CARD.md` and `model_card.json` into `export/` of a run.

    They tell what the model was trained on and how well it finds, as far as
    `hashnet evaluate` has measured it, which files there are and what each
    keeps of the bits, and under which licences weights and data are, where that
    is known. Of folders and files their own names are told, not where they lie.
    Files of an earlier export of the same model that are still there keep their
    rows.

    Args:
        run: `hashnet_tf.runs.Run`, trained.
        measurements: Of each file that was written, as `export_run` makes them.

    Returns:
        `pathlib.Path` of `MODEL_CARD.md`.

    Example:

    ```python
    report = hn.export.export_run("runs/cats")
    write_card(hn.runs.Run("runs/cats"), report.measurements)
    ```
    """
    folder = run.export_path
    told = _told(run)
    told["files"] = {
        **_earlier(folder, told["model_digest"]),
        **{_name(m, folder): _of_file(m) for m in measurements},
    }
    write_json(folder / VALUES, told)
    with written_beside(folder / CARD) as beside:
        beside.write_text(_text(told), encoding="utf-8")
    return folder / CARD


def _told(run: Run) -> dict[str, typing.Any]:
    config, dataset = run.config, run.dataset
    kind, _, place = config.data.partition(":")
    protocol = protocols().get(kind)
    known = description(run.model)
    measured: dict[str, typing.Any] = {}
    # Without a report, or with one of another model, nothing is known.
    with contextlib.suppress(ValueError):
        if run.report["model_digest"] == known["model_digest"]:
            measured = run.report
    weights, licence = config.weights, None
    if weights is not None:
        is_file = os.path.isfile(weights) or os.sep in weights
        licence = NOT_KNOWN if is_file else OF_KERAS
    return {
        "model_digest": known["model_digest"],
        "bits": known["bits"],
        "versions": known["versions"],
        "method": METHODS[config.method].title,
        "backbone": config.backbone,
        "weights": weights and os.path.basename(weights),
        "weights_licence": licence,
        "is_frozen": config.freeze_backbone,
        "data": ":".join(filter(None, [kind, os.path.basename(place)])),
        "data_licence": protocol.origin.licence if protocol else YOURS,
        "classes": dataset.class_names,
        "training_items": len(dataset.train),
        "unit": dataset.train.unit,
        "protocol": dataset.protocol,
        "retrieval": measured.get("retrieval"),
        "expectation": measured.get("expectation"),
    }


def _earlier(
    folder: pathlib.Path, model_digest: str
) -> dict[str, dict[str, typing.Any]]:
    try:
        there = json.loads((folder / VALUES).read_text(encoding="utf-8"))
        if there["model_digest"] != model_digest:
            return {}
        files = there["files"].items()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    return {name: row for name, row in files if (folder / name).exists()}


def _name(measurement: Measurement, folder: pathlib.Path) -> str:
    return os.path.relpath(measurement.parity.artefact, folder)


def _of_file(measurement: Measurement) -> dict[str, typing.Any]:
    parity = measurement.parity
    return {
        "bytes": measurement.bytes,
        "quantize": measurement.quantize,
        "bits_compared": parity.bits_compared,
        "bits_moved": parity.bits_moved,
        "share_moved": parity.share,
        "share_error": parity.error,
        "map": measurement.map,
        "map_before": measurement.map_before,
        "map_error": measurement.map_error,
    }


def _text(told: dict[str, typing.Any]) -> str:
    unit, found = told["unit"], told["retrieval"]
    trained = "after its frozen" if told["is_frozen"] else "with all of its"
    weights = "random weights"
    if told["weights"]:
        weights = f"the weights {told['weights']}"
    figures = "Not measured: `hashnet evaluate` does."
    if found:
        figures = (
            f"MAP@{found['at']} {found['map']:.4f} (tie-aware), precision"
            f" within radius 2 {found['precision_radius2']:.4f}, of"
            f" {found['queries']:,} queries in {found['database']:,} {unit}."
        )
    if told["expectation"]:
        expected = Expectation(**told["expectation"]).text()
        figures = f"{expected}\n\n{figures}"
    classes = ""
    if told["classes"]:
        classes = f" Classes: {', '.join(told['classes'])}."
    rows = "".join(_row(name, row) for name, row in told["files"].items())
    licences = f"- Data: {told['data_licence']}.\n"
    if told["weights"]:
        licences += f"- {told['weights']}: {told['weights_licence']}.\n"
    return f"""\
# Codes of {told["bits"]} bits for {unit}

Turns {unit} into binary codes that are near where {unit} are alike. Trained by
{told["method"]} {trained} {told["backbone"]}, from {weights}, by hashnet_tf
{told["versions"]["hashnet_tf"]}. Digest of the model: `{told["model_digest"]}`;
codes of another one cannot be compared with these.

## Trained on

{told["training_items"]:,} {unit} of {told["data"]}.{classes}
{told["protocol"]}

## How well it finds

{figures}

Of {unit} of another kind nothing was measured, and codes that were learned from
labels may tell less of them than random ones.

## Files

| file | MB | bits that differ from the model's | MAP |
|---|---|---|---|
{rows}
A sample was compared, with two standard errors. Queries and database must be
encoded by one file where bits differ.

## Licences

{licences}- The files themselves: yours to say.
"""


def _row(name: str, row: dict[str, typing.Any]) -> str:
    share = f"{row['share_moved']:.2%}"
    if row["bits_moved"]:
        share += f" +- {row['share_error']:.2%}"
    found = "-" if row["map"] is None else f"{row['map']:.4f}"
    return f"| {name} | {row['bytes'] / 1e6:.2f} | {share} | {found} |\n"
