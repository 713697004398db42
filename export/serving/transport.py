"""Which model, and which version of it, a server shall ask."""

import abc
import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from hashnet_tf.export.serving.client import Deadline

# Of the pauses between attempts, in seconds; each is double the last.
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 2.0


@dataclasses.dataclass(frozen=True)
class ServedModel:
    """A model of a server: its latest version unless one is named.

    Attributes:
        name: Str.
        version: Positive int, or None.
        label: Str, which the server's configuration gives to a version, or
            None. At most one of version and label.

    Raises:
        ValueError: If they are not such.

    Example:

    >>> from hashnet_tf.export.serving.transport import ServedModel
    >>> ServedModel("hashnet", label="stable").version is None
    True
    """

    name: str
    version: int | None = None
    label: str | None = None

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and self.name):
            raise ValueError(
                "`model` must be the name of a model on the server."
                f" Received: model={self.name!r}"
            )
        version, label = self.version, self.label
        if version is not None and (type(version) is not int or version < 1):
            raise ValueError(
                "`version` must be a positive integer or None."
                f" Received: version={version!r}"
            )
        if label is not None and not (isinstance(label, str) and label):
            raise ValueError(
                "`label` must be a name that the server gives to a version,"
                f" or None. Received: label={label!r}"
            )
        if version is not None and label is not None:
            raise ValueError(
                "Either of `version` and `label` names a version, not both."
                f" Received: version={version!r}, label={label!r}"
            )


class Transport(abc.ABC):
    """A way to TensorFlow Serving's Predict.

    Args:
        address: Str, `host:port`.
        secure: Bool, whether by TLS.
        model: `ServedModel`.
        retries: Int, 0 or more.
    """

    @abc.abstractmethod
    def __init__(
        self, address: str, secure: bool, model: ServedModel, retries: int
    ): ...

    @abc.abstractmethod
    def predict(
        self,
        signature: str,
        name: str,
        values: Any,
        outputs: list[str],
        deadline: "Deadline",
    ) -> dict[str, np.ndarray]:
        """Runs a signature of one input.

        An attempt that finds the server unavailable is made again after a
        pause, as often as the transport was told; no other failure is.

        Args:
            signature: Str.
            name: Str, the input's.
            values: uint8 array, or a list of bytes.
            outputs: List of the names of what is wanted.
            deadline: `Deadline`.

        Returns:
            Dict from each name in `outputs` to an array.

        Raises:
            ValueError: If the server refuses the request; it says why.
            TimeoutError: If the deadline passes.
            ConnectionError: If the server stays unavailable.
            RuntimeError: If the server fails otherwise.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Closes the connection."""
