"""Runs on vectors, end to end."""

import dataclasses

import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf.runs import Run, TrainingConfig, train
from hashnet_tf.runs.networks import STANDARDIZED

CLASSES, WIDTH = 4, 10
RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, CLASSES, 300)
CENTRES = RNG.normal(size=(CLASSES, WIDTH))
ROWS = CENTRES[LABELS] + 0.6 * RNG.normal(size=(300, WIDTH))
# What drowns all else: a common offset and one huge column.
ROWS += 30
ROWS[:, 3] = 1000 * RNG.normal(size=300)
ROWS = ROWS.astype("float32")
IDS = [f"word {i}" for i in range(300)]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """300 vectors with labels and ids."""
    path = tmp_path_factory.mktemp("vectors") / "x.npy"
    np.save(path, ROWS)
    np.save(path.with_name("x_labels.npy"), LABELS)
    np.save(path.with_name("x_ids.npy"), IDS)
    return path


@pytest.fixture(scope="module")
def unlabelled(tmp_path_factory):
    path = tmp_path_factory.mktemp("vectors") / "u.npy"
    np.save(path, ROWS)
    return path


@pytest.fixture(scope="module")
def settings(file):
    return {
        "data": f"vectors:{file}",
        "bits": 16,
        "batch_size": 32,
        "epochs": 12,
        "learning_rate": 1e-3,
    }


@pytest.fixture(scope="module")
def trained(settings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "vectors"
    return train(TrainingConfig(**settings), folder)


def test_what_vectors_settle(settings):
    config = TrainingConfig(**settings)
    assert config.is_of_vectors
    assert (config.backbone, config.freeze_backbone) == ("vectors", True)
    assert config.standardize and config.held_out == 0.2
    assert TrainingConfig.from_dict(config.as_dict()) == config
    again = dataclasses.replace(config, standardize=False)
    assert not again.standardize
    fitted = TrainingConfig(settings["data"], method="itq")
    assert fitted.freeze_backbone and not fitted.standardize
    assert TrainingConfig.from_dict(fitted.as_dict()) == fitted
    images = TrainingConfig("digits")
    assert not images.is_of_vectors and images.standardize is False


@pytest.mark.parametrize(
    "setting",
    [
        {"image_size": 16},
        {"weights": "a.h5"},
        {"backbone": "MobileNetV2"},
        {"framing": "paper"},
        {"augmentation": "shift_flip"},
        {"views": 2},
        {"skip_undecodable": True},
        {"cache_images": "never"},
    ],
)
def test_what_is_of_images_is_refused(settings, setting):
    (name,) = setting
    with pytest.raises(ValueError, match=f"are for images.*{name}="):
        TrainingConfig(**settings, **setting)


def test_the_backbone_of_vectors_is_for_these():
    with pytest.raises(ValueError, match="vectors is for data=vectors:FILE"):
        TrainingConfig("digits", backbone="vectors")


def test_the_network_standardises(trained):
    model = trained.model
    assert model.backbone.input_shape == (None, WIDTH)
    (layer,) = [
        found
        for found in model._flatten_layers()
        if found.name.startswith(STANDARDIZED)
    ]
    given = trained.dataset.train.array()
    mean, variance = layer.get_weights()
    np.testing.assert_allclose(mean, given.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(variance, given.var(axis=0), rtol=1e-3)


def test_it_finds_what_shares_a_class(trained):
    report = trained.evaluate(at=50)
    # By chance a quarter.
    assert report.map > 0.7
    held = trained.report["expectation"]
    assert held["unit"] == "vectors" and held["right"] > 7
    database = hn.runs.CodeSet.load(trained.codes_path("database"))
    places = [IDS.index(name) for name in database.ids]
    np.testing.assert_array_equal(
        database.codes, trained.model.encode(ROWS[places])
    )
    assert not trained.features_path.exists()


def test_scaled_as_it_comes_it_finds_less(settings, trained, tmp_path):
    config = TrainingConfig(**settings, standardize=False)
    other = train(config, tmp_path / "raw").evaluate(at=50)
    assert other.map < trained.evaluate(at=50).map - 0.2


def test_vectors_are_asked_with(trained):
    trained.evaluate(at=50)
    one = trained.search(ROWS[7], k=3)
    assert one.indices.shape == (1, 3)
    two = trained.search(ROWS[[7, 8]].astype("float64"), k=3)
    np.testing.assert_array_equal(two.indices[:1], one.indices)
    assert "  vector\n" in one.table()
    with pytest.raises(ValueError, match="no looks"):
        one.draw("never.png")
    with pytest.raises(ValueError, match=r"`vectors` must be one array"):
        trained.search(ROWS[7, :4])


def test_a_file_is_asked_with(trained, tmp_path):
    np.save(tmp_path / "q.npy", ROWS[[7, 8]])
    trained.evaluate(at=50)
    found = trained.search(tmp_path / "q.npy", k=2)
    np.testing.assert_array_equal(
        found.indices, trained.search(ROWS[[7, 8]], k=2).indices
    )
    np.testing.assert_array_equal(
        trained.encode(tmp_path / "q.npy"), trained.encode(ROWS[[7, 8]])
    )


def test_a_file_is_encoded(trained, unlabelled, file, tmp_path):
    plain = hn.runs.encode_vectors(
        trained.encoder, unlabelled, tmp_path / "plain"
    )
    assert plain.labels is None and plain.ids[299] == "299"
    np.testing.assert_array_equal(plain.codes, trained.model.encode(ROWS))
    named = hn.runs.encode_vectors(trained.encoder, file, tmp_path / "named")
    assert named.ids == IDS and named.labels is not None
    np.testing.assert_array_equal(named.labels, LABELS)
    there = hn.runs.open_images(plain.manifest["images"])
    np.testing.assert_array_equal(there.array(), ROWS)


def test_a_killed_encoding_goes_on(trained, unlabelled, tmp_path, monkeypatch):
    encoder = hn.runs.KerasEncoder(trained.model)
    calls = []

    class Killed(Exception):
        pass

    class Counting:
        bits, framing = encoder.bits, encoder.framing
        image_size, model_digest = encoder.image_size, encoder.model_digest

        def encode(self, vectors):
            calls.append(len(vectors))
            if len(calls) == 2:
                raise Killed
            return encoder.encode(vectors)

    with pytest.raises(Killed):
        hn.runs.encode_vectors(Counting(), unlabelled, tmp_path / "codes")
    found = hn.runs.encode_vectors(Counting(), unlabelled, tmp_path / "codes")
    assert calls == [128, 128, 128, 44]
    np.testing.assert_array_equal(found.codes, trained.model.encode(ROWS))


def test_encoders_take_their_own_kind(trained, write_images, file, tmp_path):
    photos = tmp_path / "photos"
    write_images(photos, ["a.png"])
    with pytest.raises(ValueError, match="takes vectors. Received: images"):
        hn.runs.encode_folder(trained.encoder, photos, tmp_path / "a")
    network = hn.models.backbone("small_cnn", (16, 16, 3))
    of_images = hn.runs.KerasEncoder(hn.HashNet(network, 16))
    with pytest.raises(ValueError, match="takes images. Received: vectors"):
        hn.runs.encode_vectors(of_images, file, tmp_path / "a")
    with pytest.raises(ValueError, match="encodes no image files"):
        trained.encoder.encode_files([photos / "a.png"])


def test_without_labels_a_map_is_fitted(unlabelled, tmp_path):
    config = TrainingConfig(f"vectors:{unlabelled}", method="itq", bits=6)
    run = train(config, tmp_path / "itq")
    given = run.dataset.train.array()
    itq = hn.shallow.ITQ(6, seed=0).fit(given)
    asked = run.dataset.query.array()
    np.testing.assert_array_equal(run.model.encode(asked), itq.encode(asked))
    report = run.evaluate_neighbors()
    assert 0 < report.recall_at[10] < report.recall_at[100] <= 1
    with pytest.raises(ValueError, match="without labels"):
        run.evaluate()


def test_other_vectors_are_refused(settings, file, tmp_path):
    path = tmp_path / "x.npy"
    for end in (".npy", "_labels.npy", "_ids.npy"):
        source = file.with_name(f"x{end}")
        path.with_name(f"x{end}").write_bytes(source.read_bytes())
    config = TrainingConfig(**{**settings, "data": f"vectors:{path}"})
    run = train(config, tmp_path / "run")
    np.save(path.with_name("x_labels.npy"), (LABELS + 1) % CLASSES)
    with pytest.raises(ValueError, match="must stay as they were"):
        Run(run.path).evaluate()
