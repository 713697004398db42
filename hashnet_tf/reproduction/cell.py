"""One method at one length of the codes, by one seed."""

import collections.abc
import dataclasses
import json
import os
import pathlib
import typing

from hashnet_tf._files import read_back, write_json
from hashnet_tf.methods import LIKELIHOODS, METHODS, Method
from hashnet_tf.retrieval import RetrievalReport
from hashnet_tf.runs.config import TrainingConfig
from hashnet_tf.runs.folder import saved_config

# All that the codes of a shallow method depend on, beside the data.
OF_FEATURES = (
    "bits",
    "backbone",
    "weights",
    "image_size",
    "framing",
    "skip_undecodable",
)


@dataclasses.dataclass(frozen=True)
class Result:
    """What one method retrieves, and what that took.

    Attributes:
        protocol: Str, how the parts were drawn.
        images: Dict from each part's name to its number of images.
        features: Str, what the codes were made of.
        report: `RetrievalReport`.
        seconds: Float, wall time of training, encoding and measuring, without
            the start of the process and without the features of a frozen
            backbone, which cells share; None where the cell was begun by a
            process that was killed.
        peak_memory_mb: Float, of the process while it was made, in 10^6 bytes
            of main memory; what libraries take is in it, and what cells before
            it in the process left, what a GPU holds is not. Where the system
            is not Linux, since the process began.
        training: Dict of the last epoch's `J`, `L` and `gap`
            (`hashnet_tf.callbacks.ContinuationMonitor`) of a deep method, or
            None of a shallow one.
        bytes_per_item: Int, what the database keeps of an item, or None in
            what was written before that was told: a code of the cell's bits.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.reproduction import Result
    >>> from hashnet_tf.retrieval import evaluate
    >>> codes = np.zeros((2, 1), "uint8")
    >>> report = evaluate(codes, codes, [0, 1], [0, 1])
    >>> result = Result("by hand", {}, "none", report, 0.5, 100.0)
    >>> Result.from_dict(result.as_dict()) == result
    True
    """

    protocol: str
    images: dict[str, int]
    features: str
    report: RetrievalReport
    seconds: float | None
    peak_memory_mb: float
    training: dict[str, float] | None = None
    bytes_per_item: int | None = None

    def as_dict(self) -> dict[str, typing.Any]:
        """Returns the result as plain Python values, ready for JSON."""
        fields = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
        }
        return {**fields, "report": self.report.as_dict()}

    @classmethod
    def from_dict(cls, values: dict[str, typing.Any]) -> "Result":
        """Returns the result that `as_dict` gave, before or after JSON.

        Raises:
            ValueError: If it lacks what this version measures.
        """
        # One written before these were told is as good.
        values = {"bytes_per_item": None, "training": None, **values}
        names = [field.name for field in dataclasses.fields(cls)]
        if missing := [name for name in names if name not in values]:
            raise ValueError(
                "A result must hold all that is measured."
                f" Received: one without {', '.join(missing)}"
            )
        fields = {name: values[name] for name in names}
        report = RetrievalReport.from_dict(fields["report"])
        return cls(**{**fields, "report": report})


@dataclasses.dataclass(frozen=True)
class Cell:
    """A folder for what one method does at one length and by one seed.

    Where the whole network is trained, it is a run directory too. `cell.json`,
    which is written last, tells that it is finished.

    Attributes:
        method: `hashnet_tf.methods.Method`.
        config: `TrainingConfig`; a shallow method takes from it the data, the
            bits, and the backbone that makes its features.
        folder: `pathlib.Path`.

    Example:

    >>> from hashnet_tf.reproduction import Cell
    >>> from hashnet_tf.runs import TrainingConfig
    >>> cell = Cell.of("out", TrainingConfig(data="digits"), "itq", 16, seed=2)
    >>> cell.name, cell.config.bits, cell.result()
    ('itq-16bits-seed2', 16, None)
    """

    method: Method
    config: TrainingConfig
    folder: pathlib.Path

    @classmethod
    def of(
        cls,
        out: str | os.PathLike[str],
        base: TrainingConfig,
        method: str,
        bits: int,
        seed: int,
        settings: collections.abc.Mapping[str, typing.Any] | None = None,
    ) -> "Cell":
        """Returns a cell of a table.

        Args:
            out: Str or path of the table's folder.
            base: `TrainingConfig`, all settings that the cells share.
            method: Str, of `hashnet_tf.methods.METHODS`.
            bits: Int.
            seed: Int.
            settings: Mapping of settings that the method has in place of those
                of all, such as `hashnet_tf.reproduction.choose` gives.
        """
        chosen = METHODS[method]
        changes: dict[str, typing.Any] = {"bits": bits, "seed": seed}
        if chosen.is_deep:
            changes.update(_settled(base, chosen), **(settings or {}))
            if {**changes, **chosen.fixes}.get("beta") == 1:
                # It is for a beta that rises.
                changes["patience"] = None
        config = dataclasses.replace(base, **changes)
        name = f"{method}-{bits}bits-seed{seed}"
        if base.unseen_classes is not None:
            # Beside those of the classes that are trained on.
            name += f"-unseen{base.unseen_classes}"
        return cls(chosen, config, pathlib.Path(out, "cells", name))

    @property
    def name(self) -> str:
        """Str, by which the cell is told."""
        return self.folder.name

    @property
    def path(self) -> pathlib.Path:
        """`pathlib.Path` of the result."""
        return self.folder / "cell.json"

    @property
    def on_features(self) -> bool:
        """Whether no whole network is trained for it."""
        return not self.method.is_deep or self.config.freeze_backbone

    def settings(self) -> dict[str, typing.Any]:
        """Returns all settings that the result depends on, a dict."""
        settings = self.config.as_dict()
        if not self.method.is_deep:
            names = (*self.config.data_source(), *OF_FEATURES)
            settings = {name: settings[name] for name in names}
        return settings

    def result(self) -> Result | None:
        """Returns the `Result`, or None if the cell is not finished.

        Raises:
            ValueError: If it was finished with other settings.
        """
        try:
            with read_back(self.path, "it is measured anew"):
                values = json.loads(self.path.read_text("utf-8"))
            there = saved_config(values["settings"]).as_dict()
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

    def finish(self, result: Result) -> None:
        """Writes the `Result`."""
        write_json(
            self.path,
            {
                "method": self.method.name,
                "bits": self.config.bits,
                "seed": self.config.seed,
                "data": self.config.data,
                **result.as_dict(),
                "settings": self.settings(),
            },
            seal=True,
        )


def _settled(base: TrainingConfig, method: Method) -> dict[str, typing.Any]:
    """Returns the settings of a deep method that are not those of all.

    What it settles itself, or does not read, is at the default. So is what the
    base has of its own method, with the arguments of a likelihood among that.
    """
    defaults = {field.name: field.default for field in dataclasses.fields(base)}
    fixed = METHODS[base.method].fixes
    names = {*method.unread, *method.fixes, *fixed}
    if "likelihood" in fixed and "likelihood" not in method.fixes:
        names.update(LIKELIHOODS[base.likelihood].takes)
    settled = {name: defaults[name] for name in names}
    return {**settled, "method": method.name}
