"""What an export of a run came to, as a value and as a table."""

import dataclasses
import pathlib

from hashnet_tf.export.measurement import Measurement
from hashnet_tf.export.parity import ParityError


@dataclasses.dataclass(frozen=True)
class ExportReport:
    """What became of a run's artefacts.

    Attributes:
        measurements: List of `Measurement`, of every artefact written that
            keeps the promise of its kind where it has one; of one that breaks
            its bound too, where it was put.
        broken: List of str, a sentence for each artefact that broke its bound,
            and where it was put, or that could not be written.
        map: Float, tie-aware MAP@R of the model's own codes; None where the
            data have no labels.
        at: Int R.
        queries: Int, images that bits were compared on and that asked.
        database: Int, images that were searched.
    """

    measurements: list[Measurement]
    broken: list[str]
    map: float | None
    at: int
    queries: int
    database: int

    def check(self) -> None:
        """Raises `ParityError` if an artefact broke its bound."""
        if self.broken:
            raise ParityError(" ".join(self.broken))

    def table(self) -> str:
        """Returns the measurements as text for a terminal."""
        columns = "{:<22} {:>8} {:>36} {:>15} {:>17} {:>9}"
        lines = [
            f"Bits and MAP on {self.queries:,} queries, MAP among"
            f" {self.database:,} of the database; +- two standard errors over"
            " the queries",
            columns.format(
                "artefact",
                "MB",
                "bits that differ",
                "their |z|",
                f"MAP@{self.at}",
                "items/s",
            ),
            columns.format("Keras", "", "", "", _told(self.map), ""),
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
                    f" ({parity.share:.2%} +- {parity.error:.2%})",
                    z,
                    _told(measurement.map, measurement.map_error),
                    f"{measurement.images_a_second:.0f}",
                )
            )
        return "\n".join(lines)


def _told(map_: float | None, error: float | None = None) -> str:
    told = "-" if map_ is None else f"{map_:.4f}"
    return told if error is None else f"{told} +- {error:.4f}"


def _name(artefact: str) -> str:
    path = pathlib.Path(artefact)
    # A version's folder says nothing alone.
    return f"{path.parent.name}/{path.name}" if path.is_dir() else path.name
