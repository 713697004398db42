"""Any set of labelled images of TensorFlow Datasets."""

import inspect
import re
import sys
import urllib.parse
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
from tensorflow_datasets.core import read_only_builder

from hashnet_tf.datasets.images.tfds_images import TfdsImages, read_split
from hashnet_tf.datasets.sources.pool import Pool

# Where a set may hold its labels: the first that it has counts.
LABELS = (("label",), ("labels",), ("objects", "label"))


def read_tfds(place: str) -> Pool:
    """Reads a prepared data set of TensorFlow Datasets ("tfds:NAME").

    It must have the feature `image` and one of these: `label`, a ClassLabel;
    `labels`, a Sequence of ClassLabel; `objects`, a Sequence with a ClassLabel
    `label`. The last two become a zero-or-one matrix. Nothing is downloaded.

    Args:
        place: Str, NAME, with a config after a slash if it has some.

    Returns:
        `Pool` of its "train" split and its "test" split, else its
        "validation" split, as the test part; a split without any label counts
        as not there.

    Raises:
        ValueError: If it is not prepared in a data folder of TFDS, or has not
            these features or no "train" split.
    """
    builder = _builder(place)
    path, feature = _label_feature(builder, place)
    parts, labels = ["train"], [_labels(builder, "train", path, feature)]
    in_test = None
    for name in ("test", "validation"):
        if name in builder.info.splits and in_test is None:
            more = _labels(builder, name, path, feature)
            # The test labels of a contest may be kept secret, as -1 or none.
            if not TfdsImages(builder, name, more).unlabelled.all():
                parts.append(name)
                labels.append(more)
                in_test = np.repeat([False, True], [len(of) for of in labels])
    return Pool(
        images=TfdsImages(builder, "+".join(parts), np.concatenate(labels)),
        in_test=in_test,
        class_names=feature.names,
    )


def how_to_prepare(place: str) -> str:
    """Says what a set is, what it takes to get it, and how.

    All of it comes from installed packages: nothing asks the network, where
    TFDS itself would retry for minutes.

    Args:
        place: Str, a name, maybe with a config and a version behind it.

    Returns:
        Str, some sentences. For a name that TFDS does not know they say only
        where sets lie and how one is prepared.

    Example:

    >>> from hashnet_tf.datasets.sources.tfds import how_to_prepare
    >>> "11.6 MB from storage.googleapis.com" in how_to_prepare("mnist")
    True
    """
    name = re.split("[/:]", place)[0]
    builder = _builder_cls(name)
    known = "" if builder is None else _what_it_is(builder)
    code = f"tfds.builder('{place}').download_and_prepare()"
    return (
        f"{known}Copy a prepared one to ~/tensorflow_datasets or where"
        f' TFDS_DATA_DIR says, or run `python -c "import tensorflow_datasets as'
        f' tfds; {code}"`, which needs a network for what is not placed by'
        " hand."
    )


def _builder(place: str) -> tfds.core.DatasetBuilder:
    try:
        # Not `tfds.builder`, which runs the set's own code, and by its version
        # and the name given asks the network about what is not here.
        return read_only_builder.builder_from_files(place)
    except (ValueError, AssertionError) as error:
        raise ValueError(
            "TensorFlow Datasets has no prepared set of this name."
            f" {how_to_prepare(place)} Received: tfds:{place}"
        ) from error


def _label_feature(
    builder: tfds.core.DatasetBuilder, place: str
) -> tuple[tuple[str, ...], Any]:
    """Returns `(path, feature)` of the labels, the path as tuple of str."""
    features, splits = builder.info.features, builder.info.splits
    image = _at(features, ("image",))
    for path in LABELS:
        feature = _at(features, path)
        if (
            "train" in splits
            and isinstance(image, tfds.features.Image)
            and isinstance(feature, tfds.features.ClassLabel)
        ):
            return path, feature
    raise ValueError(
        f"tfds:{place} needs a train split and the features image, an Image,"
        " and label, labels or objects/label, a ClassLabel or a Sequence of"
        f" it. Received: {list(splits)}, {features}"
    )


def _at(feature: Any, path: tuple[str, ...]) -> Any:
    """Returns the feature at a path, sequences left out, or None."""
    for name in path:
        if not isinstance(feature, tfds.features.FeaturesDict):
            return None
        if name not in feature:
            return None
        feature = feature[name]
        if isinstance(feature, tfds.features.Sequence):
            feature = feature.feature
    return feature


def _labels(
    builder: tfds.core.DatasetBuilder,
    part: str,
    path: tuple[str, ...],
    feature: Any,
) -> np.ndarray:
    """Returns the labels of a split: class ids or a matrix."""
    wanted: Any = True
    for name in reversed(path):
        wanted = {name: wanted}
    rows = read_split(builder, part, tfds.decode.PartialDecoding(wanted))
    for name in path:
        rows = rows.map(lambda row, name=name: row[name])
    try:
        return _collected(builder, part, feature, rows)
    except tf.errors.OpError as error:
        raise ValueError(
            f"The prepared files of tfds:{builder.info.full_name} must be"
            f" whole. Received: {error.message}"
        ) from error


def _collected(
    builder: tfds.core.DatasetBuilder, part: str, feature: Any, rows: Any
) -> np.ndarray:
    if rows.element_spec.shape.rank == 0:
        return np.fromiter(rows.as_numpy_iterator(), dtype=np.int32)
    count = builder.info.splits[part].num_examples
    labels = np.zeros((count, feature.num_classes), dtype=np.uint8)
    for row, of_image in zip(labels, rows.as_numpy_iterator(), strict=True):
        row[of_image[of_image >= 0]] = 1
    return labels


def _builder_cls(name: str) -> Any:
    """Returns the class that prepares the set, or None."""
    if name not in tfds.list_builders(with_community_datasets=False):
        return None
    try:
        return tfds.builder_cls(name)
    except ImportError:
        # Some need more packages than TFDS itself, even to be looked at.
        return None


def _what_it_is(builder: Any) -> str:
    text = f"It is: {_first_sentence(builder)} "
    if urls := builder.url_infos:
        size = sum(url.size for url in urls.values())
        hosts = {urllib.parse.urlsplit(url).hostname for url in urls}
        together = ", all configs together" if builder.BUILDER_CONFIGS else ""
        text += (
            f"To download: {size / 1e6:,.1f} MB from"
            f" {', '.join(sorted(filter(None, hosts)))}{together}. "
        )
    if builder.__module__.startswith("tensorflow_datasets."):
        text += (
            "Look its licence up at its homepage, which"
            f" https://www.tensorflow.org/datasets/catalog/{builder.name}"
            " names. "
        )
    if by_hand := builder.MANUAL_DOWNLOAD_INSTRUCTIONS:
        text += (
            f"\n{inspect.cleandoc(by_hand)}\nmanual_dir is downloads/manual"
            " in the folder of prepared sets, unless DownloadConfig says"
            " otherwise. "
        )
    return text


def _first_sentence(builder: Any) -> str:
    # Older builders keep it as a constant or leave it at a docstring.
    text = (
        builder.get_metadata().description
        or getattr(sys.modules[builder.__module__], "_DESCRIPTION", None)
        or builder.__doc__
        or builder.name
    )
    return re.findall(r".*?[.!?](?= |$)|.*", " ".join(text.split()))[0]
