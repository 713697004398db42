import json

import pytest

from hashnet_tf.methods import METHODS
from hashnet_tf.reproduction import Cell
from hashnet_tf.runs.config import TrainingConfig


@pytest.fixture
def cell(config_of, tmp_path):
    return Cell.of(tmp_path, config_of(), "itq", 16, 2)


def test_where_it_lies(cell, tmp_path):
    assert cell.name == "itq-16bits-seed2"
    assert cell.path == tmp_path / "cells" / cell.name / "cell.json"
    assert (cell.config.bits, cell.config.seed) == (16, 2)


@pytest.mark.parametrize("name", METHODS)
def test_each_system_has_settings_that_are_allowed(name, config_of, tmp_path):
    # Which only HashNet itself takes.
    base = config_of(
        method="hashnet",
        class_weights="dataset",
        similarity="jaccard",
        schedule="staged",
        patience=2,
        alpha=0.3,
        beta=8.0,
    )
    config = Cell.of(tmp_path, base, name, 16, 1).config
    deep = METHODS[name].is_deep
    assert config.method == (name if deep else "hashnet")
    assert (config.bits, config.seed, config.epochs) == (16, 1, 1)
    if name == "hashnet-r":
        assert (config.alpha, config.beta) == (None, 8.0)
    elif name.startswith("hashnet") or not deep:
        assert config.alpha == 0.3
    else:
        assert (config.alpha, config.beta) == (None, 1.0)


@pytest.mark.parametrize("name", METHODS)
def test_what_the_method_of_the_base_settles_is_its_own(
    name, config_of, tmp_path
):
    base = config_of(method="hashnet-r", radius=6.0, power=2.0, beta=1.0)
    config = Cell.of(tmp_path, base, name, 16, 1).config
    if name == "hashnet-r" or not METHODS[name].is_deep:
        given = ("radius", 6.0, 2.0)
    else:
        given = ("logistic", None, None)
    assert given == (config.likelihood, config.radius, config.power)
    assert config.beta == 1.0


@pytest.mark.parametrize(
    "name, settings",
    [
        ("hashnet", ("shared", "dataset", 8.0, 2)),
        ("hashnet+c", ("jaccard", "dataset", 8.0, 2)),
        ("hashnet-w", ("shared", "none", 8.0, 2)),
        ("hashnet-sgn", ("shared", "dataset", 1.0, None)),
    ],
)
def test_a_variant_differs_in_one_thing(name, settings, config_of, tmp_path):
    base = config_of(
        class_weights="dataset", schedule="staged", patience=2, beta=8.0
    )
    config = Cell.of(tmp_path, base, name, 16, 1).config
    assert settings == (
        config.similarity,
        config.class_weights,
        config.beta,
        config.patience,
    )


def test_finished_is_read_again(cell, result_of):
    assert cell.result() is None
    cell.finish(result_of(0))
    assert cell.result() == result_of(0)
    values = json.loads(cell.path.read_text("utf-8"))
    assert values["method"] == "itq"
    assert (values["bits"], values["seed"]) == (16, 2)
    assert values["data"] == "digits"


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"settings": {}}', '{"settings": {"oops": 1}}']
)
def test_damaged_is_not_finished(text, cell, result_of):
    cell.finish(result_of(0))
    cell.path.write_text(text)
    assert cell.result() is None


def test_half_of_a_file_is_not_finished(cell, result_of):
    cell.finish(result_of(0))
    text = cell.path.read_text("utf-8")
    cell.path.write_text(text[: len(text) // 2])
    assert cell.result() is None


def test_other_settings_are_refused(cell, config_of, result_of, tmp_path):
    cell.finish(result_of(0))
    other = Cell.of(
        tmp_path, config_of(image_size=9, train_per_class=5), "itq", 16, 2
    )
    with pytest.raises(
        ValueError,
        match="Received: train_per_class=5 instead of 20,"
        " image_size=9 instead of 8$",
    ):
        other.result()


def test_a_shallow_one_does_not_care_how_networks_train(
    cell, config_of, result_of, tmp_path
):
    cell.finish(result_of(0))
    other = config_of(epochs=9, batch_size=10, learning_rate=1.0)
    assert Cell.of(tmp_path, other, "itq", 16, 2).result() is not None
    Cell.of(tmp_path, config_of(), "dhn", 16, 2).finish(result_of(0))
    with pytest.raises(ValueError, match="learning_rate=1.0 instead of 0.001"):
        Cell.of(tmp_path, other, "dhn", 16, 2).result()


def test_the_settings_of_a_deep_one_are_all(config_of, tmp_path):
    cell = Cell.of(tmp_path, config_of(), "dhn", 16, 2)
    assert TrainingConfig.from_dict(cell.settings()) == cell.config
