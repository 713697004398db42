import dataclasses
import importlib
import json
import shutil

import keras
import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf._files import write_json
from hashnet_tf.runs import CodeSet, Run, evaluate_code_sets, train


def test_report_is_what_evaluate_says_of_the_codes(measured):
    query, database = (
        CodeSet.load(measured.codes_path(part))
        for part in ("query", "database")
    )
    report = hn.retrieval.evaluate(
        query.codes, database.codes, query.labels, database.labels, 12, at=100
    )
    dataset = hn.datasets.load(**measured.config.data_source())
    there = json.loads(measured.report_path.read_text("utf-8"))
    # It has tests of its own.
    expected = there.pop("expectation")
    assert (expected["queries"], expected["held_out"]) == (200, 1397)
    assert there == {
        "data": "digits",
        "protocol": dataset.protocol,
        "training_images": 200,
        "model_digest": hn.models.weights_digest(measured.model),
        "undecodable": {"query": [], "database": []},
        "retrieval": report.as_dict(),
    }
    assert (report.queries, report.database, report.at) == (200, 1597, 100)


def test_codes_are_the_models_of_each_part(measured):
    dataset = hn.datasets.load(**measured.config.data_source())
    model = measured.model
    for part in ("query", "database"):
        images = getattr(dataset, part)
        code_set = CodeSet.load(measured.codes_path(part))
        pixels = hn.datasets.pixel_array(images, (8, 8))
        np.testing.assert_array_equal(code_set.codes, model.encode(pixels))
        np.testing.assert_array_equal(code_set.labels, images.labels)
        assert code_set.ids == images.names
        assert code_set.manifest["protocol"] == dataset.protocol
        assert code_set.manifest["images"] == {
            **measured.config.data_source(),
            "part": part,
        }


def test_measured_again_the_codes_are_not_made_again(measured):
    codes = [
        path
        for part in ("query", "database")
        for path in measured.codes_path(part).iterdir()
    ]
    times = [path.stat().st_mtime_ns for path in codes]
    report = Run(str(measured.path)).evaluate(at=50)
    assert [path.stat().st_mtime_ns for path in codes] == times
    assert measured.report["retrieval"] == report.as_dict()
    assert report.at == 50
    measured.evaluate(at=100)


def test_the_protocols_rank_is_taken_where_none_is_asked(measured, tmp_path):
    shutil.copytree(measured.path, tmp_path / "run")
    dataset, record = measured.load_data()
    ranked = dataclasses.replace(dataset, at=37)
    run = Run(tmp_path / "run", hn.runs.RunData(ranked, record))
    assert run.evaluate().at == 37
    # 1,597 items are fewer than the usual 5,000.
    run = Run(tmp_path / "run", hn.runs.RunData(dataset, record))
    assert run.evaluate().at == 1597


@pytest.mark.parametrize("at", [0, -1])
def test_refuses_ranks_that_are_none(at, measured):
    before = measured.report_path.read_bytes()
    with pytest.raises(ValueError, match=f"Received: at={at}"):
        measured.evaluate(at)
    assert measured.report_path.read_bytes() == before


def test_needs_a_trained_run(config_of, tmp_path):
    with pytest.raises(ValueError, match="Received: no .*config.json$"):
        Run(tmp_path).evaluate()
    write_json(tmp_path / "config.json", config_of().as_dict())
    with pytest.raises(ValueError, match="Received: no .*model.keras$"):
        Run(tmp_path).evaluate()
    assert not (tmp_path / "codes").exists()


@pytest.fixture(scope="module")
def frozen(config_of, weights_file, tmp_path_factory):
    """A run with a frozen backbone, measured by the images themselves."""
    config = config_of(
        freeze_backbone=True,
        weights=weights_file,
        framing="modern",
        views=2,
        hidden=8,
        dropout=0.25,
    )
    run = train(config, tmp_path_factory.mktemp("runs") / "frozen")
    run.evaluate(at=100)
    return run


@pytest.fixture(scope="module")
def shared(frozen, tmp_path_factory):
    """Features of the queries and the database, and a run measured by them."""
    run = Run(tmp_path_factory.mktemp("runs") / "shared")
    shutil.copytree(frozen.path, run.path)
    shutil.rmtree(run.path / "codes")
    run.report_path.unlink()
    features = run.path.with_name("features")
    run.evaluate(at=100, features=str(features))
    return features, run


@pytest.mark.slow
def test_by_features_it_is_the_same_to_the_byte(frozen, shared, listing):
    features, run = shared
    files = listing(frozen.path / "codes")
    assert listing(run.path / "codes") == files
    assert len(files) == 10
    for path in [*(f"codes/{name}" for name in files), "report.json"]:
        found = (run.path / path).read_bytes()
        assert found == (frozen.path / path).read_bytes()
    codes = CodeSet.load(run.codes_path("database")).codes
    assert len(np.unique(codes, axis=0)) > 10
    rows = [np.load(path)["features"] for path in features.glob("*/*.npy")]
    assert {of.shape for of in rows} == {(200, 1, 16), (1597, 1, 16)}


@pytest.mark.slow
def test_features_are_computed_once_for_all_runs(
    shared, frozen, weights_file, config_of, tmp_path, monkeypatch
):
    features, _ = shared
    config = config_of(
        freeze_backbone=True,
        weights=weights_file,
        framing="modern",
        method="greedyhash",
        bits=20,
        epochs=1,
    )
    run = train(config, tmp_path / "run", frozen.features_path)
    # No image is opened from here on.
    for name in ("features", "encoding"):
        module = importlib.import_module(f"hashnet_tf.runs.{name}")
        monkeypatch.setattr(module, "ordered_batches", None)
    report = run.evaluate(at=100, features=features)
    monkeypatch.undo()
    assert report.bits == 20
    shutil.rmtree(run.path / "codes")
    assert run.evaluate(at=100) == report


@pytest.mark.slow
def test_features_of_changed_weights_are_refused(frozen, config_of, tmp_path):
    keras.utils.set_random_seed(1)
    path = tmp_path / "tiny.weights.h5"
    hn.models.backbone("tiny", (8, 8, 3)).save_weights(path)
    config = config_of(freeze_backbone=True, weights=str(path), epochs=1)
    run = train(config, tmp_path / "run")
    keras.utils.set_random_seed(2)
    hn.models.backbone("tiny", (8, 8, 3)).save_weights(path)
    with pytest.raises(ValueError, match="has their file changed"):
        run.evaluate(features=tmp_path / "features")
    assert not (run.path / "codes").exists()
    assert not (tmp_path / "features").exists()


def test_without_a_frozen_backbone_images_are_encoded(measured, tmp_path):
    before = measured.report
    measured.evaluate(at=100, features=tmp_path / "features")
    assert measured.report == before
    assert not (tmp_path / "features").exists()


def code_set(seed, n, digest="m", labelled=True):
    rng = np.random.default_rng(seed)
    signs = rng.choice([-1, 1], size=(n, 12))
    labels = rng.integers(0, 3, n) if labelled else None
    manifest = {"bits": 12, "model_digest": digest}
    names = [str(i) for i in range(n)]
    return CodeSet(hn.retrieval.pack(signs), names, labels, manifest)


def test_is_the_evaluation_of_their_codes():
    query, database = code_set(0, 20), code_set(1, 90)
    expected = hn.retrieval.evaluate(
        query.codes, database.codes, query.labels, database.labels, 12, at=7
    )
    assert evaluate_code_sets(query, database, at=7) == expected


def test_two_encoders_are_refused_by_name():
    with pytest.raises(ValueError, match="model_digest=n beside m$"):
        evaluate_code_sets(code_set(0, 5, "n"), code_set(1, 5))


@pytest.mark.parametrize("part", ["query", "database"])
def test_labels_are_needed(part):
    sets = {"query": code_set(0, 5), "database": code_set(1, 5)}
    sets[part] = code_set(2, 5, labelled=False)
    with pytest.raises(ValueError, match=f"Received: {part} of 5 codes"):
        evaluate_code_sets(**sets)
