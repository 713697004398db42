import hashlib
import re

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

import hashnet_tf as hn
from hashnet_tf.datasets.sources.tfds import how_to_prepare, read_tfds

CLASS = tfds.features.ClassLabel(names=["a", "b", "c"])
ROWS = [(20 * (i % 3) + i, i % 3) for i in range(18)]


def values(images):
    """The value of each image in its stream."""
    return [
        int(tf.io.decode_image(encoded)[0, 0, 0])
        for _, encoded in images.encoded()
    ]


def test_queries_are_the_validation_split_where_there_is_no_test(prepare_tfds):
    splits = {"train": ROWS[:12], "validation": ROWS[12:]}
    name = prepare_tfds("with_validation", splits, num_shards=2)
    dataset = hn.datasets.load(f"tfds:{name}")
    assert dataset.class_names == ["a", "b", "c"]
    assert sorted(values(dataset.query)) == sorted(v for v, _ in ROWS[12:])
    assert sorted(values(dataset.train)) == sorted(v for v, _ in ROWS[:12])
    assert dataset.train.names == dataset.database.names
    label_of = dict(ROWS)
    for part in (dataset.train, dataset.query):
        assert part.labels.tolist() == [label_of[v] for v in values(part)]
    assert "the test part" in dataset.protocol


def test_test_comes_before_validation(prepare_tfds):
    splits = {"train": ROWS[:6], "validation": ROWS[6:12], "test": ROWS[12:]}
    dataset = hn.datasets.load(f"tfds:{prepare_tfds('with_both', splits)}")
    assert sorted(values(dataset.query)) == sorted(v for v, _ in ROWS[12:])
    held = values(dataset.query) + values(dataset.database)
    assert not set(held) & {value for value, _ in ROWS[6:12]}


def test_a_test_split_without_labels_is_passed_over(prepare_tfds):
    secret = [(value, -1) for value, _ in ROWS[12:]]
    splits = {"train": ROWS[:6], "validation": ROWS[6:12], "test": secret}
    dataset = hn.datasets.load(f"tfds:{prepare_tfds('secret', splits)}")
    assert sorted(values(dataset.query)) == sorted(v for v, _ in ROWS[6:12])
    assert dataset.notes == []
    splits = {"train": ROWS[:12], "test": secret}
    dataset = hn.datasets.load(f"tfds:{prepare_tfds('all_secret', splits)}")
    assert len(dataset.query) == 3 and len(dataset.database) == 9


def test_train_alone_is_drawn_from(prepare_tfds):
    name = prepare_tfds("train_alone", {"train": ROWS}, disable_shuffling=True)
    dataset = hn.datasets.load(f"tfds:{name}", 1, 2, 3)
    assert sorted(values(dataset.query) + values(dataset.database)) == sorted(
        value for value, _ in ROWS
    )
    assert np.bincount(dataset.query.labels).tolist() == [2, 2, 2]
    assert np.bincount(dataset.train.labels).tolist() == [3, 3, 3]
    # Rows lie as they were written: a name tells its row, for good.
    for part in (dataset.train, dataset.query, dataset.database):
        rows = [int(name.removeprefix("train#")) for name in part.names]
        assert values(part) == [ROWS[row][0] for row in rows]
    ids = " ".join(dataset.query.names + dataset.train.names)
    assert hashlib.sha256(ids.encode()).hexdigest()[:16] == "8cffe2b478d1841e"


@pytest.mark.parametrize(
    "name",
    [
        "cifar10",
        "coco/2017",
        "in_order:9.9.9",
        "in_order/config",
        "no_such_set",
        "huggingface:mnist",
        "kubric:movi",
        "two words",
        "../in_order",
        "in_order/",
    ],
)
def test_what_is_not_prepared_fails_at_once(sources, no_network, name):
    with pytest.raises(ValueError) as error:
        hn.datasets.load(f"tfds:{name}")
    text = str(error.value)
    assert text.endswith(f"Received: tfds:{name}")
    assert f"tfds.builder('{name}').download_and_prepare()" in text


def test_a_prepared_set_needs_no_network(sources, no_network):
    dataset = hn.datasets.load("tfds:in_order")
    assert len(values(dataset.query)) == len(dataset.query) == 12
    assert len(hn.datasets.load("tfds:in_order:1.0.0").query) == 12
    assert len(hn.datasets.load("tfds:in_order:1.*.*").query) == 12


def seen(rows):
    """Rows as `objects` holds them: the same class more than once too."""
    return [
        (
            value,
            [
                {"label": label, "bbox": tfds.features.BBox(0.0, 0.0, 0.5, 1.0)}
                for label in [*labels, *labels]
            ],
        )
        for value, labels in rows
    ]


OBJECTS = tfds.features.Sequence(
    {"label": CLASS, "bbox": tfds.features.BBoxFeature()}
)
SHOWN = [(i, [k for k in range(3) if i >> k & 1]) for i in range(16)]


@pytest.mark.parametrize("kind", ["labels", "objects"])
def test_several_labels_are_a_matrix(prepare_tfds, kind):
    feature = OBJECTS if kind == "objects" else tfds.features.Sequence(CLASS)
    write = seen if kind == "objects" else list
    nothing = [(value, []) for value, _ in SHOWN[:3]]
    splits = {
        "train": write(SHOWN[:11]),
        "validation": write(SHOWN[11:]),
        "test": nothing,
    }
    name = prepare_tfds(
        f"with_{kind}", splits, label=feature, label_name=kind, num_shards=2
    )
    pool = read_tfds(name)
    assert pool.class_names == ["a", "b", "c"]
    # The test split has no label.
    assert pool.images.split == "train+validation"
    found = values(pool.images)
    assert sorted(found[:11]) == list(range(11))
    assert sorted(found[11:]) == list(range(11, 16))
    assert pool.in_test.tolist() == [False] * 11 + [True] * 5
    for value, row in zip(found, pool.images.labels, strict=True):
        assert row.tolist() == [value & 1, value >> 1 & 1, value >> 2 & 1]
    dataset = hn.datasets.load(f"tfds:{name}", train_per_class=1)
    assert sorted(values(dataset.query)) == list(range(11, 16))
    # One image for each of three labels.
    assert len(dataset.train) == 3
    assert dataset.train.labels.any(axis=0).all()


def test_a_secret_label_in_a_sequence_is_none(prepare_tfds):
    name = prepare_tfds(
        "secret_sequence",
        {"train": [(0, [0, 2]), (1, [1])], "test": [(2, [-1]), (3, [1, -1])]},
        label=tfds.features.Sequence(CLASS),
        label_name="labels",
        disable_shuffling=True,
    )
    pool = read_tfds(name)
    assert pool.images.labels.tolist() == [
        [1, 0, 1],
        [0, 1, 0],
        [0, 0, 0],
        [0, 1, 0],
    ]


def test_images_and_labels_are_read_apart(prepare_tfds, monkeypatch):
    name = prepare_tfds(
        "read_apart",
        {"train": seen(SHOWN)},
        label=OBJECTS,
        label_name="objects",
    )
    asked = []
    as_dataset = tfds.core.DatasetBuilder.as_dataset

    def recorded(builder, **options):
        rows = as_dataset(builder, **options)
        asked.append(rows.element_spec)
        return rows

    monkeypatch.setattr(tfds.core.DatasetBuilder, "as_dataset", recorded)
    pool = read_tfds(name)
    labels = tf.TensorSpec([None], tf.int64)
    assert asked.pop() == {"objects": {"label": labels}}
    assert values(pool.images.first(2)) and not asked[1:]
    assert asked.pop() == {"image": tf.TensorSpec([], tf.string)}


@pytest.mark.parametrize(
    "name, splits, features",
    [
        ("no_train", {"test": ROWS}, {}),
        ("other_name", {"train": ROWS}, {"label_name": "class"}),
        (
            "objects_of_one_class",
            {"train": [(0, [1.0]), (1, [2.0])]},
            {
                "label": tfds.features.Sequence(np.float32),
                "label_name": "objects",
            },
        ),
        (
            "scalar_label",
            {"train": ROWS},
            {"label": tfds.features.Scalar(np.int64)},
        ),
        (
            "text_image",
            {"train": [("text", 0), ("text", 1)]},
            {"image": tfds.features.Text()},
        ),
    ],
)
def test_refuses_other_features_and_splits(
    prepare_tfds, name, splits, features
):
    prepare_tfds(name, splits, **features)
    message = re.escape(f"tfds:{name} needs a train split") + ".* Received: "
    with pytest.raises(ValueError, match=message):
        hn.datasets.load(f"tfds:{name}")


SHARED = "Copy a prepared one to ~/tensorflow_datasets or where TFDS_DATA_DIR"


@pytest.mark.parametrize(
    "place, what, megabytes",
    [
        ("coco/2014", "It is: COCO is a large-scale object detection, ", None),
        ("mnist", "It is: MNIST. ", 11.594722),
        ("cifar10:3.0.2", "It is: CIFAR-10. ", 170.052171),
        ("imagenet2012", "It is: ILSVRC 2012, commonly known as 'Image", None),
        ("fashion_mnist", "It is: fashion_mnist ", None),
    ],
)
def test_says_what_it_takes(no_network, place, what, megabytes):
    text = how_to_prepare(place)
    assert text.startswith(what)
    name = place.split("/")[0].split(":")[0]
    urls = tfds.builder_cls(name).url_infos
    size = sum(info.size for info in urls.values()) / 1e6
    assert f"To download: {size:,.1f} MB from " in text
    assert megabytes is None or abs(size - megabytes) < 1
    assert all(url.split("/")[2] in text for url in urls)
    assert f"https://www.tensorflow.org/datasets/catalog/{name} names" in text
    assert SHARED in text
    assert f"tfds.builder('{place}').download_and_prepare()\"`, " in text
    assert ("all configs together" in text) == (name == "coco")


def test_says_what_to_place_by_hand(no_network):
    text = how_to_prepare("cityscapes")
    assert "leftImg8bit_trainvaltest.zip" in text
    assert "manual_dir is downloads/manual in the folder of prepared" in text
    # It has no list of checksums, so nothing says how large it is.
    assert "To download" not in text
    assert "manual_dir" not in how_to_prepare("mnist")


@pytest.mark.parametrize("place", ["no_such_set", "", "huggingface:mnist"])
def test_a_name_that_tfds_does_not_know(no_network, place):
    assert how_to_prepare(place).startswith(SHARED)


def test_a_builder_that_cannot_be_imported(no_network, monkeypatch):
    def fail(name):
        raise ImportError(name)

    monkeypatch.setattr(tfds, "builder_cls", fail)
    assert how_to_prepare("mnist").startswith(SHARED)


def test_a_builder_of_ones_own(no_network, monkeypatch):
    class Pets(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        """Cats and dogs. And a parrot."""

        VERSION = tfds.core.Version("1.0.0")
        MANUAL_DOWNLOAD_INSTRUCTIONS = "Place pets.zip there."
        url_infos = {}

        def _info(self):
            raise NotImplementedError

        _split_generators = _generate_examples = _info

    monkeypatch.setattr(tfds, "list_builders", lambda **_: ["pets"])
    monkeypatch.setattr(tfds, "builder_cls", lambda name: Pets)
    text = how_to_prepare("pets")
    assert text.startswith("It is: Cats and dogs. \nPlace pets.zip there.\n")
    # No page of its catalogue is of it.
    assert "tensorflow.org" not in text
    assert SHARED in text
