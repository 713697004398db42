"""What was measured of one cell."""

import dataclasses

from hashnet_tf.retrieval import RetrievalReport


@dataclasses.dataclass(frozen=True)
class Result:
    """What one system retrieves, and what that took.

    Attributes:
        protocol: Str, how the parts were drawn.
        images: Dict from each part's name to its number of images.
        features: Str, what the codes were made of.
        report: `RetrievalReport`.
        seconds: Float, wall time of training, encoding and measuring, without
            the start of the process and without the features of a frozen
            backbone, which cells share; None where the cell was begun by a
            process that was killed.
        peak_memory_mb: Float, of the process, in 10^6 bytes of main memory;
            what libraries take is in it, what a GPU holds is not.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.reproduction import Result
    >>> from hashnet_tf.retrieval import evaluate
    >>> codes = np.zeros((2, 1), "uint8")
    >>> report = evaluate(codes, codes, [0, 1], [0, 1])
    >>> result = Result("by hand", {"query": 2}, "none", report, 0.5, 100.0)
    >>> Result.from_dict(result.as_dict()) == result
    True
    """

    protocol: str
    images: dict[str, int]
    features: str
    report: RetrievalReport
    seconds: float | None
    peak_memory_mb: float

    def as_dict(self):
        """Returns the result as plain Python values, ready for JSON."""
        fields = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
        }
        return {**fields, "report": self.report.as_dict()}

    @classmethod
    def from_dict(cls, values):
        """Returns the result that `as_dict` gave, before or after JSON.

        Raises:
            ValueError: If it lacks what this version measures.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        if missing := [name for name in names if name not in values]:
            raise ValueError(
                "A result must hold all that is measured."
                f" Received: one without {', '.join(missing)}"
            )
        fields = {name: values[name] for name in names}
        report = RetrievalReport.from_dict(fields["report"])
        return cls(**{**fields, "report": report})
