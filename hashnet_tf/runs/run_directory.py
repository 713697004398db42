"""Where a run keeps what, on disk."""

import json
import pathlib

import keras

from hashnet_tf._files import write_json
from hashnet_tf.runs.config import TrainingConfig


class RunDirectory:
    """The folder of one training, which every command reads.

    | path | holds |
    |---|---|
    | `config.json` | the settings, as `TrainingConfig` |
    | `data.json` | which images the parts were, and which were left out |
    | `model.keras` | the trained HashNet, from images to g |
    | `checkpoints/` | the state that a killed training goes on from |
    | `features/` | with a frozen backbone: what it gave, once |
    | `logs/` | `records.jsonl`, g before and after, TensorBoard |
    | `codes/query`, `codes/database` | code sets |
    | `report.json` | the measurements |
    | `figures/`, `export/` | what they say |

    Args:
        path: Str or path of the folder.

    Example:

    >>> from hashnet_tf.runs import RunDirectory
    >>> RunDirectory("runs/digits").model_path.name
    'model.keras'
    """

    def __init__(self, path):
        self.path = pathlib.Path(path)
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

    def codes_path(self, part):
        """Returns the folder of the code set of "query" or "database"."""
        return self.path / "codes" / part

    def check_settings(self, config):
        """Checks that the folder holds no run of other settings.

        Args:
            config: `TrainingConfig`.

        Raises:
            ValueError: If it does; the message names those that differ.
        """
        if not self.config_path.exists():
            return
        there, wanted = self.config().as_dict(), config.as_dict()
        differing = [
            f"{name}={wanted[name]!r} instead of {there[name]!r}"
            for name in wanted
            if wanted[name] != there[name]
        ]
        if differing:
            raise ValueError(
                f"{self.path} holds a run with other settings; go on with"
                " those, or name another folder."
                f" Received: {', '.join(differing)}"
            )

    def write_settings(self, config):
        """Writes the `TrainingConfig` of the run."""
        write_json(self.config_path, config.as_dict())

    def write_data_record(self, record):
        """Writes which images the run has, as `run_data` returned it."""
        write_json(self.data_path, record)

    def data_record(self):
        """Returns what `write_data_record` wrote, or None before that."""
        return _read_json(self.data_path) if self.data_path.exists() else None

    def config(self):
        """Returns the run's `TrainingConfig`."""
        return TrainingConfig.from_dict(_read_json(self.config_path))

    def model(self):
        """Returns the trained `HashNet`, from images to g."""
        if not self.model_path.is_file():
            raise ValueError(
                "A run must be trained first (`hashnet train`)."
                f" Received: no {self.model_path}"
            )
        return keras.saving.load_model(self.model_path)

    def report(self):
        """Returns the content of `report.json` as a dict."""
        return _read_json(self.report_path)


def _read_json(path):
    if not path.is_file():
        raise ValueError(
            "The folder of a run must hold config.json and, once it is"
            " measured, report.json."
            f" Received: no {path}"
        )
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} must be JSON. Received: {error}") from error
