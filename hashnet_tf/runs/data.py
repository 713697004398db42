"""The data set of a run, held to what it was when the run began."""

import dataclasses
import hashlib
import typing

import numpy as np

from hashnet_tf.datasets import ImageSet, RetrievalDataset, load
from hashnet_tf.datasets.pairs import pairs_within
from hashnet_tf.datasets.pixels.undecodable import (
    refusals,
    refuse_undecodable,
)
from hashnet_tf.datasets.retrieval_dataset import PARTS
from hashnet_tf.datasets.sources.reading import check_place
from hashnet_tf.runs.config import TrainingConfig
from hashnet_tf.runs.folder import read_record

if typing.TYPE_CHECKING:
    from hashnet_tf.runs.run import Run

# Of each part: `digest`, of its names and labels, and `undecodable`, the names
# that are left out. Where folders were walked, "files" besides: the account.
Record = dict[str, dict[str, typing.Any]]


class RunData(typing.NamedTuple):
    """The loaded data of a run.

    Attributes:
        dataset: `RetrievalDataset`, without what is left out.
        record: What belongs into `data.json`: a dict from each part's name to
            a dict of `digest` and `undecodable`, and from "files" to what
            became of all files that were met, where folders were walked.
    """

    dataset: RetrievalDataset
    record: Record


def run_data(
    run: "Run", config: TrainingConfig, loaded: RunData | None = None
) -> RunData:
    """Loads the data set of a run, less the files that are no images.

    With `config.skip_undecodable`, the first time each image is decoded once to
    find what is to be left out. Without it nothing is decoded here: a file that
    is no image is named where it is read.

    After the first time the source must give the same images and labels: the
    split is drawn anew each time, and after a change images that were trained
    on would be among the queries.

    Args:
        run: `Run`; nothing is written to it.
        config: `TrainingConfig`.
        loaded: What this gave for another run on the same data, which is taken
            as it is unless this run began with other data; None to load them.

    Returns:
        `RunData`.

    Raises:
        ValueError: If the source is not as its loader needs it, all images of
            a part are to be left out, or the source has changed since the run
            began.

    Example:

    >>> import hashnet_tf as hn
    >>> from hashnet_tf.runs.data import run_data
    >>> config = hn.runs.TrainingConfig(data="digits")
    >>> dataset, record = run_data(hn.runs.Run("runs/new"), config)
    >>> len(dataset.query), record["query"]["undecodable"]
    (200, [])
    """
    record = read_record(run)
    if loaded is not None and record in (None, loaded.record):
        return loaded
    if record is not None:
        try:
            check_place(config.data)
        except ValueError as error:
            raise ValueError(
                f"{error}. If the data of the run have moved, --data_at"
                " (`Run(data_at=)`) tells where they are now"
            ) from error
    dataset = load(**config.data_source())
    digests = {part: _digest(getattr(dataset, part)) for part in PARTS}
    if dataset.pairs is not None:
        of_pairs = hashlib.sha256(digests["train"].encode())
        of_pairs.update(dataset.pairs.astype("<i8").data)
        digests["train"] = of_pairs.hexdigest()
    refused: dict[str, str] = {}
    is_new = record is None
    if record is None:
        skipped = _undecodable(dataset) if config.skip_undecodable else {}
        record = {
            part: {
                "digest": digests[part],
                "undecodable": list(skipped.get(part, {})),
            }
            for part in PARTS
        }
        for of_part in skipped.values():
            refused.update(of_part)
    elif "files" in record:
        refused = record["files"]["refused"]
    changed = [
        part for part in PARTS if digests[part] != record[part]["digest"]
    ]
    if changed:
        raise ValueError(
            "The data of a run must stay as they were when it began: with"
            " others, images that were trained on may be asked with. Received:"
            f" {dataset.name} with other names or labels in"
            f" {', '.join(changed)}"
        )
    kept: dict[str, typing.Any] = {
        part: _without(getattr(dataset, part), record[part]["undecodable"])
        for part in PARTS
        if record[part]["undecodable"]
    }
    if "train" in kept and dataset.pairs is not None:
        left = set(kept["train"].names)
        places = [i for i, n in enumerate(dataset.train.names) if n in left]
        kept["pairs"] = pairs_within(dataset.pairs, places)
    if dataset.account is not None and refused:
        kept["account"] = dataset.account.refusing(refused)
    # As it is where it can be: its notes have been looked for already.
    if kept:
        dataset = dataclasses.replace(dataset, **kept)
    if is_new and dataset.files is not None:
        record["files"] = dataset.files.as_dict()
    return RunData(dataset, record)


def _undecodable(dataset: RetrievalDataset) -> dict[str, dict[str, str]]:
    """Returns what each part leaves out, and why; decodes an image once."""
    reasons: dict[str, str | None] = {}
    found = {}
    for part in PARTS:
        images = getattr(dataset, part)
        identities = images.identities()
        new = {n: i for i, n in enumerate(identities) if n not in reasons}
        places = np.array(sorted(new.values()), np.int64)
        refused = refusals(images.subset(places)) if len(places) else {}
        for row, place in enumerate(places):
            reasons[identities[place]] = refused.get(row)
        wrong = {}
        for i, name in enumerate(identities):
            if (reason := reasons[name]) is not None:
                wrong[i] = reason
        if len(wrong) == len(images):
            refuse_undecodable(images, wrong)
        found[part] = {images.names[i]: why for i, why in wrong.items()}
    return found


def _digest(images: ImageSet) -> str:
    digest = hashlib.sha256("\0".join(images.names).encode())
    if not images.is_labelled:
        return digest.hexdigest()
    digest.update(repr(images.labels.shape).encode())
    digest.update(np.ascontiguousarray(images.labels).data)
    return digest.hexdigest()


def _without(images: ImageSet, names: list[str]) -> ImageSet:
    left_out = set(names)
    left = [i for i, name in enumerate(images.names) if name not in left_out]
    return images.subset(np.array(left))
