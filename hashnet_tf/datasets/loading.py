"""Data sets by one word."""

import dataclasses

import numpy as np
from absl import logging

from hashnet_tf.datasets.held_out import (
    hold_out_classes,
    hold_out_queries,
    narrowed,
)
from hashnet_tf.datasets.pairs import draw_asking, pairs_within, partner_labels
from hashnet_tf.datasets.protocol import Protocol, protocols
from hashnet_tf.datasets.retrieval_dataset import RetrievalDataset
from hashnet_tf.datasets.sources.pairs import read_pairs
from hashnet_tf.datasets.sources.pool import Pool
from hashnet_tf.datasets.sources.reading import (
    SOURCES,
    read_pool,
    unknown_word,
)
from hashnet_tf.datasets.splits import draw_parts
from hashnet_tf.datasets.usual_drawings import (
    unlabelled_drawing,
    usual_drawing,
)

# Of a tenth of the 174 images of a digit little could be measured.
DIGITS_PER_CLASS = {"query": 20, "train": 100}


def load(
    data: str,
    seed: int = 0,
    query_per_class: int | None = None,
    train_per_class: int | None = None,
    validation: int | None = None,
    unseen_classes: int | None = None,
    imbalance: float | None = None,
    held_out: float = 0.0,
    pairs: str | None = None,
) -> RetrievalDataset:
    """Loads the data set that one word names.

    Args:
        data: The name of a protocol, which reads TensorFlow Datasets, or
            "NAME:DIR", which reads the files in DIR; or "digits",
            "folder:DIR", "lists:DIR", "npz:FILE", "pairs:FILE", "tfds:NAME" or
            "vectors:FILE".
        seed: Int, draws what the source does not say.
        query_per_class: Int, how many queries to draw of each class; None
            leaves it to the source. A protocol or lists say it themselves.
        train_per_class: Int, how many training images to draw of each class;
            None takes all but `held_out`.
        validation: Int, how many training images ask in place of the queries,
            or None for the queries themselves; as
            `hashnet_tf.datasets.hold_out_queries`.
        unseen_classes: Int, how many classes to ask and to find, which are
            not trained on then, or None for all; as
            `hashnet_tf.datasets.hold_out_classes`.
        imbalance: Number, the |S0| / |S1| that the training images shall
            have, or None for what they have; as
            `hashnet_tf.datasets.imbalanced`.
        held_out: Float from 0 to below 1, the share of each class of the
            database that is not trained on, where the images to train on are
            drawn and `train_per_class` is None: what is found among it tells
            what new images get.
        pairs: Str, a file of pairs of its images by their names
            (`hashnet_tf.datasets.sources.pairs.read_pairs`), to train by in
            place of labels; of a source that draws its parts. None: labels, or
            the pairs that "pairs:FILE" has itself. Without labels some of the
            items that a pair names first ask for what was given as similar to
            them, and no pair that names one of them is trained by.

    Returns:
        `RetrievalDataset`. What its `notes` say is logged as warnings.

    Raises:
        ValueError: If `data` names no source, or the source is not there or
            not as its loader needs it.

    Example:

    >>> import hashnet_tf as hn
    >>> dataset = hn.datasets.load("digits")
    >>> len(dataset.train), len(dataset.query), len(dataset.database)
    (1000, 200, 1597)
    """
    if type(seed) is not int or seed < 0:
        raise ValueError(
            f"`seed` must be an int of at least 0. Received: seed={seed!r}"
        )
    kind, _, place = data.partition(":")
    source = SOURCES.get(kind)
    if source is not None and not source.is_word:
        source = None
    # The files of all protocols are not read for what none of them describes.
    protocol = protocols().get(kind) if source is None else None
    if protocol is None and source is None:
        raise ValueError(unknown_word(data))
    per_class = {"query": query_per_class, "train": train_per_class}
    if source is None or source.has_parts:
        _refuse_numbers(kind, per_class)
    if source is not None and source.has_parts:
        dataset = source.read(place)
    elif protocol is not None:
        dataset = _by_protocol(data, protocol, place, seed)
    else:
        dataset = _by_numbers(data, kind, per_class, seed, held_out, pairs)
    if pairs is not None and dataset.pairs is None:
        raise ValueError(
            "`pairs` are of a source that draws its parts: folder, npz, tfds or"
            f" vectors. Received: data={data!r}, pairs={pairs!r}"
        )
    by_labels = {
        "validation": validation,
        "unseen_classes": unseen_classes,
        "imbalance": imbalance,
    }
    given = {n: value for n, value in by_labels.items() if value is not None}
    if given and dataset.pairs is not None:
        raise ValueError(
            f"{', '.join(given)} are drawn by labels, and not where pairs are"
            f" trained by. Received: data={data!r}, pairs={pairs!r}"
        )
    if given and not dataset.is_labelled:
        raise ValueError(
            f"{', '.join(given)} are drawn by labels. Received: {data} without"
            f" labels ({'; '.join(dataset.notes)})"
        )
    if validation is not None:
        dataset = hold_out_queries(dataset, validation, seed)
    if unseen_classes is not None:
        dataset = hold_out_classes(dataset, unseen_classes, seed)
    if imbalance is not None:
        # Here, for it counts pairs as the losses do, which need Keras.
        from hashnet_tf.datasets.imbalance import imbalanced

        dataset = imbalanced(dataset, imbalance, seed)
    for note in dataset.notes:
        logging.warning("%s: %s", dataset.name, note)
    return dataset


def _refuse_numbers(kind: str, per_class: dict[str, int | None]) -> None:
    if any(number is not None for number in per_class.values()):
        raise ValueError(
            "A protocol, and lists, say themselves which images the parts"
            f" hold: nothing can be drawn a class. Received: {kind} with"
            f" query_per_class={per_class['query']},"
            f" train_per_class={per_class['train']}"
        )


def _by_numbers(
    data: str,
    kind: str,
    per_class: dict[str, int | None],
    seed: int,
    held_out: float,
    pairs: str | None,
) -> RetrievalDataset:
    if kind == "digits":
        per_class = {
            part: DIGITS_PER_CLASS[part] if number is None else number
            for part, number in per_class.items()
        }
    pool = read_pool(data)
    if pairs is not None:
        pool = _with_pairs(data, pool, pairs)
    if not pool.images.is_labelled and pool.pairs is not None:
        return _by_pairs(data, pool, per_class, seed)
    if not pool.images.is_labelled:
        return _unlabelled(data, pool, per_class, seed)
    labels = pool.images.labels
    drawing = usual_drawing(
        labels,
        pool.in_test is not None,
        per_class["query"],
        per_class["train"],
        held_out,
    )
    parts = draw_parts(labels, pool.in_test, drawing, seed, pool.class_names)
    protocol = drawing.text(seed)
    if pool.pairs is None:
        return pool.parts(data, protocol, *parts)
    trained = pairs_within(pool.pairs, parts[0])
    protocol += (
        f" {len(trained):,} of {len(pool.pairs):,} pairs are of training"
        " images, and trained by."
    )
    return pool.parts(data, protocol, *parts, pairs=trained)


def _with_pairs(data: str, pool: Pool, pairs: str) -> Pool:
    if pool.pairs is not None:
        raise ValueError(
            f"Pairs are given once. Received: data={data!r}, pairs={pairs!r}"
        )
    given = read_pairs(pairs, pool.images.names)
    return dataclasses.replace(
        pool, pairs=given.rows, notes=(*pool.notes, *given.notes)
    )


def _by_pairs(
    data: str, pool: Pool, per_class: dict[str, int | None], seed: int
) -> RetrievalDataset:
    _refuse_per_class(data, per_class)
    pairs = pool.pairs
    assert pairs is not None, "whoever calls has looked"
    asking = draw_asking(pairs, seed)
    others = np.setdiff1d(np.arange(len(pool.images)), asking)
    by_others = pairs_within(pairs, others)
    # What no pair names any more is found all the same.
    named = np.unique(by_others[:, :2])
    trained = pairs_within(by_others, named)
    if (trained[:, 2] > 0).sum() < 2:
        raise ValueError(
            "Two pairs of similar items are needed besides those of the items"
            f" that ask. Received: {data} with {len(pairs)} pairs"
        )
    labels = partner_labels(pairs, asking, len(pool.images))
    labelled = pool.images.relabelled(labels)
    return RetrievalDataset(
        name=data,
        protocol=f"Queries: {len(asking):,} of the items that a pair names"
        " first, for what was given as similar to them; database: the rest;"
        " trained by the"
        f" {len(trained):,} of {len(pairs):,} pairs that name no query; seed"
        f" {seed}.",
        train=pool.images.subset(others[named]),
        query=labelled.subset(asking),
        database=labelled.subset(others),
        remarks=pool.notes,
        account=pool.account,
        pairs=trained,
    )


def _refuse_per_class(data: str, per_class: dict[str, int | None]) -> None:
    if any(number is not None for number in per_class.values()):
        raise ValueError(
            f"Without labels nothing is drawn a class. Received: {data} with"
            f" query_per_class={per_class['query']},"
            f" train_per_class={per_class['train']}"
        )


def _unlabelled(
    data: str, pool: Pool, per_class: dict[str, int | None], seed: int
) -> RetrievalDataset:
    _refuse_per_class(data, per_class)
    count = len(pool.images)
    drawing = unlabelled_drawing(count, pool.in_test is not None)
    nothing = np.full(count, -1)
    parts = draw_parts(nothing, pool.in_test, drawing, seed)
    return pool.parts(data, drawing.text(seed), *parts)


def _by_protocol(
    data: str, protocol: Protocol, place: str, seed: int
) -> RetrievalDataset:
    settings = {"expected": protocol.expected, "overlaps": protocol.overlaps}
    text = protocol.text(seed)
    if protocol.drawing is None:
        if not place:
            raise ValueError(
                f"{data} cannot be read: It needs :DIR, the folder of its lists"
                f" and images. {protocol.where()} Received: {data}"
            )
        dataset = SOURCES["lists"].read(place)
        at = _ranks(protocol, len(dataset.database))
        return dataclasses.replace(
            dataset, name=data, protocol=text, at=at, **settings
        )
    pool = read_pool(data)
    try:
        pool = narrowed(pool, protocol.drawing, seed)
        parts = draw_parts(
            pool.images.labels,
            pool.in_test,
            protocol.drawing,
            seed,
            pool.class_names,
        )
    except ValueError as error:
        raise ValueError(f"{data}: {error}") from error
    at = _ranks(protocol, len(parts[2]))
    return pool.parts(data, text, *parts, at=at, **settings)


def _ranks(protocol: Protocol, database: int) -> int:
    return min(protocol.at or database, database)
