"""What lies in the folder of a run, looked at as it is read."""

import pathlib
import typing

from hashnet_tf._files import read_json
from hashnet_tf.runs.config import TrainingConfig

if typing.TYPE_CHECKING:
    from hashnet_tf.runs.run import Run


def read_config(run: "Run") -> TrainingConfig:
    """Returns the settings of a run.

    Args:
        run: `Run`.

    Raises:
        ValueError: If there are none, or they are damaged.
    """
    _check_there(run.config_path)
    advice = f"delete {run.path} to begin anew"
    return read_json(run.config_path, advice, TrainingConfig.from_dict)


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
