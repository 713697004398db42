"""Data sets by one word."""

from absl import logging

from hashnet_tf.datasets.digits import load_digits_dataset
from hashnet_tf.datasets.folder import load_folder
from hashnet_tf.datasets.lists import load_lists
from hashnet_tf.datasets.npz import load_npz


def _load_tfds(place, **options):
    # Its import takes seconds, which only who asks for it should wait.
    from hashnet_tf.datasets.tfds import load_tfds

    return load_tfds(place, **options)


SOURCES = {
    "digits": load_digits_dataset,
    "folder": load_folder,
    "lists": load_lists,
    "npz": load_npz,
    "tfds": _load_tfds,
}


def load(data, seed=0, query_per_class=None, train_per_class=None):
    """Loads the data set that one word names.

    Args:
        data: "digits", "folder:DIR", "lists:DIR", "npz:FILE" or "tfds:NAME".
        seed: Int, draws queries and training images where the source does
            not say which they are.
        query_per_class: Int, how many queries to draw of each class; None
            leaves it to the source.
        train_per_class: Int, how many training images to draw of each class;
            None takes all.

    Returns:
        `RetrievalDataset`. What its `notes` say is logged as warnings.

    Raises:
        ValueError: If `data` names no source, or the source is not as its
            loader needs it.

    Example:

    >>> import hashnet_tf as hn
    >>> dataset = hn.datasets.load("digits")
    >>> len(dataset.train), len(dataset.query), len(dataset.database)
    (1000, 200, 1597)
    """
    kind, _, place = data.partition(":")
    if kind not in SOURCES:
        raise ValueError(
            "`data` must be digits, folder:DIR, lists:DIR, npz:FILE or"
            f" tfds:NAME. Received: data={data!r}"
        )
    dataset = SOURCES[kind](
        place,
        seed=seed,
        query_per_class=query_per_class,
        train_per_class=train_per_class,
    )
    for note in dataset.notes:
        logging.warning("%s: %s", dataset.name, note)
    return dataset
