import dataclasses

import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf.runs import CodeSet
from hashnet_tf.runs.expectation import (
    Expectation,
    draw_expectation,
    expectation,
    held_out,
)


def codes_of(values, bits=8):
    codes = np.asarray(values, np.uint8)[:, None]
    ids = [str(i) for i in range(len(codes))]
    return CodeSet(codes, ids, None, {"bits": bits})


def images(labels, names):
    pixels = np.zeros((len(labels), 8, 8, 3), np.uint8)
    pixels += np.arange(len(labels), dtype=np.uint8)[:, None, None, None]
    return hn.datasets.ArrayImages(pixels, labels, names)


@pytest.fixture
def dataset():
    """Two classes: 12 pictures to find that were not trained on, and 8."""
    labels = np.arange(20) % 2
    names = [f"d{i}" for i in range(20)]
    database = images(labels, names)
    return hn.datasets.RetrievalDataset(
        name="mine",
        protocol="",
        train=database.subset(np.arange(12, 20)),
        query=images(np.array([0, 1, 1]), ["q0", "q1", "q2"]),
        database=database,
        class_names=["cat", "dog"],
    )


def test_what_was_trained_on_is_not_counted(dataset):
    np.testing.assert_array_equal(held_out(dataset), np.arange(12))
    # Of what was trained on all is right, of the rest half, at one distance.
    labels = dataset.database.labels
    codes = np.where(np.arange(20) < 12, 0b11, 0)
    codes[12:] = np.where(labels[12:] == 0, 0, 255)
    query = codes_of([0, 255, 255])
    found = expectation(dataset, query, codes_of(codes), {})
    assert found is not None
    assert found.right == pytest.approx(5)
    assert found.chance == pytest.approx(5)
    assert (found.queries, found.held_out, found.database) == (3, 12, 20)
    assert found.by_features is None
    assert found.by_class == {"cat": [5.0, 6.0], "dog": [5.0, 6.0]}
    assert found.most == 6


def test_the_features_and_the_worst_class(dataset):
    labels = dataset.database.labels
    # Cats are found by their codes, dogs are not.
    codes = np.where(labels == 0, 0, 255)
    query = codes_of([0, 0, 0])
    features = {
        "query": np.array([[1.0, 9], [-1, 9], [-1, 9]], "float32"),
        "database": np.stack([1.0 - 2 * labels, np.full(20, 9.0)], axis=1),
    }
    found = expectation(dataset, query, codes_of(codes), features)
    # Of each class 6 are not trained on.
    assert list(found.by_class) == ["dog", "cat"]
    assert found.by_class["dog"] == pytest.approx([4, 6])
    assert found.by_class["cat"] == pytest.approx([6, 6])
    assert found.right == pytest.approx((6 + 4 + 4) / 3)
    assert found.by_features == pytest.approx(6)
    assert found.times_larger == 8
    assert found.text() == (
        "Of the 10 pictures shown for a new one, 4.7 are of its class, give or"
        " take 1.3 (by chance 5.0; by the float features, 8 times larger, 6.0;"
        " at most 6.0, for some have fewer there). Measured by 3 queries among"
        " the 12 of 20 pictures that were not trained on. Worst: dog 4.0 of"
        " 6.0, cat 6.0 of 6.0."
    )
    assert found.error == pytest.approx(2 * np.std([6, 4, 4], ddof=1) / 3**0.5)
    assert Expectation(**found.as_dict()) == found


def test_a_query_in_the_database_does_not_find_itself(dataset):
    asking = dataclasses.replace(
        dataset, query=dataset.database.subset(np.arange(2))
    )
    np.testing.assert_array_equal(held_out(asking), np.arange(2, 12))


def test_a_query_without_a_label_does_not_count(dataset):
    codes = np.where(dataset.database.labels == 0, 0, 255)
    asked = images(np.array([0, -1, 1]), ["q0", "q1", "q2"])
    some = dataclasses.replace(dataset, query=asked)
    features = {
        "query": np.array([[1.0], [0], [-1]], "float32"),
        "database": (1.0 - 2 * dataset.database.labels)[:, None],
    }
    query = codes_of([0, 0, 255])
    found = expectation(some, query, codes_of(codes), features)
    assert (found.queries, found.right, found.chance) == (2, 6, 5)
    assert found.by_features == pytest.approx(6)
    assert list(found.by_class) == ["cat", "dog"]


def test_nothing_is_told_of_what_was_all_trained_on(dataset, tmp_path):
    everything = dataclasses.replace(dataset, train=dataset.database)
    sets = codes_of([0] * 3), codes_of([0] * 20)
    assert expectation(everything, *sets, {}) is None
    assert draw_expectation(everything, *sets, tmp_path / "a.png") is None


def test_the_best_and_the_worst_are_drawn(dataset, tmp_path):
    codes = np.where(dataset.database.labels == 0, 0, 255)
    path = tmp_path / "queries.png"
    sets = codes_of([0, 0, 255]), codes_of(codes)
    assert draw_expectation(dataset, *sets, path) == path
    lines = path.with_suffix(".csv").read_text().splitlines()[1:]
    right = [line.rsplit(",", 1)[1] for line in lines]
    # Eight of each: of the first two six are right, of the last two.
    assert len(right) == 3 * 8
    shares = [right[i : i + 8].count("1") for i in (0, 8, 16)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == 6 and shares[-1] == 2


def test_a_run_tells_it(config_of, tmp_path, make_folder):
    folder = make_folder()
    settings = {
        "data": f"folder:{folder}",
        "train_per_class": None,
        "query_per_class": 2,
        "batch_size": 8,
    }
    told = {}
    for held in (0.0, 0.4):
        config = config_of(**settings, held_out=held)
        run = hn.runs.train(config, tmp_path / f"run{held}")
        run.evaluate()
        told[held] = run.report["expectation"]
        trained = len(run.dataset.train)
        assert trained == {0.0: 30, 0.4: 18}[held]
    assert told[0.0] is None
    assert told[0.4]["held_out"] == 12
    assert sorted(told[0.4]["by_class"]) == ["a", "b", "c"]


def test_a_run_is_measured_without_its_file_of_weights(
    config_of, tmp_path, tiny_backbone, capsys
):
    file = tmp_path / "tiny.weights.h5"
    tiny_backbone((8, 8, 3)).save_weights(file)
    config = config_of(weights=str(file), freeze_backbone=True)
    run = hn.runs.train(config, tmp_path / "run")
    before = run.evaluate()
    assert run.report["expectation"]["by_features"] > 1
    file.rename(tmp_path / "gone.h5")
    again = hn.runs.Run(run.path)
    assert again.evaluate().map == before.map
    assert "Measured without the float features. " in capsys.readouterr().out
    assert again.report["expectation"]["by_features"] is None
