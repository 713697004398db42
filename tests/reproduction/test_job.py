import importlib
import json

import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf._files import write_json
from hashnet_tf.methods import METHODS
from hashnet_tf.reproduction import Cell, run_cell
from hashnet_tf.reproduction.job import run_cell_in_turn, train_cell
from hashnet_tf.runs.networks import build_backbone


def images_of(config):
    dataset = hn.datasets.load(**config.data_source())
    return dataset.train, dataset.query, dataset.database


def by_hand(name, config, see):
    train, query, database = images_of(config)
    system = METHODS[name].resolve()(bits=config.bits, seed=config.seed)
    system.fit(see(train), train.labels)
    return hn.retrieval.evaluate(
        system.encode(see(query)),
        system.encode(see(database)),
        query.labels,
        database.labels,
        bits=config.bits,
    )


def pixels(images):
    array = hn.datasets.pixel_array(images, (8, 8))
    return array.reshape(len(images), -1).astype(np.float32)


def times(folder):
    return {path: path.stat().st_mtime_ns for path in folder.glob("*/*.npy")}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sh", "bre", "itq-cca"])
def test_a_shallow_one_is_what_it_does_on_pixels(name, config_of, tmp_path):
    cell = Cell.of(tmp_path, config_of(), name, 12, 1)
    run_cell(cell, tmp_path / "shared")
    result = cell.result()
    assert result.report == by_hand(name, cell.config, pixels)
    assert result.images == {"train": 200, "query": 200, "database": 1597}
    assert (result.features, result.bytes_per_item) == ("pixels", 2)
    assert "seed 1" in result.protocol
    assert 0 < result.seconds < 60 and result.peak_memory_mb > 100


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, size", [("floats", 4 * 192), ("sign", 24), ("rabitq", 10)]
)
def test_one_that_ranks_by_real_distances(name, size, config_of, tmp_path):
    if name == "rabitq":
        pytest.importorskip("faiss")
    cell = Cell.of(tmp_path, config_of(), name, 12, 1)
    run_cell(cell, tmp_path / "shared")
    train, query, database = images_of(cell.config)
    ranking = METHODS[name].resolve()()
    if name == "rabitq":
        ranking.set_params(bits=12, seed=1)
    ranking.fit(pixels(train))
    distances = ranking.distances(
        pixels(query), ranking.encode(pixels(database))
    )
    expected = hn.retrieval.evaluate_distances(
        distances, query.labels, database.labels
    )
    result = cell.result()
    # Products of matrices of other sizes may differ in the last bit.
    assert result.report.map == pytest.approx(expected.map, abs=1e-4)
    assert result.report.map > 0.3
    assert result.report.precision_radius2 is None
    assert result.bytes_per_item == size


@pytest.mark.slow
def test_features_of_a_backbone_with_weights(config_of, weights_file, tmp_path):
    cell = Cell.of(tmp_path, config_of(weights=weights_file), "itq", 12, 0)
    run_cell(cell, tmp_path / "shared")
    backbone = build_backbone(cell.config)

    def features(images):
        array = hn.datasets.pixel_array(images, (8, 8))
        return backbone.predict(array, batch_size=128, verbose=0)

    expected = by_hand("itq", cell.config, features)
    assert cell.result().report.map == pytest.approx(expected.map, abs=1e-3)
    assert cell.result().features == f"features of tiny, {weights_file}"
    assert len(times(tmp_path / "shared" / "features")) == 3


@pytest.mark.slow
def test_a_deep_one_is_a_run(config_of, tmp_path):
    cell = Cell.of(tmp_path, config_of(), "dhn", 12, 0)
    run_cell(cell, tmp_path / "shared")
    run = hn.runs.Run(cell.folder)
    assert run.config == cell.config
    assert run.config.method == "dhn"
    result = cell.result()
    assert run.report["retrieval"] == json.loads(
        json.dumps(result.report.as_dict())
    )
    assert result.seconds > 0
    first, *_, last = hn.runs.read_records(run.records_path)
    assert result.training == {name: last[name] for name in ("J", "L", "gap")}
    assert result.training["J"] != first["J"]


@pytest.mark.slow
def test_a_frozen_one_takes_features_that_are_shared(
    config_of, weights_file, tmp_path
):
    base = config_of(weights=weights_file, freeze_backbone=True)
    shared = tmp_path / "shared"
    run_cell(Cell.of(tmp_path, base, "hashnet", 12, 0), shared)
    before = times(shared / "features")
    assert len(before) == 3
    cell = Cell.of(tmp_path, base, "hashnet", 16, 0)
    run_cell(cell, shared)
    run_cell(Cell.of(tmp_path, base, "lsh", 16, 0), shared)
    assert times(shared / "features") == before
    assert not hn.runs.Run(cell.folder).features_path.exists()


@pytest.mark.slow
def test_loads_the_data_once(config_of, weights_file, tmp_path, monkeypatch):
    base = config_of(weights=weights_file, freeze_backbone=True)
    calls = []

    def counted(function):
        def call(*arguments, **settings):
            calls.append(function.__name__)
            return function(*arguments, **settings)

        return call

    for place, function in (
        ("runs.data", "load"),
        ("runs.networks", "backbone"),
    ):
        module = importlib.import_module(f"hashnet_tf.{place}")
        monkeypatch.setattr(
            module, function, counted(getattr(module, function))
        )
    names = (("hashnet", 12), ("csq", 12), ("dch", 16), ("lsh", 12))
    for name, bits in names:
        cell = Cell.of(tmp_path, base, name, bits, 0)
        run_cell_in_turn(cell, tmp_path / "shared")
    assert (calls.count("load"), calls.count("backbone")) == (1, 1)
    # Another seed draws its own, and what is held is not taken for it.
    cell = Cell.of(tmp_path, base, "hashnet", 12, 1)
    run_cell_in_turn(cell, tmp_path / "shared")
    assert (calls.count("load"), calls.count("backbone")) == (2, 2)
    assert "seed 1" in cell.result().protocol


# What each kind of loss and network draws, with dropout and changed images.
@pytest.mark.slow
@pytest.mark.parametrize(
    "name, settings",
    [
        # Beta rises at the end of an epoch, the last one too.
        ("hashnet", {"schedule": "staged", "patience": 1, "beta": 10.0}),
        ("hashnet-r", {}),
        ("greedyhash", {}),
        ("csq", {}),
    ],
)
def test_is_the_run_by_hand(name, settings, config_of, weights_file, tmp_path):
    base = config_of(
        **settings,
        weights=weights_file,
        freeze_backbone=True,
        dropout=0.3,
        augmentation="shift_flip",
        views=2,
        epochs=3,
    )
    # Others before it in the same process change nothing.
    for other in ("csq", "greedyhash"):
        cell = Cell.of(tmp_path, base, other, 16, 0)
        run_cell(cell, tmp_path / "shared")
    cell = Cell.of(tmp_path, base, name, 12, 0)
    run_cell(cell, tmp_path / "shared")
    assert not hn.runs.Run(cell.folder).config_path.exists()
    run = hn.runs.train(cell.config, tmp_path / "hand")
    assert cell.result().report == run.evaluate()
    last = hn.runs.read_records(run.records_path)[-1]
    measured = {name: last[name] for name in ("J", "L", "gap")}
    assert cell.result().training == measured
    # And where it is made for the figures.
    train_cell(cell, tmp_path / "shared")
    for part in ("query", "database"):
        there = hn.runs.Run(cell.folder).codes_path(part)
        np.testing.assert_array_equal(
            hn.runs.CodeSet.load(there).codes,
            hn.runs.CodeSet.load(run.codes_path(part)).codes,
        )


def test_a_begun_one_is_held_to_its_own_data(config_of, tmp_path):
    labels = np.arange(60) % 3
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 3), np.uint8)
    np.savez(tmp_path / "a.npz", images=images, labels=labels)
    base = config_of(
        data=f"npz:{tmp_path / 'a.npz'}",
        train_per_class=5,
        query_per_class=2,
        batch_size=10,
    )
    cell = Cell.of(tmp_path, base, "hashnet", 12, 0)
    # As a training that is killed in its first step leaves it.
    run = hn.runs.Run(cell.folder)
    write_json(run.config_path, cell.config.as_dict())
    write_json(run.data_path, run.load_data(cell.config).record)
    np.savez(tmp_path / "a.npz", images=images, labels=labels[::-1])
    # What the cells share is of the data as they are now.
    with pytest.raises(ValueError, match="other names or labels in train"):
        run_cell(cell, tmp_path / "shared")
    assert cell.result() is None


@pytest.mark.slow
def test_the_time_of_a_part_is_not_told(config_of, tmp_path):
    cell = Cell.of(tmp_path, config_of(), "hashnet", 12, 0)
    hn.runs.train(cell.config, cell.folder)
    run_cell(cell, tmp_path / "shared")
    assert cell.result().seconds is None


def test_data_that_change_on_the_way_are_refused(config_of, tmp_path):
    labels = np.arange(60) % 3
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 3), np.uint8)
    np.savez(tmp_path / "a.npz", images=images, labels=labels)
    base = config_of(
        data=f"npz:{tmp_path / 'a.npz'}", train_per_class=5, query_per_class=2
    )
    run_cell(Cell.of(tmp_path, base, "lsh", 12, 0), tmp_path / "shared")
    np.savez(tmp_path / "a.npz", images=images, labels=labels[::-1])
    cell = Cell.of(tmp_path, base, "itq", 12, 0)
    with pytest.raises(ValueError, match="other names or labels in train"):
        run_cell(cell, tmp_path / "shared")
    assert cell.result() is None
