"""Whose rules a MAP is measured by."""

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclasses.dataclass(frozen=True)
class Preset:
    """A rule for MAP@R.

    Attributes:
        rule: Str, the rule in words.
        file_order: Bool, whether it ranks ties as in the database.
        counted: Function of the AP of each query and of whether anything in
            the database is relevant to it, both `[q]`, to the mask of the
            queries that the mean is over.
    """

    rule: str
    file_order: bool
    counted: Callable[[Values, Mask], Mask]


def _all(ap, answerable):
    return np.ones(len(ap), dtype=bool)


def _answerable(ap, answerable):
    return answerable


def _hit(ap, answerable):
    return ap > 0


PRESETS = {
    "tie-aware": Preset(
        "expected value over all tie orders, divided by min(R, relevant items"
        " in the database); mean over all queries, 0 for one with none",
        file_order=False,
        counted=_all,
    ),
    "thuml-caffe": Preset(
        "ties in database order, divided by the hits within R (none: 0); mean"
        " over the queries with a relevant item in the database",
        file_order=True,
        counted=_answerable,
    ),
    "thuml-pytorch": Preset(
        "ties in database order, divided by the hits within R; mean over the"
        " queries with a hit within R",
        file_order=True,
        counted=_hit,
    ),
    "deephash": Preset(
        "ties in database order, divided by the hits within R (none: 0); mean"
        " over all queries",
        file_order=True,
        counted=_all,
    ),
}


def preset_map(
    name: str, expected: Values, file_order: Values | None, answerable: Mask
) -> float:
    """Averages AP@R over queries by the rule of a preset.

    The rules are those of thuml/HashNet's Caffe and PyTorch evaluation
    scripts and of swuxyj/DeepHash-pytorch, except that numpy's default sort,
    used there, leaves the order of ties open.

    Args:
        name: A key of `PRESETS`.
        expected: float64 `[q]`, tie-aware AP@R.
        file_order: float64 `[q]`, AP@R in file order, divided by the hits
            within R; None where only "tie-aware" is asked for.
        answerable: Boolean `[q]`, whether anything in the database is relevant.

    Returns:
        Float; 0 where no query counts.

    Raises:
        ValueError: If there is no such preset.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval.presets import preset_map
    >>> ap = np.array([0.5, 0.0, 0.0])
    >>> answerable = np.array([True, True, False])
    >>> preset_map("thuml-caffe", ap, ap, answerable)
    0.25
    >>> preset_map("thuml-pytorch", ap, ap, answerable)
    0.5
    """
    check_preset(name)
    preset = PRESETS[name]
    ap = expected
    if preset.file_order:
        if file_order is None:
            raise ValueError(
                f"{name} needs AP in file order. Received: file_order=None"
            )
        ap = file_order
    counted = ap[preset.counted(ap, answerable)]
    return float(counted.mean()) if len(counted) else 0.0


def check_preset(name: str) -> None:
    """Raises a ValueError if there is no preset of this name."""
    if name not in PRESETS:
        raise ValueError(
            f"A preset must be one of {', '.join(PRESETS)}."
            f" Received: preset={name!r}"
        )
