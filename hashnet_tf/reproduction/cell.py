"""One system at one length of the codes, by one seed."""

import dataclasses
import json
import pathlib

from hashnet_tf.atomic import write_json
from hashnet_tf.reproduction.result import Result
from hashnet_tf.reproduction.systems import SYSTEMS, System
from hashnet_tf.training_config import (
    HASHNETS_OWN,
    VARIANTS,
    TrainingConfig,
)

# All that the codes of a shallow system depend on, beside the data.
OF_FEATURES = (
    "bits",
    "backbone",
    "weights",
    "image_size",
    "framing",
    "skip_undecodable",
)


@dataclasses.dataclass(frozen=True)
class Cell:
    """A folder for what one system does at one length and by one seed.

    A deep system's folder is its run directory. `cell.json`, which is written
    last, tells that it is finished.

    Attributes:
        system: `System`.
        config: `TrainingConfig`; a shallow system takes from it the data, the
            bits, and the backbone that makes its features.
        folder: `pathlib.Path`.

    Example:

    >>> from hashnet_tf.reproduction import Cell
    >>> from hashnet_tf.runs import TrainingConfig
    >>> cell = Cell.of("out", TrainingConfig(data="digits"), "itq", 16, seed=2)
    >>> cell.name, cell.config.bits, cell.result()
    ('itq-16bits-seed2', 16, None)
    """

    system: System
    config: TrainingConfig
    folder: pathlib.Path

    @classmethod
    def of(cls, out, base, method, bits, seed):
        """Returns a cell of a table.

        Args:
            out: Str or path of the table's folder.
            base: `TrainingConfig`, all settings that the cells share.
            method: Str, of `SYSTEMS`.
            bits: Int.
            seed: Int.
        """
        system = SYSTEMS[method]
        settings = {"bits": bits, "seed": seed}
        if system.shallow is None:
            settings.update(_settled(base, method))
        config = dataclasses.replace(base, **settings)
        folder = pathlib.Path(out, "cells", f"{method}-{bits}bits-seed{seed}")
        return cls(system, config, folder)

    @property
    def name(self):
        """Str, by which the cell is told."""
        return self.folder.name

    @property
    def path(self):
        """`pathlib.Path` of the result."""
        return self.folder / "cell.json"

    def settings(self):
        """Returns all settings that the result depends on, a dict."""
        settings = self.config.as_dict()
        if self.system.shallow is not None:
            names = (*self.config.data_source(), *OF_FEATURES)
            settings = {name: settings[name] for name in names}
        return settings

    def result(self):
        """Returns the `Result`, or None if the cell is not finished.

        Raises:
            ValueError: If it was finished with other settings.
        """
        try:
            values = json.loads(self.path.read_text("utf-8"))
            there = TrainingConfig.from_dict(values["settings"]).as_dict()
            result = Result.from_dict(values)
        except (OSError, ValueError, KeyError, TypeError):
            # Not there, damaged, or of another version: to be done anew.
            return None
        differing = [
            f"{name}={value!r} instead of {there[name]!r}"
            for name, value in self.settings().items()
            if value != there[name]
        ]
        if differing:
            raise ValueError(
                f"{self.folder} was measured with other settings; go on with"
                " those, or name another folder."
                f" Received: {', '.join(differing)}"
            )
        return result

    def finish(self, result):
        """Writes the `Result`."""
        write_json(
            self.path,
            {
                "method": self.system.name,
                "bits": self.config.bits,
                "seed": self.config.seed,
                "data": self.config.data,
                **result.as_dict(),
                "settings": self.settings(),
            },
        )


def _settled(base, method):
    """Returns the settings of a deep system that are not those of all.

    What a method leaves no choice of is for HashNet alone.
    """
    defaults = {field.name: field.default for field in dataclasses.fields(base)}
    names = VARIANTS.get(method, (*HASHNETS_OWN, "beta"))
    settled = {name: defaults[name] for name in names}
    if "beta" in settled:
        # It is for a beta that rises.
        settled["patience"] = None
    return {**settled, "method": method}
