"""The data set of a run, held to what it was when the run began."""

import dataclasses
import hashlib

import numpy as np

from hashnet_tf.datasets import decodable, load

PARTS = ("train", "query", "database")


def run_data(run, config, loaded=None):
    """Loads the data set of a run, less the files that are no images.

    The first time all parts are looked through for files that cannot be
    decoded, so that a bad one is found before the hours of a training and not
    after them. From then on the source must give the same images and labels:
    the split is drawn anew each time, and after a change images that were
    trained on would be among the queries.

    Args:
        run: `RunDirectory`; nothing is written to it.
        config: `TrainingConfig`.
        loaded: What this gave for another run on the same data, which is taken
            as it is unless this run began with other data; None to load them.

    Returns:
        `(dataset, record)`: the `RetrievalDataset`, and what belongs into
        `data.json`, a dict from each part's name to a dict of `digest`, of
        its names and labels, and `undecodable`, the names that are left out.

    Raises:
        ValueError: If the source is not as its loader needs it, a file is no
            image and `config.skip_undecodable` is not set, or the source has
            changed since the run began.

    Example:

    >>> import hashnet_tf as hn
    >>> config = hn.runs.TrainingConfig(data="digits")
    >>> run = hn.runs.RunDirectory("runs/new")
    >>> dataset, record = hn.runs.run_data(run, config)
    >>> len(dataset.query), record["query"]["undecodable"]
    (200, [])
    """
    record = run.data_record()
    if loaded is not None and record in (None, loaded[1]):
        return loaded
    dataset = load(**config.data_source())
    if record is None:
        record = {
            part: _record(getattr(dataset, part), config.skip_undecodable)
            for part in PARTS
        }
    changed = [
        part
        for part in PARTS
        if _digest(getattr(dataset, part)) != record[part]["digest"]
    ]
    if changed:
        raise ValueError(
            "The data of a run must stay as they were when it began: with"
            " others, images that were trained on may be asked with. Received:"
            f" {dataset.name} with other names or labels in"
            f" {', '.join(changed)}"
        )
    kept = {
        part: _without(getattr(dataset, part), record[part]["undecodable"])
        for part in PARTS
        if record[part]["undecodable"]
    }
    # As it is where it can be: its notes have been looked for already.
    if kept:
        dataset = dataclasses.replace(dataset, **kept)
    return dataset, record


def _record(images, skip_undecodable):
    kept, _ = decodable(images, skip_undecodable)
    kept = set(kept.names)
    return {
        "digest": _digest(images),
        "undecodable": [name for name in images.names if name not in kept],
    }


def _digest(images):
    digest = hashlib.sha256("\0".join(images.names).encode())
    digest.update(repr(images.labels.shape).encode())
    digest.update(np.ascontiguousarray(images.labels))
    return digest.hexdigest()


def _without(images, names):
    names = set(names)
    left = [i for i, name in enumerate(images.names) if name not in names]
    return images.subset(np.array(left))
