"""What an artefact keeps of bits, MAP, size and speed."""

import dataclasses
import os
import pathlib
import statistics
import time
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from hashnet_tf._output import say
from hashnet_tf.export.formats import format_of
from hashnet_tf.export.freeze import inputs_of
from hashnet_tf.export.images import image_batches
from hashnet_tf.export.parity import (
    ParityReport,
    compare_codes,
    model_bits,
)
from hashnet_tf.models import HashNet
from hashnet_tf.retrieval import histograms
from hashnet_tf.retrieval.evaluation import two_standard_errors

# Enough for a median, and for a batch to be a batch.
ROUNDS = 5
TIMED = 64


@dataclasses.dataclass(frozen=True)
class Measurement:
    """What was found of one artefact.

    Attributes:
        parity: `ParityReport` of the queries' bits.
        quantize: None, "float16", "dynamic" or "int8".
        bytes: Int, the size of the file, or of all files of the folder.
        map: Float, tie-aware MAP@R of the artefact's codes, or None.
        map_before: Float, that of the model's codes on the same images.
        map_error: Float, two standard errors over the queries of how far `map`
            lies from `map_before`, or None.
        milliseconds: Float, time an image, to set beside that of artefacts
            measured in the same call alone.

    Example:

    >>> from hashnet_tf.export import Measurement, ParityReport
    >>> parity = ParityReport("encoder.tflite", 4800, 12, 0.003)
    >>> Measurement(parity, "int8", 10_000, 0.7, 0.71, 2.5).images_a_second
    400.0
    """

    parity: ParityReport
    quantize: str | None
    bytes: int
    map: float | None
    map_before: float | None
    milliseconds: float
    map_error: float | None = None

    @property
    def images_a_second(self) -> float:
        """Float, the same time the other way round."""
        return 1000 / self.milliseconds


def broken_bounds(
    measurement: Measurement, allow: Mapping[str, float] | None = None
) -> list[str]:
    """Tells which bounds an artefact breaks.

    Args:
        measurement: `hashnet_tf.export.Measurement`.
        allow: Dict from a way to quantise to the largest share of the bits
            that may move by it, in place of the one that `FORMATS` has. Of
            bits that are promised none may move, whatever is allowed.

    Returns:
        List of str, a sentence for each; empty if it is within all. A MAP that
        rises breaks none.

    Example:

    ```python
    broken_bounds(measurement)
    # ['3.40% of the bits moved, where int8 may move 3%']
    ```
    """
    kind = format_of(measurement.parity.artefact)
    bound = kind.bounds.get(measurement.quantize)
    if bound is None:
        return []
    broken = []
    share = measurement.parity.share
    most = (allow or {}).get(measurement.quantize or "", bound.share)
    if share > most:
        broken.append(
            f"{share:.2%} of the bits moved, where {measurement.quantize} may"
            f" move {100 * most:g}%"
        )
    if measurement.map is None or measurement.map_before is None:
        return broken
    change = measurement.map - measurement.map_before
    # Codes that rank better than the model's own are no harm.
    if change < -bound.map_fall:
        broken.append(
            f"MAP fell by {-change:.4f}, where it may by {bound.map_fall:g}"
        )
    return broken


class Encodes(Protocol):
    """What is measured: it has `encode`, and `quantize` where that is set."""

    def encode(self, images: np.ndarray) -> np.ndarray: ...


class Reference:
    """A test split with the model's own codes, made once for all artefacts.

    Args:
        model: `HashNet` of one array, images or others.
        query: As the model takes them; of images uint8 array
            `[q, height, width, 3]` of the trained size.
        database: Such an array, or an iterable of such batches (a
            `tf.data.Dataset` among others) that can be gone through again.
        query_labels: As in `hashnet_tf.retrieval.evaluate`; None where there
            are none, and no MAP then.
        database_labels: As there.
        at: Int R >= 1 of MAP@R.

    Attributes:
        map: Float, tie-aware MAP@R of the model's codes, or None.

    Raises:
        ValueError: If inputs or labels are not such, or the model's z are not
            finite.

    Example:

    >>> import numpy as np, hashnet_tf as hn
    >>> model = hn.HashNet(hn.models.backbone("small_cnn", (16, 16, 3)), 12)
    >>> images, labels = np.zeros((4, 16, 16, 3), "uint8"), np.zeros(4, int)
    >>> hn.export.Reference(model, images, images, labels, labels).map
    1.0
    """

    def __init__(
        self,
        model: HashNet,
        query: npt.ArrayLike,
        database: Iterable[Any],
        query_labels: npt.ArrayLike | None,
        database_labels: npt.ArrayLike | None,
        at: int = 5000,
    ):
        self._model = model
        self._inputs = inputs_of(model)
        self.query = self._inputs.kept(query, "query")
        self._database = database
        self._labels = query_labels, database_labels
        self._at = at
        self._codes, self._z = model_bits(model, self.query)
        self._scores = self._precisions(self._codes, self._encode(model))
        self.map = None if self._scores is None else float(self._scores.mean())

    def compare(
        self, artefact: os.PathLike[str] | str, encoder: Encodes
    ) -> tuple[ParityReport, float | None, float | None]:
        """Encodes queries and database with an artefact, once.

        Args:
            artefact: Str or path.
            encoder: As in `measure_encoders`.

        Returns:
            `(parity, map, error)`: `ParityReport` of the queries' bits; MAP and
            two standard errors of its distance from the model's, or None.

        Raises:
            ParityError: As `measure_encoders`.
        """
        codes = encoder.encode(self.query)
        exact = getattr(encoder, "quantize", None) is None
        parity = compare_codes(artefact, codes, self._codes, self._z, exact)
        scores = self._precisions(codes, self._encode(encoder))
        if scores is None or self._scores is None:
            return parity, None, None
        error = two_standard_errors(scores - self._scores)
        return parity, float(scores.mean()), error

    def _encode(self, encoder: Encodes) -> np.ndarray:
        batches: Any = self._database
        if hasattr(batches, "shape"):
            batches = image_batches(batches)
        return np.concatenate(
            [
                encoder.encode(self._inputs.kept(np.asarray(batch), "database"))
                for batch in batches
            ]
        )

    def _precisions(self, query_codes, database_codes) -> np.ndarray | None:
        """Returns AP@R of each query, whose mean is tie-aware MAP@R."""
        asked, there = self._labels
        if asked is None or there is None:
            return None
        found = histograms(
            query_codes, database_codes, asked, there, self._model.bits
        )
        return found.average_precision(self._at)


def measure_encoders(
    encoders: Mapping[Any, Encodes], reference: Reference
) -> list[Measurement]:
    """Measures artefacts beside each other.

    Times are medians over rounds in which each has its turn, on the first 64
    queries, so that what else the machine does meets all of them alike.

    Args:
        encoders: Dict from the path of each artefact to an object with
            `encode(images)`, from uint8 images to packed codes, and
            `quantize`, which is None, or missing, where the model's bits are
            promised: a `LiteRTEncoder` among others.
        reference: `Reference`.

    Returns:
        List of `Measurement`, in the same order.

    Raises:
        ParityError: If an artefact that promises the model's bits gives
            others, or codes have another length.

    Example:

    ```python
    paths = [Path("encoder.tflite"), Path("encoder_int8.tflite")]
    encoders = {path: LiteRTEncoder(path) for path in paths}
    for measurement in measure_encoders(encoders, reference):
        print(measurement.parity.artefact, broken_bounds(measurement))
    ```
    """
    found = []
    for number, (artefact, encoder) in enumerate(encoders.items(), start=1):
        name = pathlib.Path(artefact).name
        say(f"Measuring {name}, {number} of {len(encoders)}")
        found.append(reference.compare(artefact, encoder))
    times = _milliseconds(list(encoders.values()), reference.query[:TIMED])
    return [
        Measurement(
            parity=parity,
            quantize=getattr(encoder, "quantize", None),
            bytes=_size(pathlib.Path(artefact)),
            map=map_,
            map_before=reference.map,
            milliseconds=milliseconds,
            map_error=error,
        )
        for (artefact, encoder), (parity, map_, error), milliseconds in zip(
            encoders.items(), found, times, strict=True
        )
    ]


def _milliseconds(encoders, images):
    """Returns the milliseconds an image of each, a list."""
    seconds = [[] for _ in encoders]
    for _ in range(ROUNDS):
        for encoder, taken in zip(encoders, seconds, strict=True):
            start = time.perf_counter()
            encoder.encode(images)
            taken.append(time.perf_counter() - start)
    return [1000 * statistics.median(taken) / len(images) for taken in seconds]


def _size(path):
    if path.is_dir():
        return sum(p.stat().st_size for p in path.rglob("*") if p.is_file())
    return path.stat().st_size
