"""All artefacts of a run, measured beside the network they were made of."""

import dataclasses
import json
import os
import pathlib
import shutil
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from hashnet_tf._files import only_writer
from hashnet_tf._output import Progress, say
from hashnet_tf.datasets import (
    ImageSet,
    Vectors,
    ordered_batches,
    pixel_array,
    undecodable_named,
)
from hashnet_tf.export.export_report import ExportReport
from hashnet_tf.export.formats import (
    FORMATS,
    usual_formats,
    ways_to_quantize,
)
from hashnet_tf.export.images import BATCH_SIZE
from hashnet_tf.export.litert_conversion import CORRECTED, FEWEST_IMAGES
from hashnet_tf.export.loading import load_encoder
from hashnet_tf.export.measurement import (
    Reference,
    broken_bounds,
    measure_encoders,
)
from hashnet_tf.export.model_card import write_card
from hashnet_tf.export.parity import ParityError
from hashnet_tf.export.saved_model_encoder import DESCRIPTION, version_numbers
from hashnet_tf.models import HashNet, weights_digest
from hashnet_tf.retrieval import RetrievalReport
from hashnet_tf.runs import Run
from hashnet_tf.runs.code_set import put_in_place

# Images that quantised files are calibrated and corrected by.
REPRESENTATIVE = 500
# Of `export/`: what is not measured yet, and what broke a bound.
UNMEASURED, REFUSED = ".unmeasured", "refused"


def export_run(
    run: Run | os.PathLike[str] | str,
    formats: Iterable[str] | None = None,
    quantize: Iterable[str | None] = (None,),
    z: bool = False,
    batch_size: int | None = None,
    image_dtype: str = "uint8",
    at: int = 5000,
    queries: int | None = 1000,
    database: int | None = 5000,
    allow: Mapping[str, float] | None = None,
) -> ExportReport:
    """Writes a run's artefacts and measures them on the run's test split.

    `export/saved_model/<version>/`, `export/encoder_web.tflite`,
    `export/encoder.onnx` if it is named, and for each way to quantise
    `export/encoder.tflite` or `export/encoder_<quantize>.tflite`. Images that
    "int8" and "dynamic" are fitted to are drawn from the training images by the
    run's seed; of fewer than 32, "dynamic" is not. Each is written apart and
    put into its place once it is measured: an artefact that breaks its bound
    goes into `export/refused/` instead, and what was there stays, as it does
    where the process is killed. `MODEL_CARD.md` and `model_card.json` tell of
    all of them.

    Args:
        run: `hashnet_tf.runs.Run`, or str or path of its directory.
        formats: Which of `FORMATS` to write, one at least; None for those
            that need no extra.
        quantize: The ways to quantise the files of the formats that can be, as
            in `to_litert`.
        z: As in `to_litert`.
        batch_size: As in `to_litert`.
        image_dtype: As in `to_saved_model`.
        at: Int R >= 1 of MAP@R.
        queries: Int >= 1, how many queries to take at most, the first ones;
            None: all.
        database: Int >= 1, how many images of the database to take at most,
            drawn by the run's seed; None: all.
        allow: Dict from ways to quantise to the largest share of the bits that
            may move by each, from 0 to 1, in place of that of `FORMATS`.

    Returns:
        `ExportReport`.

    Raises:
        ValueError: If the run is not trained, an argument is not such, or an
            image cannot be decoded; or if no format takes the network.
        OSError: If another process exports the run.

    Example:

    ```python
    report = hn.export.export_run("runs/cats", quantize=[None, "int8"])
    print(report.table())
    ```
    """
    formats = tuple(usual_formats() if formats is None else formats)
    quantize = tuple(quantize)
    if set(formats) - set(FORMATS) or not formats:
        raise ValueError(
            f"`formats` must be some of {tuple(FORMATS)}."
            f" Received: formats={formats}"
        )
    if set(quantize) - set(ways_to_quantize()):
        raise ValueError(
            f"`quantize` must be some of {ways_to_quantize()}."
            f" Received: quantize={quantize}"
        )
    if any(most is not None and most < 1 for most in (queries, database)):
        raise ValueError(
            "`queries` and `database` must be positive, or None."
            f" Received: queries={queries}, database={database}"
        )
    for way, share in (allow or {}).items():
        if way not in ways_to_quantize()[1:] or not 0 <= share <= 1:
            raise ValueError(
                "`allow` must give shares of the bits, from 0 to 1, of"
                f" {', '.join(map(str, ways_to_quantize()[1:]))}."
                f" Received: {way}:{share}"
            )
    if not isinstance(run, Run):
        run = Run(run)
    given = {"z": z, "batch_size": batch_size, "image_dtype": image_dtype}
    with only_writer(run.export_path):
        return _exported(
            run,
            _artefacts(formats, quantize),
            given,
            at,
            (queries, database),
            allow or {},
        )


def _exported(
    run: Run,
    artefacts: list[tuple[str, str | None]],
    given: dict[str, Any],
    at: int,
    most: tuple[int | None, int | None],
    allow: Mapping[str, float],
) -> ExportReport:
    unmeasured = run.export_path / UNMEASURED
    # What one that was killed has left.
    shutil.rmtree(unmeasured, ignore_errors=True)
    try:
        return _measured(run, artefacts, given, at, most, allow, unmeasured)
    finally:
        shutil.rmtree(unmeasured, ignore_errors=True)


def _measured(
    run: Run,
    artefacts: list[tuple[str, str | None]],
    given: dict[str, Any],
    at: int,
    most: tuple[int | None, int | None],
    allow: Mapping[str, float],
    unmeasured: pathlib.Path,
) -> ExportReport:
    config, model, dataset = run.config, run.model, run.dataset
    size = (config.image_size, config.image_size)
    rng = np.random.default_rng(config.seed)
    asked = dataset.query.first(most[0] or len(dataset.query))
    searched = _drawn(dataset.database, most[1], rng)
    images = _as_array(asked, size, model.framing)
    given["report"] = _report(run, model)
    encoders: dict[pathlib.Path, Any] = {}
    broken, failed = [], []

    def refuse(path: pathlib.Path, reasons: str) -> pathlib.Path:
        aside = _moved(path, unmeasured, run.export_path / REFUSED)
        broken.append(f"{reasons}. It was put aside as {aside}.")
        return aside

    labelled = dataset.is_labelled
    fitting = None
    if any(way in CORRECTED for _, way in artefacts):
        chosen = _drawn(dataset.train, REPRESENTATIVE, rng)
        fitting = _as_array(chosen, size, model.framing)
    for number, (name, way) in enumerate(artefacts, start=1):
        kind = FORMATS[name]
        given |= {"quantize": way, "representative": None}
        if way == "int8" or (
            way in CORRECTED and len(dataset.train) >= FEWEST_IMAGES
        ):
            given["representative"] = [fitting]
        place = unmeasured / kind.file_name(name, way)
        say(f"Writing and checking {place.name}, {number} of {len(artefacts)}")
        options = {option: given[option] for option in kind.options}
        try:
            path = kind.function("write")(model, place, **options)
        except (ParityError, ValueError) as error:
            # One format that does not take the network is no reason to be
            # without the others.
            failed.append(error)
            broken.append(f"{place.name} was not written: {error}")
            continue
        try:
            kind.function("check")(path, model, images)
            encoders[path] = load_encoder(path)
        except ParityError as error:
            refuse(path, str(error).rstrip("."))
    if len(failed) == len(artefacts):
        raise failed[0]
    with undecodable_named(searched):
        reference = Reference(
            model,
            images,
            _Shown(searched, size, model.framing),
            asked.labels if labelled else None,
            searched.labels if labelled else None,
            at,
        )
        found = measure_encoders(encoders, reference)
    measurements, kept = [], []
    for path, measurement in zip(encoders, found, strict=True):
        reasons = broken_bounds(measurement, allow)
        if reasons:
            name = path.relative_to(unmeasured)
            place = refuse(path, f"{name}: {'; '.join(reasons)}")
        else:
            place = _moved(path, unmeasured, run.export_path)
        parity = dataclasses.replace(measurement.parity, artefact=str(place))
        measurements.append(dataclasses.replace(measurement, parity=parity))
        if not reasons:
            kept.append(measurements[-1])
    write_card(run, kept)
    return ExportReport(
        measurements, broken, reference.map, at, len(asked), len(searched)
    )


def _moved(
    path: pathlib.Path, unmeasured: pathlib.Path, folder: pathlib.Path
) -> pathlib.Path:
    """Moves an artefact into a folder, and returns its path there."""
    place = folder / path.relative_to(unmeasured)
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.parent != folder:
        # One of several versions, of which none is ever replaced.
        numbers = version_numbers(place.parent)
        place = place.with_name(str(max(numbers, default=0) + 1))
    if path.is_dir():
        put_in_place(path, place)
    else:
        os.replace(path, place)
    return place


def _as_array(
    items: ImageSet, size: tuple[int, int], framing: str
) -> np.ndarray:
    """Returns images, or vectors, as the network takes them."""
    if isinstance(items, Vectors):
        return items.array()
    return pixel_array(items, size, framing)


class _Shown:
    """Batches of which it is shown how far they are, each time."""

    def __init__(
        self, items: ImageSet, size: tuple[int, int], framing: str
    ) -> None:
        self._items, self._size, self._framing = items, size, framing

    def _batches(self) -> Iterator[np.ndarray]:
        if isinstance(self._items, Vectors):
            return self._items.batches(BATCH_SIZE)
        return ordered_batches(
            self._items, self._size, BATCH_SIZE, self._framing
        ).as_numpy_iterator()

    def __iter__(self) -> Iterator[np.ndarray]:
        count, unit = len(self._items), self._items.unit
        say(f"Encoding {count:,} {unit} to measure")
        progress, done = Progress(count, unit), 0
        for batch in self._batches():
            yield batch
            done += len(batch)
            progress.update(done)


def exported_version(
    run: Run, image_dtype: str = "uint8"
) -> pathlib.Path | None:
    """Returns the newest SavedModel of a run, if it need not be made again.

    Args:
        run: `hashnet_tf.runs.Run`.
        image_dtype: As in `to_saved_model`.

    Returns:
        `pathlib.Path` of the version's folder, or None if it is of another
        model or for images of another dtype, or there is none.

    Raises:
        ValueError: If the run is not trained.
    """
    versions = run.export_path / FORMATS["saved_model"].file_name("saved_model")
    numbers = version_numbers(versions)
    if not numbers:
        return None
    path = versions / str(max(numbers))
    try:
        written = json.loads((path / DESCRIPTION).read_text(encoding="utf-8"))
        # Of what is no image there is one dtype.
        kept = written.get("image_dtype", image_dtype)
        made_of = written["model_digest"], kept
    except (OSError, ValueError, KeyError, TypeError):
        return None
    wanted = weights_digest(run.model), image_dtype
    return path if made_of == wanted else None


def _artefacts(
    formats: tuple[str, ...], quantize: tuple[str | None, ...]
) -> list[tuple[str, str | None]]:
    """Returns each format to write with each way to quantise it."""
    found: list[tuple[str, str | None]] = []
    for name, kind in FORMATS.items():
        if name not in formats:
            continue
        if "quantize" in kind.options:
            found += [(name, way) for way in quantize if way in kind.bounds]
        else:
            found.append((name, None))
    return found


def _drawn(
    images: ImageSet, most: int | None, rng: np.random.Generator
) -> ImageSet:
    order = rng.permutation(len(images))
    return images.subset(np.sort(order[:most]))


def _report(run: Run, model: HashNet) -> RetrievalReport | None:
    """Returns the run's retrieval report, if it is of this model."""
    if not run.report_path.exists():
        return None
    written = run.report
    if written["model_digest"] != weights_digest(model):
        return None
    if written["retrieval"] is None:
        return None
    return RetrievalReport.from_dict(written["retrieval"])
