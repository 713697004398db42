"""One system at one length of the codes, over seeds."""

import dataclasses

from hashnet_tf.reproduction.result import Result
from hashnet_tf.reproduction.systems import System

# From a result to a number, by the name that the tables give it.
MEASURES = {
    "tie-aware": lambda result: result.report.map,
    "thuml-caffe": lambda result: result.report.presets["thuml-caffe"],
    "deephash": lambda result: result.report.presets["deephash"],
    "precision_radius2": lambda result: result.report.precision_radius2,
    "seconds": lambda result: result.seconds,
    "peak_memory_mb": lambda result: result.peak_memory_mb,
}


@dataclasses.dataclass(frozen=True)
class Row:
    """What the cells of one system and one length measured.

    Attributes:
        system: `System`.
        bits: Int.
        results: Dict from a seed to its `Result`, of those that are finished.
        paper: Float, the MAP that the paper printed, or None.

    Example:

    >>> from hashnet_tf.reproduction import SYSTEMS, Row
    >>> Row(SYSTEMS["itq"], 16, {}, 0.3255).mean("tie-aware") is None
    True
    """

    system: System
    bits: int
    results: dict[int, Result]
    paper: float | None = None

    def values(self, measure):
        """Returns the values of one of `MEASURES`, a list over seeds."""
        values = map(MEASURES[measure], self.results.values())
        return [value for value in values if value is not None]

    def mean(self, measure):
        """Returns the mean over seeds, or None if there is no value."""
        values = self.values(measure)
        return sum(values) / len(values) if values else None

    def spread(self, measure):
        """Returns half the range over seeds, or None if there is no value."""
        values = self.values(measure)
        return (max(values) - min(values)) / 2 if values else None
