"""Which settings each method has, chosen on images apart from the queries."""

import collections.abc
import dataclasses
import json
import pathlib
import typing

from hashnet_tf._files import write_json
from hashnet_tf._output import say
from hashnet_tf.methods import Method
from hashnet_tf.reproduction.cell import Cell, Result
from hashnet_tf.reproduction.processes import make_cells, prepare_seeds
from hashnet_tf.runs.config import TrainingConfig

# By which each of the `tries` of a method is trained.
LEARNING_RATES = (1e-4, 3e-4)
# Of the splits and the weights.
SEEDS = (0, 1)
RULE = "mean of MAP and P@H<=2 over the seeds"

Settings = dict[str, typing.Any]


def tries_of(method: Method) -> list[Settings]:
    """Returns the settings that are tried of a method.

    Args:
        method: `hashnet_tf.methods.Method`, a deep one.

    Example:

    >>> from hashnet_tf.methods import METHODS
    >>> from hashnet_tf.reproduction.choice import tries_of
    >>> len(tries_of(METHODS["csq"])), tries_of(METHODS["csq"])[0]
    (6, {'learning_rate': 0.0001, 'quantization': 0.005})
    """
    return [
        {"learning_rate": rate, **tried}
        for rate in LEARNING_RATES
        for tried in method.tries
    ]


def middle(bits: collections.abc.Sequence[int]) -> int:
    """Returns the length at which settings are chosen for all lengths.

    Example:

    >>> from hashnet_tf.reproduction.choice import middle
    >>> middle([16, 32, 48, 64])
    48
    """
    return sorted(bits)[len(bits) // 2]


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
) -> dict[str, Settings]:
    """Chooses the settings of each deep method, as far as it is not chosen.

    Training images that are not trained on ask in place of the queries, whose
    labels are not seen. Each method has as many tries, by seeds 0 and 1, and
    the best is that of the highest mean of MAP and P@H<=2; of equals the
    first.

    Args:
        out: `pathlib.Path` of a folder: the cells that were tried, and
            `choice.json`, all of them with their figures.
        base: `TrainingConfig`, all settings that are not tried.
        methods: `hashnet_tf.methods.Method`s; the shallow ones among them have
            no settings of a training and are passed over.
        bits: Int, the length at which they are compared.
        validation: Int, how many images ask.

    Returns:
        Dict from the name of a method to its settings.

    Raises:
        ValueError: If `base` has its own validation images, or a cell failed
            or was made with other settings.
    """
    if base.validation is not None:
        raise ValueError(
            "`validation` must be left out of the settings where they are"
            f" chosen. Received: validation={base.validation}"
        )
    base = dataclasses.replace(base, validation=validation)
    cells = {
        (method.name, number, seed): Cell.of(
            out / f"try{number}", base, method.name, bits, seed, tried
        )
        for method in methods
        if method.is_deep
        for number, tried in enumerate(tries_of(method))
        for seed in SEEDS
    }
    missing = [cell for cell in cells.values() if cell.result() is None]
    say(
        f"To choose settings: {len(cells)} cells, of which"
        f" {len(cells) - len(missing)} are finished"
    )
    prepare_seeds(missing, out / "shared")
    if failed := make_cells(missing, out / "shared"):
        raise ValueError(
            "Settings can be chosen only when every try is measured."
            f" Received: {'; '.join(failed)}"
        )
    return _chosen(out, bits, validation, cells)


def _chosen(out, bits, validation, cells):
    tried: dict[str, list[Settings]] = {}
    for (name, number, _), cell in cells.items():
        if number < len(tried.setdefault(name, [])):
            continue
        results = [cells[name, number, seed].result() for seed in SEEDS]
        tried[name].append(
            {
                "settings": tries_of(cell.method)[number],
                "score": score(results),
                "map": [result.report.map for result in results],
                "precision_radius2": [
                    result.report.precision_radius2 for result in results
                ],
            }
        )
    chosen = {
        name: max(every, key=lambda one: one["score"])["settings"]
        for name, every in tried.items()
    }
    write_json(
        out / "choice.json",
        {
            "rule": RULE,
            "bits": bits,
            "validation": validation,
            "seeds": list(SEEDS),
            "chosen": chosen,
            "tried": tried,
        },
    )
    say(f"Chosen: {json.dumps(chosen)}")
    return chosen
