"""What a training measured, an epoch a line."""

import json
import os
import pathlib
import typing

import keras

from hashnet_tf._files import read_back, sealed
from hashnet_tf.callbacks import ContinuationMonitor


class Records(keras.callbacks.Callback):
    """Writes the logs of each epoch as a line of JSON, with the step.

    Written anew and whole after each epoch. A resumed training keeps the
    lines of the steps that it does not do again.

    Args:
        path: Str or path of the file.
        monitor: `ContinuationMonitor` whose record before training becomes
            the first line.

    Example:

    >>> import numpy as np, hashnet_tf as hn
    >>> monitor = hn.callbacks.ContinuationMonitor(np.zeros((2, 4)), [0, 1])
    >>> records = hn.runs.Records("run/records.jsonl", monitor)
    """

    def __init__(
        self, path: os.PathLike[str] | str, monitor: ContinuationMonitor
    ):
        super().__init__()
        self.path = pathlib.Path(path)
        self.monitor = monitor
        self._rows: list[dict[str, float]] | None = None

    def on_epoch_begin(
        self, epoch: int, logs: dict[str, typing.Any] | None = None
    ) -> None:
        if self._rows is not None:
            return
        # The monitor, earlier in the list, has measured the present state.
        first = self.monitor.records[0]
        rows = read_records(self.path) if self.path.exists() else []
        self._rows = [row for row in rows if row["step"] <= first["step"]]
        if not self._rows:
            self._add(first["step"], first)

    def on_epoch_end(
        self, epoch: int, logs: dict[str, typing.Any] | None = None
    ) -> None:
        self._add(self.monitor.records[-1]["step"], logs)

    def _add(self, step, logs):
        values = {k: float(v) for k, v in logs.items() if _is_number(v)}
        assert self._rows is not None
        self._rows.append({**values, "step": step})
        with sealed(self.path) as beside:
            lines = [json.dumps(row) + "\n" for row in self._rows]
            beside.write_text("".join(lines), encoding="utf-8")


def read_records(path: os.PathLike[str] | str) -> list[dict[str, float]]:
    """Reads what `Records` wrote.

    Args:
        path: Str or path of the file.

    Returns:
        List of dicts: `step` and what was measured there, floats; the first is
        the state before training.

    Raises:
        ValueError: If the file is damaged.

    Example:

    >>> import pathlib, tempfile, hashnet_tf as hn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "records.jsonl")
    ...     _ = path.write_text('{"beta": 1.0, "step": 0}\\n')
    ...     hn.runs.read_records(path)
    [{'beta': 1.0, 'step': 0}]
    """
    with read_back(path, "delete it, and the run is without its past"):
        lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        # What whoever reads it counts on: the state before, and numbers.
        _ = rows[0]["step"], [row["step"] for row in rows]
        _ = [value + 0 for row in rows for value in row.values()]
        return rows


def losses_until(path: os.PathLike[str] | str, step: int) -> list[float]:
    """Returns the mean losses of the epochs that ended by a step, in order.

    Args:
        path: Str or path of a file of `Records`, which need not be there.
        step: Int.
    """
    if not pathlib.Path(path).exists():
        return []
    rows = read_records(path)
    return [
        row["loss"] for row in rows if "loss" in row and row["step"] <= step
    ]


def _is_number(value: typing.Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True
