import re
import shlex

import pytest

from hashnet_tf.datasets.protocol import protocols
from hashnet_tf.reproduction.paper import paper_dataset, paper_map
from hashnet_tf.retrieval.presets import PRESETS
from hashnet_tf.runs.config import TrainingConfig
from hashnet_tf.runs.recipe import Recipe, load_recipe, recipe_names
from hashnet_tf.tools import main
from hashnet_tf.tools.train import config_of

NAMES = [
    "cifar10",
    "cifar10-tuned",
    "coco",
    "imagenet100",
    "mirflickr25k",
    "nuswide81",
]


def settings_of(name):
    found = load_recipe(name)
    return TrainingConfig(data=f"{found.protocol}:DIR", **found.settings)


def test_the_names_that_ship():
    assert recipe_names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_its_commands_are_its_settings(name):
    found = load_recipe(name)
    train, evaluate = (main.parse(shlex.split(c)) for c in found.commands)
    assert (train.command, evaluate.command) == ("train", "evaluate")
    assert train.recipe == name
    assert train.workdir == evaluate.workdir
    assert config_of(train) == settings_of(name)


@pytest.mark.parametrize("name", NAMES)
def test_its_steps_are_those_of_a_full_copy(name):
    found, config = load_recipe(name), settings_of(name)
    images, steps = protocols()[found.protocol].expected.train, 0
    for _ in range(config.epochs):
        left = images
        while left >= config.batch_size:
            left -= config.batch_size
            steps += 1
    assert found.steps == steps


@pytest.mark.parametrize("name", NAMES)
def test_its_metric_is_that_of_the_protocol(name):
    found = load_recipe(name)
    protocol = protocols()[found.protocol]
    at = protocol.at or protocol.expected.database
    assert found.expected.metric == f"MAP@{at}"
    assert found.expected.rule in PRESETS
    assert 0 < found.expected.value < 1


@pytest.mark.parametrize("name", NAMES)
def test_says_whether_it_has_run(name):
    found, config = load_recipe(name), settings_of(name)
    assert found.summary and found.machine and found.notes
    paper = paper_map(1, paper_dataset(config), "hashnet", config.bits)
    assert found.has_run == (paper is None)
    if not found.has_run:
        assert "NOT run" in found.summary and "NOT run" in found.machine
        assert "AlexNet" in found.expected.source
        assert found.expected.value == paper


def test_a_file_of_ones_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[settings]\nbits = 16\nbeta = 5\n")
    assert load_recipe(str(path)) == Recipe({"bits": 16, "beta": 5})


@pytest.mark.parametrize(
    "text, received",
    [
        ("[settings", r"Received: \S+mine\.toml"),
        ("summary = 'x'", "Received: summary"),
        ("settings = 3", "settings must be a table. Received: 3"),
        ("expected = 3\n[settings]", "Expectation must be .* Received: 3"),
        ("[settings]\n[more]", "Received: settings, more"),
        ("steps = '9'\n[settings]", "Received: steps='9'"),
        ("[settings]\ncolour = 1", "Received: colour"),
        ("[settings]\nbits = 0", "Received: bits=0"),
        ("[settings]\nbits = 'x'", "Received: bits='x'"),
        ("[settings]\ndata = 'x'", "Received: data='x'"),
        ("[settings]\n[expected]\nvalue = 1", "Received: value"),
    ],
)
def test_refuses_and_names_the_file(text, received, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=received + "$") as error:
        load_recipe(str(path))
    assert str(error.value).startswith("mine.toml: ")


@pytest.mark.parametrize("name", ["other", "", "missing.toml", "setup.py"])
def test_refuses_a_name_it_does_not_know(name):
    known = re.escape(", ".join(NAMES))
    with pytest.raises(ValueError, match=f"{known}.* Received: {name}$"):
        load_recipe(name)
