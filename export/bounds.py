"""How far an artefact may be from the model before it is no use."""

import dataclasses
import pathlib

from hashnet_tf.export.parity import ParityError


@dataclasses.dataclass(frozen=True)
class Bound:
    """The limits of one way to quantise.

    Attributes:
        share: Float, the largest share of the bits that may move.
        map_change: Float, how far MAP may lie from the model's own.
    """

    share: float
    map_change: float = 0.01


# Dynamic has int8's weights, and activations in float or int8 steps of their
# own for each batch: whoever accepts int8 has no reason to refuse it what int8
# may do. Unquantised is held bit for bit where it is measured.
BOUNDS = {
    "float16": Bound(0.002),
    "dynamic": Bound(0.03),
    "int8": Bound(0.03),
}


def broken_bounds(measurement):
    """Tells which bounds an artefact breaks.

    Args:
        measurement: `hashnet_tf.export.Measurement`.

    Returns:
        List of str, a sentence for each; empty if it is within all.

    Example:

    ```python
    broken_bounds(measurement)
    # ['3.40% of the bits moved, where int8 may move 3%']
    ```
    """
    bound = BOUNDS.get(measurement.quantize)
    if bound is None:
        return []
    broken = []
    share = measurement.parity.share
    if share > bound.share:
        broken.append(
            f"{share:.2%} of the bits moved, where {measurement.quantize} may"
            f" move {100 * bound.share:g}%"
        )
    change = measurement.map - measurement.map_before
    if abs(change) > bound.map_change:
        broken.append(
            f"MAP changed by {change:+.4f}, where it may by"
            f" {bound.map_change:g}"
        )
    return broken


def keep_within_bounds(measurement):
    """Removes a file that breaks its bounds.

    Args:
        measurement: `hashnet_tf.export.Measurement` of a file.

    Raises:
        ParityError: If it broke one; the file is gone then.

    Example:

    ```python
    keep_within_bounds(measurement)
    ```
    """
    if broken := broken_bounds(measurement):
        pathlib.Path(measurement.parity.artefact).unlink(missing_ok=True)
        raise ParityError(
            f"{measurement.parity.artefact} was removed: {'; '.join(broken)}."
        )
