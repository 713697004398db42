"""Which settings each method has, chosen on images apart from the queries."""

import collections.abc
import dataclasses
import json
import pathlib
import typing

from hashnet_tf._files import read_back, write_json
from hashnet_tf._output import say
from hashnet_tf.methods import Method
from hashnet_tf.reproduction.cell import Cell, Result
from hashnet_tf.reproduction.processes import make_cells, prepare_seeds
from hashnet_tf.runs.config import TrainingConfig

# Multiples of the learning rate, by which each of the `tries` is trained.
RATES = (1, 3)
# Of the splits and the weights.
SEEDS = (0, 1)
RULE = "mean of MAP and P@H<=2 over the seeds"

Settings = dict[str, typing.Any]


def tries_of(method: Method, learning_rate: float) -> list[Settings]:
    """Returns the settings that are tried of a method.

    Args:
        method: `hashnet_tf.methods.Method`, a deep one.
        learning_rate: Float, that of the settings of all.

    Example:

    >>> from hashnet_tf.methods import METHODS
    >>> from hashnet_tf.reproduction.choice import tries_of
    >>> tries = tries_of(METHODS["csq"], 1e-4)
    >>> len(tries), tries[0]
    (6, {'learning_rate': 0.0001, 'quantization': 0.5})
    """
    return [
        {"learning_rate": float(f"{rate * learning_rate:g}"), **tried}
        for rate in RATES
        for tried in method.tries
    ]


def score(results: collections.abc.Iterable[Result]) -> float:
    """Returns what a setting is chosen by: both measures count alike."""
    both = []
    for result in results:
        within = result.report.precision_radius2
        # Only what ranks by other distances has none.
        assert within is not None
        both.append((result.report.map + within) / 2)
    return sum(both) / len(both)


def choose(
    out: pathlib.Path,
    base: TrainingConfig,
    methods: collections.abc.Iterable[Method],
    bits: int,
    validation: int,
    shared: pathlib.Path,
    features: pathlib.Path | None = None,
) -> dict[str, Settings]:
    """Chooses the settings of each deep method at a length of the codes.

    Training images that are not trained on then ask in place of the queries.
    (Where each seed draws a split of its own, another seed may ask with them.)
    Each method has as many tries, by seeds 0 and 1, and the best is that of the
    highest mean of MAP and P@H<=2; of equals the first. A try that could not
    be trained is the last. Where unseen classes will be asked, the classes that
    are trained on ask here: nothing is chosen by how it finds unseen ones.

    Args:
        out: `pathlib.Path` of a folder: the cells that were tried, and
            `choice.json`, all of them with their figures, those of earlier
            calls too.
        base: `TrainingConfig`, all settings that are not tried.
        methods: `hashnet_tf.methods.Method`s; the shallow ones among them have
            no settings of a training and are passed over.
        bits: Int, the length.
        validation: Int, how many images ask.
        shared: `pathlib.Path` of the folder of what cells share, those of
            other splits too.
        features: `pathlib.Path` of the folder of the features of frozen
            backbones, or None for one in `shared`.

    Returns:
        Dict from the name of a method to its settings, without a method of
        which no try could be trained.

    Raises:
        ValueError: If `base` has its own validation images, others were chosen
            with, or a cell was made with other settings.
    """
    if base.validation is not None:
        raise ValueError(
            "`validation` must be left out of the settings where they are"
            f" chosen. Received: validation={base.validation}"
        )
    base = dataclasses.replace(base, validation=validation, unseen_classes=None)
    record = _record(out)
    if record.get("validation", validation) != validation:
        raise ValueError(
            f"{out / 'choice.json'} was made with {record['validation']}"
            f" validation images. Received: validation={validation}"
        )
    cells = {
        (method.name, number, seed): Cell.of(
            out / f"try{number}", base, method.name, bits, seed, tried
        )
        for method in methods
        if method.is_deep
        for number, tried in enumerate(tries_of(method, base.learning_rate))
        for seed in SEEDS
    }
    missing = [cell for cell in cells.values() if cell.result() is None]
    say(
        f"To choose settings at {bits} bits: {len(cells)} cells, of which"
        f" {len(cells) - len(missing)} are finished"
    )
    prepare_seeds(missing, shared, features)
    make_cells(missing, shared, features)
    return _chosen(out, base, bits, cells, record.get("tried", {}))


def _record(out: pathlib.Path) -> dict[str, typing.Any]:
    """Returns what `choice.json` holds, or nothing where it cannot be read."""
    path = out / "choice.json"
    try:
        with read_back(path, "the settings are chosen anew"):
            return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def _chosen(out, base, bits, cells, earlier):
    tried: dict[str, list[Settings]] = {}
    for (name, number, seed), cell in cells.items():
        if seed != SEEDS[0]:
            continue
        results = [cells[name, number, other].result() for other in SEEDS]
        tries = tries_of(cell.method, base.learning_rate)
        one = {"settings": tries[number], "score": None}
        if None not in results:
            reports = [result.report for result in results]
            one["score"] = score(results)
            one["map"] = [report.map for report in reports]
            one["precision_radius2"] = [
                report.precision_radius2 for report in reports
            ]
        tried.setdefault(name, []).append(one)
    chosen = {}
    for name, every in tried.items():
        measured = [one for one in every if one["score"] is not None]
        if measured:
            best = max(measured, key=lambda one: one["score"])
            chosen[name] = best["settings"]
    write_json(
        out / "choice.json",
        {
            "rule": RULE,
            "bits": bits,
            "validation": base.validation,
            "seeds": list(SEEDS),
            "tried": {**earlier, **tried},
        },
        seal=True,
    )
    say(f"Chosen: {json.dumps(chosen)}")
    return chosen
