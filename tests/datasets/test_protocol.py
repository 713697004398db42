import re

import pytest

from hashnet_tf.datasets.drawing import Draw, Drawing
from hashnet_tf.datasets.layouts import LAYOUTS
from hashnet_tf.datasets.protocol import Expected, protocols, read_protocols

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
    assert protocol.origin.layout in LAYOUTS
    assert protocol.text(5).startswith(f"{name}: ")
    assert ("seed 5." in protocol.text(5)) == (protocol.drawing is not None)
    assert protocol.differences
    # Weights are shares of one whole.
    similar = protocol.expected.similar_weight
    if similar is not None:
        other = protocol.expected.dissimilar_weight
        assert 1 / similar + 1 / other == pytest.approx(1, abs=1e-3)


def test_the_counts_of_the_paper_and_its_lists():
    def counts(name):
        expected = protocols()[name].expected
        return expected.train, expected.query, expected.database

    assert counts("imagenet100") == (10_000, 5_000, 128_503)
    assert counts("imagenet100-130") == (13_000, 5_000, 128_503)
    assert counts("imagenet100-lists") == (13_000, 5_000, 128_503)
    assert counts("nuswide81") == (10_000, 5_000, 269_648 - 5_000)
    assert counts("nuswide81-lists") == (10_000, 5_000, None)
    assert counts("coco") == (10_000, 5_000, 122_218 - 5_000)
    assert counts("coco-lists") == (10_000, 5_000, 112_218)
    assert counts("nuswide21") == (10_500, 2_100, 195_834 - 2_100)
    lists = protocols()["nuswide81-lists"].expected
    assert (lists.unlabelled_train, lists.unlabelled_query) == (2_185, 1_131)
    assert protocols()["coco-lists"].overlaps == ("query-database",)
    at = {name: protocol.at for name, protocol in protocols().items()}
    assert {at["imagenet100"], at["imagenet100-130"]} == {1000}
    assert {at["nuswide81"], at["nuswide21"], at["coco"]} == {5000}


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


@pytest.mark.parametrize(
    "text, received",
    [
        ("[origin", "Expected ']' at the end of a table declaration"),
        ("[origin]\ntitle = 'x'", "Received: title"),
        (ORIGIN + "[more]", "Received: more"),
        (ORIGIN + "[protocol.pets]\nat = 3", "Received: at, "),
        (PETS + "colour = 1", "Received: summary, relevant, colour"),
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
        (PETS + "overlaps = ['test-train']", "Received: test-train"),
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
relevant = "the same pet"
at = 7
""",
        "pets.toml",
    )
    assert drawn.about() == (
        "pets: all of them.\n"
        "Pets: photographs of pets.\n"
        "From https://example.org, 1 GB. Licence: CC0.\n"
        "By hand: DIR/train, DIR/test.\n"
        "Relevant: the same pet. R of MAP@R: the whole database.\n"
        "Known: too few cats.\n"
        "Known: no dogs."
    )
    assert listed.about().splitlines()[3:] == [
        "By hand: the lists in DIR and the images that they name below it.",
        "Relevant: the same pet. R of MAP@R: 7.",
    ]
