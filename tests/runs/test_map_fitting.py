"""Runs whose hash layer is fitted without labels, end to end."""

import importlib

import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf.datasets import pixel_array
from hashnet_tf.methods import MAP_METHODS, METHODS
from hashnet_tf.runs import Run, TrainingConfig, train
from hashnet_tf.runs.map_fitting import fit_map
from hashnet_tf.runs.networks import build_backbone

MODULE = importlib.import_module("hashnet_tf.runs.map_fitting")
# So many features has "tiny".
WIDTH = 16


@pytest.fixture(scope="module")
def photos(write_images, tmp_path_factory):
    """40 photographs in no class folders."""
    folder = tmp_path_factory.mktemp("photos")
    names = [f"2019/{i % 3:02}/{i:02}.png" for i in range(30)]
    write_images(folder, names + [f"loose {i}.png" for i in range(10)])
    return folder


@pytest.fixture(scope="module")
def settings(photos, weights_file):
    """Settings of a fitting to the features of "tiny"."""
    return {
        "data": f"folder:{photos}",
        "backbone": "tiny",
        "weights": weights_file,
        "image_size": 8,
        "bits": 12,
        "method": "itq",
    }


@pytest.fixture(scope="module")
def fitted(settings, tmp_path_factory):
    config = TrainingConfig(**settings)
    return train(config, tmp_path_factory.mktemp("runs") / "fitted")


@pytest.mark.parametrize("name", MAP_METHODS)
def test_the_bits_are_those_of_the_estimator(name):
    bits = WIDTH if name == "sign" else 12
    rng = np.random.default_rng(0)
    features = rng.normal(size=(500, WIDTH)).astype("float32") + 2
    config = TrainingConfig("digits", method=name, bits=bits, seed=3)
    head = fit_map(config, features)
    estimator = METHODS[name].estimator(bits, seed=3).fit(features)
    others = rng.normal(size=(2000, WIDTH)).astype("float32") + 2
    np.testing.assert_array_equal(head.encode(others), estimator.encode(others))
    assert head.bits == bits
    assert float(head.scaled_tanh.beta.value) == 1


def test_the_registry_names_what_can_be_fitted():
    assert list(MAP_METHODS) == ["itq", "pca", "lsh", "sign"]
    for name in MAP_METHODS:
        assert hasattr(METHODS[name].resolve(), "dense_weights")


def test_a_run_is_a_hashnet_like_any(fitted, photos, settings, capsys):
    assert type(fitted.model) is hn.HashNet and fitted.model.bits == 12
    assert fitted.config.freeze_backbone
    assert fitted.history == [] and fitted.draw() == []
    dataset = fitted.dataset
    assert not dataset.is_labelled
    assert [len(dataset.train), len(dataset.query)] == [36, 4]
    # As whoever fits the features by hand.
    network = build_backbone(fitted.config)
    features = network.predict(pixel_array(dataset.train, (8, 8)), verbose=0)
    itq = hn.shallow.ITQ(12).fit(features)
    paths = [photos / name for name in dataset.train.names]
    np.testing.assert_array_equal(fitted.encode(paths), itq.encode(features))
    train(TrainingConfig(**settings), fitted.path)
    assert "is trained already" in capsys.readouterr().out


def test_it_encodes_and_is_searched(fitted, photos, tmp_path):
    code_set = hn.runs.encode_folder(fitted.encoder, photos, tmp_path / "all")
    assert code_set.labels is None and len(code_set.ids) == 40
    found = fitted.search(photos / "loose 3.png", k=2, codes=tmp_path / "all")
    assert "loose 3.png" in found.table()
    assert fitted.encode_part("query").labels is None


def test_it_is_measured_by_its_features(fitted):
    report = fitted.evaluate_neighbors()
    dataset, network = fitted.dataset, build_backbone(fitted.config)
    features = [
        network.predict(pixel_array(part, (8, 8)), verbose=0)
        for part in (dataset.query, dataset.database)
    ]
    codes = [fitted.encode_part(part).codes for part in ("query", "database")]
    expected = hn.retrieval.evaluate_neighbors(*codes, *features, bits=12)
    assert report.recall_at == pytest.approx(expected.recall_at)
    assert report.ones == expected.ones
    assert [row.pairs for row in report.distortion] == [
        row.pairs for row in expected.distortion
    ]
    written = Run(fitted.path).report
    assert written["retrieval"] is None
    assert hn.retrieval.NeighborReport.from_dict(written["neighbors"]) == report


def test_without_labels_there_is_no_map(fitted):
    with pytest.raises(ValueError, match="Received: 4 images without labels"):
        fitted.evaluate()


def test_with_labels_both_are_measured(settings, tmp_path):
    config = TrainingConfig(**{**settings, "data": "digits"})
    run = train(config, tmp_path / "run")
    near = run.evaluate_neighbors()
    by_labels = run.evaluate(at=50)
    assert by_labels.queries == near.queries == 200
    assert run.report["retrieval"] == by_labels.as_dict()
    assert run.report["neighbors"] == near.as_dict()
    # Labels say nothing to the fitting.
    features = build_backbone(config).predict(
        pixel_array(run.dataset.train, (8, 8)), verbose=0
    )
    kernel, _ = run.model.hash_layer.get_weights()
    expected, _ = hn.shallow.ITQ(12).fit(features).dense_weights()
    np.testing.assert_allclose(kernel, expected, atol=1e-4)


def test_it_is_exported(fitted):
    report = fitted.export(formats=["litert", "saved_model"], quantize=[None])
    assert report.map is None and not report.broken
    for measurement in report.measurements:
        assert measurement.parity.bits_moved == 0
        assert measurement.map is None
    assert len(report.measurements) == 2
    assert "0 of 48 (0.00% +- 0.00%)" in report.table()


def test_it_learns_from_a_sample(settings, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(MODULE, "SAMPLE", 20)
    train(TrainingConfig(**settings), tmp_path / "run")
    assert "Fitting ITQ to 20 features" in capsys.readouterr().out


def test_random_weights_are_told(settings, tmp_path, capsys):
    config = TrainingConfig(**{**settings, "weights": None})
    train(config, tmp_path / "run")
    assert "tiny has random weights" in capsys.readouterr().out


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"method": "sign"}, "so `bits` must be 16. Received: bits=12"),
        ({"bits": 40}, r"Received: bits=40, features.shape=\(36, 16\)"),
        ({"method": "hashnet-r"}, "Received: 36 images without labels"),
    ],
)
def test_refuses_before_there_is_a_run(settings, changed, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        train(TrainingConfig(**{**settings, **changed}), tmp_path / "run")
    assert not (tmp_path / "run" / "config.json").exists()


@pytest.mark.parametrize(
    "name, value",
    [
        ("hidden", 64),
        ("dropout", 0.5),
        ("epochs", 3),
        ("learning_rate", 0.1),
        ("augmentation", "shift"),
        ("beta", 5.0),
        ("radius", 4.0),
    ],
)
def test_what_is_of_steps_is_refused(settings, name, value):
    with pytest.raises(ValueError, match=f"leaves no choice of {name}"):
        TrainingConfig(**{**settings, name: value})


def test_neighbours_need_a_frozen_backbone(trained):
    with pytest.raises(ValueError, match="Received: freeze_backbone=False"):
        trained.evaluate_neighbors()
