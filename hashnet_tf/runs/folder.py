"""What lies in the folder of a run, looked at as it is read."""

import os
import pathlib
import typing

from hashnet_tf._files import read_json
from hashnet_tf.methods import METHODS
from hashnet_tf.runs.config import TrainingConfig

if typing.TYPE_CHECKING:
    from hashnet_tf.runs.run import Run


class RunPaths:
    """Where what belongs to a run lies.

    Args:
        directory: Str or path of the folder. Nothing is read or written.
    """

    def __init__(self, directory: os.PathLike[str] | str) -> None:
        self.path = pathlib.Path(directory)
        self.config_path = self.path / "config.json"
        self.data_path = self.path / "data.json"
        self.model_path = self.path / "model.keras"
        self.checkpoint_path = self.path / "checkpoints" / "last.weights.h5"
        self.features_path = self.path / "features"
        self.logs_path = self.path / "logs"
        self.records_path = self.logs_path / "records.jsonl"
        self.codes_before_path = self.logs_path / "g_before.npy"
        self.codes_after_path = self.logs_path / "g_after.npy"
        self.report_path = self.path / "report.json"
        self.figures_path = self.path / "figures"
        self.export_path = self.path / "export"

    def codes_path(self, part: str) -> pathlib.Path:
        """Returns the folder of the code set of "query" or "database"."""
        return self.path / "codes" / part


def read_config(run: "Run") -> TrainingConfig:
    """Returns the settings of a run.

    Args:
        run: `Run`.

    Raises:
        ValueError: If there are none, or they are damaged.
    """
    _check_there(run.config_path)
    advice = f"delete {run.path} to begin anew"
    return read_json(run.config_path, advice, saved_config)


def saved_config(settings: typing.Any) -> TrainingConfig:
    """Returns the settings that a file holds, of an earlier version too.

    Args:
        settings: Dict, as `TrainingConfig.as_dict` gives it.

    Raises:
        ValueError: As `TrainingConfig.from_dict`.
    """
    if isinstance(settings, dict):
        # Version 0.1 trained on all that was found.
        settings = {"held_out": 0.0, **settings}
    return TrainingConfig.from_dict(settings)


def read_record(run: "Run") -> dict[str, typing.Any] | None:
    """Returns which images a run has, or None before it began.

    Args:
        run: `Run`.

    Raises:
        ValueError: If the file is damaged.
    """
    if not run.data_path.exists():
        return None
    advice = f"delete {run.path} to begin anew"
    return read_json(run.data_path, advice, _record)


def read_report(run: "Run") -> dict[str, typing.Any]:
    """Returns what a run was measured at.

    Args:
        run: `Run`.

    Raises:
        ValueError: If it is not measured, or the file is damaged.
    """
    _check_there(run.report_path)
    return read_json(
        run.report_path, "`hashnet evaluate` writes it anew", _report
    )


def read_history(run: "Run") -> list[dict[str, float]]:
    """Returns what a training measured, empty where a map was fitted.

    Args:
        run: `Run`.

    Raises:
        ValueError: If no epoch is done, or the file is damaged.
    """
    if run.records_path.is_file():
        from hashnet_tf.runs.records import read_records

        return read_records(run.records_path)
    if run.model_path.is_file() and METHODS[run.config.method].is_map:
        return []
    raise ValueError(
        "A run must be trained first (`hashnet train`)."
        f" Received: no {run.records_path}"
    )


def check_trained(run: "Run") -> None:
    """Checks that a run has a trained model.

    Args:
        run: `Run`.

    Raises:
        ValueError: If not; of one that was begun it tells how far it is.
    """
    if run.model_path.is_file():
        return
    begun = ""
    if run.checkpoint_path.is_file():
        begun = (
            f" {len(run.history) - 1} of {run.config.epochs} epochs are done;"
            " the same `hashnet train` goes on, `hashnet evaluate --so_far`"
            " measures what is there."
        )
    raise ValueError(
        f"A run must be trained first (`hashnet train`).{begun}"
        f" Received: no {run.model_path}"
    )


def _check_there(path: pathlib.Path) -> None:
    if not path.is_file():
        raise ValueError(
            "The folder of a run must hold config.json and, once it is"
            f" measured, report.json. Received: no {path}"
        )


def _record(values: typing.Any) -> dict[str, typing.Any]:
    for part in ("train", "query", "database"):
        # Each is text, or what is done with it fails.
        _ = "".join([values[part]["digest"], *values[part]["undecodable"]])
    return values


def _report(values: typing.Any) -> dict[str, typing.Any]:
    _ = values["model_digest"], values["retrieval"]
    return values
