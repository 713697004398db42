"""What the paper printed and drew."""

import csv
import functools
import importlib.resources

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


def paper_dataset(config):
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


def paper_map(table, dataset, method, bits):
    """Returns a MAP of Tables 1 to 3, or None where the paper has none.

    Args:
        table: 1, 2 or 3.
        dataset: Str as `paper_dataset` gives it, or None.
        method: Str, of `SYSTEMS`.
        bits: Int.

    Example:

    >>> from hashnet_tf.reproduction.paper import paper_map
    >>> paper_map(1, "ImageNet", "hashnet", 64)
    0.6835
    """
    return _maps().get((str(table), dataset, method, str(bits)))


def paper_curve(measure, dataset):
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
def _maps():
    key = ("table", "dataset", "method", "bits")
    return {
        tuple(row[name] for name in key): float(row["map"])
        for row in _rows("tables.csv")
    }


@functools.cache
def _rows(name):
    folder = importlib.resources.files("hashnet_tf.reproduction") / "published"
    text = (folder / name).read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))
