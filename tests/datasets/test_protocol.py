import dataclasses
import re

import pytest

from hashnet_tf.datasets.protocol import Expected, protocols, read_protocols
from hashnet_tf.datasets.sources import SOURCES
from hashnet_tf.datasets.splits import Draw, Drawing

ORIGIN = """
[origin]
title = "Pets"
about = "photographs of pets"
url = "https://example.org"
size = "1 GB"
licence = "CC0"
by_hand = "DIR/train, DIR/test"
layout = "folder"
"""
NAMES = [
    "cifar10-54k",
    "cifar10-59k",
    "cifar10-50k",
    "coco",
    "coco-lists",
    "fashion-mnist",
    "imagenet100",
    "imagenet100-130",
    "imagenet100-lists",
    "mirflickr25k",
    "mirflickr25k-lists",
    "nuswide81",
    "nuswide81-lists",
    "nuswide21",
]


def test_the_names_that_ship():
    assert [*protocols()] == NAMES
    assert all(name == found.name for name, found in protocols().items())


@pytest.mark.parametrize("name", NAMES)
def test_can_be_read_and_told(name):
    protocol = protocols()[name]
    assert protocol.origin.layout in SOURCES
    assert protocol.text(5).startswith(f"{name}: ")
    assert ("seed 5." in protocol.text(5)) == (protocol.drawing is not None)
    assert protocol.differences
    # Weights are shares of one whole.
    similar = protocol.expected.similar_weight
    if similar is not None:
        other = protocol.expected.dissimilar_weight
        assert 1 / similar + 1 / other == pytest.approx(1, abs=1e-3)


# As published, in the order of `Expected`, then R of MAP@R and what parts may
# share: train, query, database, labels, unlabelled of train and query, labels
# an image, |S|/|S1|, |S|/|S0|.
TRAIN, QUERY = ("train-database",), ("query-database",)
CLASSES = (10.0, 1.1111)
PUBLISHED = {
    "cifar10-54k": (5000, 1000, 54000, 10, *3 * [None], *CLASSES, None, ()),
    "cifar10-59k": (5000, 1000, 59000, 10, *3 * [None], *CLASSES, None, TRAIN),
    "cifar10-50k": (
        50000,
        10**4,
        50000,
        10,
        *3 * [None],
        *CLASSES,
        None,
        TRAIN,
    ),
    "coco": (10**4, 5000, 122218 - 5000, 80, 0, 0, *3 * [None], 5000, TRAIN),
    "coco-lists": (
        *(10**4, 5000, 112218, 80, 0, 0, 2.929, 2.8583, 1.5381, 5000, QUERY),
    ),
    "fashion-mnist": (
        *(5000, 10**4, 60000, 10, *3 * [None], *CLASSES, None, TRAIN),
    ),
    "imagenet100": (
        *(10**4, 5000, None, 100, None, None, 1.0, 100.0, 1.0101, 1000, TRAIN),
    ),
    "imagenet100-130": (
        *(13000, 5000, None, 100, None, None, 1.0, 100.0, 1.0101, 1000, TRAIN),
    ),
    "imagenet100-lists": (
        *(13000, 5000, 128503, 100, 0, 0, 1.0, 100.0, 1.0101, 1000, TRAIN),
    ),
    "mirflickr25k": (4000, 1000, 20000, 38, *5 * [None], 5000, ()),
    "mirflickr25k-lists": (
        *(4000, 1000, 20000, 38, 72, 19, *3 * [None], 5000, ()),
    ),
    "nuswide81": (10**4, 5000, 269648 - 5000, 81, *5 * [None], 5000, TRAIN),
    "nuswide81-lists": (
        *(10**4, 5000, None, 81, 2185, 1131, 1.901, 5.8815, 1.2049, 5000),
        TRAIN,
    ),
    "nuswide21": (10500, 2100, 193734, 21, 0, 0, *3 * [None], 5000, TRAIN),
}


@pytest.mark.parametrize("name", NAMES)
def test_expects_what_is_published(name):
    found = protocols()[name]
    assert (
        *dataclasses.astuple(found.expected),
        found.at,
        found.overlaps,
    ) == PUBLISHED[name]
    assert (found.lists is not None) == name.endswith("-lists")


def test_reads_a_file():
    (found,) = read_protocols(
        ORIGIN
        + """
[protocol.pets]
summary = "all of them"
drawing.query = { of = "test", count = 3 }
drawing.train = { per_class = 2 }
drawing.train_in_database = false
relevant = "the same pet"
at = 7
expected = { train = 4, labels_per_image = 1.5 }
differences = ["none"]
overlaps = ["train-query"]
""",
        "pets.toml",
    )
    assert found.origin.title == "Pets" and found.origin.tfds is None
    assert found.drawing == Drawing(
        Draw("test", 3), Draw(per_class=2), train_in_database=False
    )
    assert found.at == 7
    assert found.expected == Expected(train=4, labels_per_image=1.5)
    assert (found.differences, found.overlaps) == (("none",), ("train-query",))


PETS = ORIGIN + '[protocol.pets]\nsummary = ""\nrelevant = ""\n'
DRAWN = PETS + "drawing.query = {}\ndrawing.train = {}\n"


@pytest.mark.parametrize(
    "text, received",
    [
        ("[origin", "Expected ']' at the end of a table declaration"),
        ("[origin]\ntitle = 'x'", "Received: title"),
        (ORIGIN + "[more]", "Received: more"),
        (ORIGIN + "[protocol.pets]\nat = 3", "Received: at, "),
        (PETS + "colour = 1", "relevant, colour, name"),
        (PETS + "drawing.query = {}", "Drawing needs query, train"),
        (
            PETS + "drawing.query = {}\ndrawing.train = {each = 3}",
            "Received: each",
        ),
        (
            PETS + "drawing.query = {}\ndrawing.train = {count = -3}",
            "Received: count=-3",
        ),
        (PETS + "expected = {queries = 3}", "Received: queries"),
        (DRAWN + "overlaps = ['test-train']", "Received: test-train"),
        (DRAWN + "overlaps = 'train-query'", "overlaps='train-query'"),
        (DRAWN + "differences = [1]", "differences=[1]"),
        (DRAWN + "at = '5000'", "Received: at='5000'"),
        (DRAWN + "at = 0", "Received: at=0"),
        (DRAWN + "at = true", "Received: at=True"),
        (DRAWN + "expected = {train = 'x'}", "Received: train='x'"),
        (DRAWN + "expected = {train = 1.5}", "Received: train=1.5"),
        (DRAWN + "drawing.labelled = 'no'", "labelled='no'"),
        (DRAWN + "name = 'other'", "Received: name in pets"),
        (DRAWN + "lists = 'here'", "lists='here'"),
        (PETS + "at = 3", "drawing=None, lists=None"),
        (PETS + "drawing = 5", "drawing must be a table. Received: 5"),
        (
            PETS + "drawing.query = 5\ndrawing.train = {}",
            "Draw must be a table. Received: 5",
        ),
        ("origin = 3", "Origin must be a table. Received: 3"),
        (ORIGIN + "[protocol]\npets = 3", "pets must be a table"),
        ("protocol = 3\n" + ORIGIN, "protocol must be a table"),
    ],
)
def test_refuses_and_names_the_file(text, received):
    with pytest.raises(ValueError, match=re.escape(received)) as error:
        read_protocols(text, "pets.toml")
    assert str(error.value).startswith("pets.toml: ")


def test_tells_what_there_is_to_know():
    (drawn, listed) = read_protocols(
        ORIGIN
        + """
[protocol.pets]
summary = "all of them"
drawing.query = { count = 3 }
drawing.train = {}
relevant = "the same pet"
differences = ["too few cats", "no dogs"]

[protocol.pets-lists]
summary = "the lists"
lists = "https://example.org/lists; MIT"
relevant = "the same pet"
at = 7
""",
        "pets.toml",
    )
    assert drawn.about() == (
        "pets: all of them.\n"
        "Pets: photographs of pets. From https://example.org; to download:"
        " 1 GB. Licence: CC0. By hand: DIR/train, DIR/test; then take"
        " pets:DIR.\n"
        "Relevant: the same pet. R of MAP@R: the whole database.\n"
        "Known: too few cats.\n"
        "Known: no dogs."
    )
    assert listed.where().endswith(
        " Lists: https://example.org/lists; MIT. By hand: the lists in DIR and"
        " the images that they name below it; then take pets-lists:DIR."
    )
    assert listed.about().splitlines()[2:] == [
        "Relevant: the same pet. R of MAP@R: 7.",
    ]
