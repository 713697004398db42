"""Any image classification set of TensorFlow Datasets."""

import numpy as np
import tensorflow_datasets as tfds
from tensorflow_datasets.core import read_only_builder

from hashnet_tf.datasets.pool import Pool
from hashnet_tf.datasets.tfds_images import TfdsImages, read_split

FEATURES = {
    "image": tfds.features.Image,
    "label": tfds.features.ClassLabel,
}


def read_tfds(place):
    """Reads a prepared data set of TensorFlow Datasets ("tfds:NAME").

    NAME must have the features `image` and `label`. Queries come from its
    "test" split, else its "validation" split, else from "train"; a split
    without a label counts as not there. Nothing is downloaded here: without a
    network TFDS would retry for minutes.

    Args:
        place: Str, NAME, with a config after a slash if it has some.

    Returns:
        `Pool`.

    Raises:
        ValueError: If NAME is not prepared in a data folder of TFDS, or has
            not these features or no "train" split.
    """
    builder = _builder(place)
    labels, in_test, parts = _labels(builder)
    return Pool(
        TfdsImages(builder, parts, labels),
        in_test,
        builder.info.features["label"].names,
    )


def _builder(place):
    try:
        # Not `tfds.builder`, which runs the set's own code, and by its version
        # and the name given asks the network about what is not here.
        builder = read_only_builder.builder_from_files(place)
    except (ValueError, AssertionError) as error:
        raise ValueError(
            "TensorFlow Datasets has no prepared set of this name in"
            " ~/tensorflow_datasets or where TFDS_DATA_DIR says. Copy one"
            ' there or, where there is a network, run `python -c "import'
            f" tensorflow_datasets as tfds; tfds.builder('{place}')"
            f'.download_and_prepare()"`. Received: tfds:{place}'
        ) from error
    features, splits = builder.info.features, builder.info.splits
    if "train" not in splits or not all(
        name in features and isinstance(features[name], kind)
        for name, kind in FEATURES.items()
    ):
        raise ValueError(
            f"tfds:{place} needs a train split and the features image and"
            f" label, an Image and a ClassLabel. Received: {list(splits)},"
            f" {features}"
        )
    return builder


def _labels(builder):
    """Returns `(labels, in_test, parts)`, as `split` and `TfdsImages` need."""
    labels = _labels_of(builder, "train")
    for name in ("test", "validation"):
        if name in builder.info.splits:
            more = _labels_of(builder, name)
            # The test labels of a contest may be kept secret, as -1.
            if (more >= 0).any():
                in_test = np.arange(len(labels) + len(more)) >= len(labels)
                return np.concatenate([labels, more]), in_test, f"train+{name}"
    return labels, None, "train"


def _labels_of(builder, part):
    rows = read_split(builder, part).map(lambda row: row["label"])
    return np.fromiter(rows.as_numpy_iterator(), dtype=np.int32)
