"""All artefacts of a run, measured beside the network they were made of."""

import dataclasses
import pathlib
import shutil

import numpy as np

from hashnet_tf.datasets import ordered_batches, pixel_array
from hashnet_tf.export.images import BATCH_SIZE
from hashnet_tf.export.litert import to_litert
from hashnet_tf.export.loading import load_encoder
from hashnet_tf.export.measurement import (
    Measurement,
    Reference,
    keep_within_bounds,
    measure_encoders,
)
from hashnet_tf.export.parity import (
    ParityError,
    check_litert,
    check_saved_model,
)
from hashnet_tf.export.saved_model import to_saved_model
from hashnet_tf.models import weights_digest
from hashnet_tf.retrieval import RetrievalReport
from hashnet_tf.runs import Run

FORMATS = ("saved_model", "litert")
REPRESENTATIVE = 500


@dataclasses.dataclass(frozen=True)
class ExportReport:
    """What became of a run's artefacts.

    Attributes:
        measurements: List of `Measurement`, of every artefact written that
            keeps the promise of its kind where it has one.
        broken: List of str, a sentence for each artefact that broke its bound
            and was removed.
        map: Float, tie-aware MAP@R of the model's own codes.
        at: Int R.
        queries: Int, images that bits were compared on and that asked.
        database: Int, images that were searched.
    """

    measurements: list[Measurement]
    broken: list[str]
    map: float
    at: int
    queries: int
    database: int

    def check(self):
        """Raises `ParityError` if an artefact broke its bound."""
        if self.broken:
            raise ParityError(" ".join(self.broken))

    def table(self):
        """Returns the measurements as text for a terminal."""
        columns = "{:<22} {:>8} {:>26} {:>15} {:>9} {:>9}"
        lines = [
            f"Bits and MAP on {self.queries:,} queries, MAP among"
            f" {self.database:,} images of the database",
            columns.format(
                "artefact",
                "MB",
                "bits that differ",
                "their |z|",
                f"MAP@{self.at}",
                "images/s",
            ),
            columns.format("Keras", "", "", "", f"{self.map:.4f}", ""),
        ]
        for measurement in self.measurements:
            parity, z = measurement.parity, "-"
            if parity.bits_moved:
                z = (
                    f"{parity.median_moved_z:.2g} to"
                    f" {parity.largest_moved_z:.2g}"
                )
            lines.append(
                columns.format(
                    _name(parity.artefact),
                    f"{measurement.bytes / 1e6:.2f}",
                    f"{parity.bits_moved:,} of {parity.bits_compared:,}"
                    f" ({parity.share:.2%})",
                    z,
                    f"{measurement.map:.4f}",
                    f"{measurement.images_a_second:.0f}",
                )
            )
        return "\n".join(lines)


def export_run(
    run,
    formats=FORMATS,
    quantize=(None,),
    z=False,
    batch_size=None,
    image_dtype="uint8",
    at=5000,
    queries=1000,
    database=5000,
):
    """Writes a run's artefacts and measures them on the run's test split.

    `export/saved_model/<version>/`, and for each way to quantise
    `export/encoder.tflite` or `export/encoder_<quantize>.tflite`. Images for
    the ranges of int8 are drawn from the training images by the run's seed.
    An artefact that breaks its bound is removed.

    Args:
        run: `hashnet_tf.runs.Run`, or str or path of its directory.
        formats: Which of "saved_model" and "litert" to write, one at least.
        quantize: List of the ways to quantise the LiteRT files, as in
            `to_litert`.
        z: As in `to_litert`.
        batch_size: As in `to_litert`.
        image_dtype: As in `to_saved_model`.
        at: Int R >= 1 of MAP@R.
        queries: Int >= 1, how many queries to take at most, the first ones.
        database: Int >= 1, how many images of the database to take at most,
            drawn by the run's seed.

    Returns:
        `ExportReport`.

    Raises:
        ValueError: If the run is not trained, or an argument is not such.

    Example:

    ```python
    report = hn.export.export_run("runs/cats", quantize=[None, "int8"])
    print(report.table())
    ```
    """
    unknown = set(formats) - set(FORMATS)
    if unknown or not formats:
        raise ValueError(
            f"`formats` must be some of {FORMATS}."
            f" Received: formats={tuple(formats)}"
        )
    if queries < 1 or database < 1:
        raise ValueError(
            "`queries` and `database` must be positive."
            f" Received: queries={queries}, database={database}"
        )
    if not isinstance(run, Run):
        run = Run(run)
    config, model, dataset = run.config, run.model, run.dataset
    size = (config.image_size, config.image_size)
    rng = np.random.default_rng(config.seed)
    asked = dataset.query.first(queries)
    searched = _drawn(dataset.database, database, rng)
    images = pixel_array(asked, size, model.framing)
    encoders, broken = {}, []

    def keep(path, check):
        try:
            check(path, model, images)
            encoders[path] = load_encoder(path)
        except ParityError as error:
            _remove(path)
            broken.append(str(error))

    if "saved_model" in formats:
        path = to_saved_model(
            model,
            run.export_path / "saved_model",
            image_dtype=image_dtype,
            report=_report(run, model),
        )
        keep(path, check_saved_model)
    for way in quantize if "litert" in formats else ():
        name = f"encoder_{way}.tflite" if way else "encoder.tflite"
        training = None
        if way == "int8":
            chosen = _drawn(dataset.train, REPRESENTATIVE, rng)
            training = [pixel_array(chosen, size, model.framing)]
        path = to_litert(
            model, run.export_path / name, way, training, z, batch_size
        )
        keep(path, check_litert)
    reference = Reference(
        model,
        images,
        ordered_batches(searched, size, BATCH_SIZE, model.framing),
        asked.labels,
        searched.labels,
        at,
    )
    measurements = measure_encoders(encoders, reference)
    for measurement in measurements:
        try:
            keep_within_bounds(measurement)
        except ParityError as error:
            broken.append(str(error))
    return ExportReport(
        measurements, broken, reference.map, at, len(asked), len(searched)
    )


def _name(artefact):
    path = pathlib.Path(artefact)
    # A version's folder says nothing alone.
    return f"{path.parent.name}/{path.name}" if path.is_dir() else path.name


def _drawn(images, most, rng):
    order = rng.permutation(len(images))
    return images.subset(np.sort(order[:most]))


def _report(run, model):
    """Returns the run's retrieval report, if it is of this model."""
    if not run.report_path.exists():
        return None
    written = run.report
    if written["model_digest"] != weights_digest(model):
        return None
    return RetrievalReport.from_dict(written["retrieval"])


def _remove(path):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
