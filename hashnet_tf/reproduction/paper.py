"""What the paper compared, printed and drew."""

import collections.abc
import csv
import functools
import importlib.resources

from hashnet_tf.methods import METHODS, Method
from hashnet_tf.runs.config import TrainingConfig

# The protocols that follow the paper's section 4.1, by its name of the data.
DATASETS = {
    "imagenet100": "ImageNet",
    "imagenet100-130": "ImageNet",
    "imagenet100-lists": "ImageNet",
    "nuswide81": "NUS-WIDE",
    "nuswide81-lists": "NUS-WIDE",
    "coco": "MS COCO",
    "coco-lists": "MS COCO",
}

# The rows of the paper's tables, in its order.
TABLES = {
    1: (
        "hashnet",
        "dhn",
        "dnnh",
        "cnnh",
        "sdh",
        "ksh",
        "itq-cca",
        "itq",
        "bre",
        "sh",
        "lsh",
    ),
    2: ("hashnet", "dhn"),
    3: ("hashnet+c", "hashnet", "hashnet-w", "hashnet-sgn"),
}


def paper_dataset(config: TrainingConfig) -> str | None:
    """Returns the paper's name of a data set, or None if it is not the paper's.

    Args:
        config: `TrainingConfig`; with `imbalance` or `validation` the images
            are others than the paper's.

    Example:

    >>> from hashnet_tf.reproduction.paper import paper_dataset
    >>> from hashnet_tf.runs.config import TrainingConfig
    >>> paper_dataset(TrainingConfig(data="coco:photos"))
    'MS COCO'
    """
    if config.imbalance is not None or config.validation is not None:
        return None
    return DATASETS.get(config.data.partition(":")[0])


def chosen_methods(
    table: int, names: collections.abc.Sequence[str] | None = None
) -> list[Method]:
    """Returns the methods of a table, or those of given names.

    Args:
        table: 1, 2 or 3, of the paper.
        names: List of str, of `hashnet_tf.methods.METHODS`, or None for those
            of the table.

    Returns:
        List of `hashnet_tf.methods.Method`, each once.

    Raises:
        ValueError: If there is no such table or method, or no name at all.

    Example:

    >>> from hashnet_tf.reproduction.paper import chosen_methods
    >>> [method.title for method in chosen_methods(2)]
    ['HashNet', 'DHN']
    """
    if table not in TABLES:
        raise ValueError(
            f"`table` must be one of {', '.join(map(str, TABLES))}."
            f" Received: table={table}"
        )
    names = TABLES[table] if names is None else names
    unknown = [name for name in names if name not in METHODS]
    if unknown or not names:
        raise ValueError(
            f"`methods` must be some of {', '.join(METHODS)}."
            f" Received: {', '.join(unknown) or 'none'}"
        )
    return [METHODS[name] for name in dict.fromkeys(names)]


def paper_map(
    table: int, dataset: str | None, method: str, bits: int
) -> float | None:
    """Returns a MAP of Tables 1 to 3, or None where the paper has none.

    Args:
        table: 1, 2 or 3.
        dataset: Str as `paper_dataset` gives it, or None.
        method: Str, of `hashnet_tf.methods.METHODS`.
        bits: Int.

    Example:

    >>> from hashnet_tf.reproduction.paper import paper_map
    >>> paper_map(1, "ImageNet", "hashnet", 64)
    0.6835
    """
    return _maps().get((str(table), str(dataset), method, str(bits)))


def paper_curve(measure: str, dataset: str | None) -> dict[float, float] | None:
    """Returns HashNet's curve of Figures 2 to 4, or None where there is none.

    Read off the figures of the paper, to within 0.002. Those of its rivals are
    not kept: some of them are others of them, shifted.

    Args:
        measure: "precision_radius2" over bits, or, at 64 bits,
            "precision_at_recall" over recall or "precision_at" over N.
        dataset: Str as `paper_dataset` gives it, or None.

    Returns:
        Dict from x to precision.

    Example:

    >>> from hashnet_tf.reproduction.paper import paper_curve
    >>> paper_curve("precision_radius2", "MS COCO")
    {16: 0.687, 32: 0.688, 48: 0.538, 64: 0.513}
    """
    number = float if measure == "precision_at_recall" else int
    curve = {
        number(row["x"]): float(row["value"])
        for row in _rows("figures.csv")
        if (row["measure"], row["dataset"]) == (measure, dataset)
    }
    return curve or None


@functools.cache
def _maps() -> dict[tuple[str, ...], float]:
    key = ("table", "dataset", "method", "bits")
    return {
        tuple(row[name] for name in key): float(row["map"])
        for row in _rows("tables.csv")
    }


@functools.cache
def _rows(name: str) -> list[dict[str, str]]:
    folder = importlib.resources.files("hashnet_tf.reproduction") / "published"
    text = (folder / name).read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))
