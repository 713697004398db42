"""What a training measured, an epoch a line."""

import json
import pathlib

import keras
import numpy as np

from hashnet_tf._files import written_beside
from hashnet_tf.plots import plot_code_histogram, plot_training
from hashnet_tf.runs.run_directory import RunDirectory


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

    def __init__(self, path, monitor):
        super().__init__()
        self.path = pathlib.Path(path)
        self.monitor = monitor
        self._rows = None

    def on_epoch_begin(self, epoch, logs=None):
        if self._rows is not None:
            return
        # The monitor, earlier in the list, has measured the present state.
        first = self.monitor.records[0]
        rows = read_records(self.path) if self.path.exists() else []
        self._rows = [row for row in rows if row["step"] <= first["step"]]
        if not self._rows:
            self._add(first["step"], first)

    def on_epoch_end(self, epoch, logs=None):
        self._add(self.monitor.records[-1]["step"], logs)

    def _add(self, step, logs):
        values = {k: float(v) for k, v in logs.items() if _is_number(v)}
        self._rows.append({**values, "step": step})
        with written_beside(self.path) as beside:
            lines = [json.dumps(row) + "\n" for row in self._rows]
            beside.write_text("".join(lines), encoding="utf-8")


def read_records(path):
    """Reads what `Records` wrote.

    Args:
        path: Str or path of the file.

    Returns:
        List of dicts: `step` and what was measured there, floats; the first is
        the state before training.

    Example:

    >>> import pathlib, tempfile, hashnet_tf as hn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "records.jsonl")
    ...     _ = path.write_text('{"beta": 1.0, "step": 0}\\n')
    ...     hn.runs.read_records(path)
    [{'beta': 1.0, 'step': 0}]
    """
    with pathlib.Path(path).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def losses_until(path, step):
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


def _is_number(value):
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def draw_training(workdir):
    """Draws losses and beta over steps, and |g| before and after.

    Args:
        workdir: Str or path of the run directory of a finished training.

    Returns:
        List of the paths of the PNGs.

    Raises:
        ValueError: If the training is not finished.

    Example:

    >>> import tempfile, hashnet_tf as hn
    >>> config = hn.runs.TrainingConfig(
    ...     data="digits", image_size=8, train_per_class=10, batch_size=50,
    ...     epochs=1,
    ... )
    >>> with tempfile.TemporaryDirectory() as workdir:
    ...     run = hn.runs.train(config, workdir)
    ...     figures = hn.runs.draw_training(workdir)
    ...     [path.name for path in figures]  # doctest: +ELLIPSIS
    digits: 100 train, 200 query, 1597 database. ...
    ['training.png', 'code_histogram.png']
    """
    run = RunDirectory(workdir)
    if not run.codes_after_path.exists():
        raise ValueError(
            "The training must be finished first (`hashnet train`)."
            f" Received: no {run.codes_after_path}"
        )
    return [
        plot_training(
            read_records(run.records_path), run.figures_path / "training.png"
        ),
        plot_code_histogram(
            np.load(run.codes_before_path),
            np.load(run.codes_after_path),
            run.figures_path / "code_histogram.png",
        ),
    ]
