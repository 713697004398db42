import importlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

import h5py
import keras
import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf._files import only_writer, write_json
from hashnet_tf.runs import Run, read_records, supervision, train
from hashnet_tf.runs.folder import read_record

MODULE = importlib.import_module("hashnet_tf.runs.fitting")


def beta_at(step, steps=12):
    """Beta at a step: from 1 to 10 in so many steps, each a rise."""
    return (1 + 99 / steps * step) ** 0.5


def progress(run):
    """Steps and betas of a run's records."""
    rows = read_records(run.records_path)
    return [(row["step"], row["beta"]) for row in rows]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def kill_after(monkeypatch, killed):
    """Function that kills trainings at a step, or none of them at None."""

    def kill(steps):
        class Killing(MODULE.Records):
            def on_train_begin(self, logs=None):
                if steps == 0:
                    raise killed

            def on_train_batch_end(self, batch, logs=None):
                if int(self.model.optimizer.iterations.numpy()) == steps:
                    raise killed

        monkeypatch.setattr(MODULE, "Records", Killing)

    return kill


def test_what_lies_where(trained):
    assert names(trained.path) == [
        "checkpoints",
        "config.json",
        "data.json",
        "digests.json",
        "logs",
        "model.keras",
    ]
    assert names(trained.checkpoint_path.parent) == [
        "digests.json",
        "last.weights.h5",
    ]
    assert names(trained.logs_path) == [
        "digests.json",
        "g_after.npy",
        "g_before.npy",
        "records.jsonl",
        "train",
    ]
    (events,) = (trained.logs_path / "train").iterdir()
    assert "tfevents" in events.name


@pytest.mark.slow
def test_the_table_of_a_run_directory_is_all_there_is(
    frozen, measured, trained, tmp_path
):
    shutil.copytree(measured.path, tmp_path / "run")
    hn.runs.Run(tmp_path / "run").draw()
    there = {
        name if name != "codes" else f"codes/{part}"
        for path in (frozen.path, trained.path, tmp_path / "run")
        for name in names(path)
        for part in ("query", "database")
    }
    # Of these `hashnet export` makes the last.
    table = re.findall(r"^    \| (`.*?`) \|", Run.__doc__, re.M)
    listed = re.findall(r"`([^`]*?)/?`", " ".join(table))
    assert sorted(listed) == sorted([*there, "export"])


def test_records(trained):
    rows = read_records(trained.records_path)
    assert [row["step"] for row in rows] == [0, 4, 8, 12]
    # Beta is that of an epoch's last step.
    betas = [1.0, beta_at(3), beta_at(7), beta_at(11)]
    assert [row["beta"] for row in rows] == pytest.approx(betas, rel=1e-6)
    for row in rows:
        assert {"J", "L", "gap", "bit_balance", "bit_correlation"} < set(row)
    assert ["loss" in row for row in rows] == [False, True, True, True]
    before, after = (
        np.load(path)
        for path in (trained.codes_before_path, trained.codes_after_path)
    )
    for g, row in ((before, rows[0]), (after, rows[-1])):
        assert g.shape == (200, 12)
        gap = np.mean(1 - np.abs(g))
        np.testing.assert_allclose(row["gap"], gap, rtol=1e-4)


def test_the_model_gives_the_codes(trained):
    model = trained.model
    assert isinstance(model, hn.HashNet)
    assert (model.bits, model.backbone.input_shape) == (12, (None, 8, 8, 3))
    assert float(model.scaled_tanh.beta) == pytest.approx(beta_at(11))
    dataset = hn.datasets.load(**trained.config.data_source())
    pixels = hn.datasets.pixel_array(dataset.train, (8, 8))
    # All 200 training images are the sample that was watched.
    expected = hn.retrieval.pack(np.load(trained.codes_after_path))
    np.testing.assert_array_equal(model.encode(pixels), expected)


def test_a_training_that_diverges_ends(config_of, tmp_path):
    config = config_of(optimizer="paper", learning_rate=1e30)
    message = "lower --learning_rate.* by step [1-8], in .* as beta"
    with pytest.raises(ValueError, match=message) as error:
        train(config, tmp_path)
    step, beta = re.search(
        r"by step (\d), in (\S+) as", str(error.value)
    ).groups()
    # Beta is set before a step, the step counted after it.
    assert int(step) > 1
    assert float(beta) == pytest.approx(beta_at(int(step) - 1, 8), rel=1e-3)
    assert not Run(tmp_path).model_path.exists()


def test_the_sample_that_is_watched_is_fixed(
    config_of, tmp_path, monkeypatch, killed
):
    models = []

    class Killing(MODULE.Records):
        def on_train_begin(self, logs=None):
            models.append(self.model)
            raise killed

    # The codes before training are there by then.
    monkeypatch.setattr(MODULE, "Records", Killing)
    monkeypatch.setattr(supervision, "MONITORED", 30)
    config, run = config_of(epochs=1, seed=6), Run(tmp_path)
    with pytest.raises(killed):
        train(config, tmp_path)
    images = hn.datasets.load(**config.data_source()).train
    chosen = np.sort(np.random.default_rng(6).permutation(200)[:30])
    pixels = hn.datasets.pixel_array(images.subset(chosen), (8, 8))
    expected = hn.retrieval.pack(np.load(run.codes_before_path))
    np.testing.assert_array_equal(models[0].encode(pixels), expected)
    assert len(np.unique(expected, axis=0)) > 5


def test_the_same_command_again_does_nothing(trained, monkeypatch, capsys):
    def state():
        paths = sorted(trained.path.rglob("*"))
        return {path: path.stat().st_mtime_ns for path in paths}

    before = state()
    # Not even the data are opened.
    monkeypatch.setattr(Run, "load_data", None)
    assert train(trained.config, str(trained.path)).path == trained.path
    assert state() == before
    assert capsys.readouterr().out == f"{trained.path} is trained already\n"


def with_others(config, **others):
    return hn.runs.TrainingConfig(**{**config.as_dict(), **others})


def test_other_settings_in_the_folder_are_refused(trained):
    before = names(trained.path)
    other = with_others(trained.config, backbone="small_cnn", bits=16, epochs=2)
    with pytest.raises(ValueError) as error:
        train(other, trained.path)
    assert str(error.value).endswith(
        "Received: backbone='small_cnn' instead of 'tiny', bits=16 instead of"
        " 12, epochs=2 instead of 3"
    )
    assert names(trained.path) == before


@pytest.fixture
def unbroken(trained):
    """What a training that was killed is held to."""
    return trained


def in_checkpoint(path):
    """Returns all arrays of a file of weights by their names."""
    arrays = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: (
                arrays.update({name: item[()]})
                if isinstance(item, h5py.Dataset)
                else None
            )
        )
    return arrays


def assert_same_weights(run, other):
    """Holds two trained runs to be one, bit for bit."""
    for one, wanted in zip(
        run.model.get_weights(), other.model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(one, wanted)
    # The optimizer's state with them.
    states = [in_checkpoint(one.checkpoint_path) for one in (run, other)]
    assert len(states[0]) > len(run.model.weights)
    assert states[0].keys() == states[1].keys()
    for name, values in states[0].items():
        np.testing.assert_array_equal(values, states[1][name])
    for name in ("codes_before_path", "codes_after_path", "records_path"):
        one, wanted = getattr(run, name), getattr(other, name)
        assert one.read_bytes() == wanted.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("step", [2, 11])
def test_a_killed_training_goes_on(
    step, unbroken, kill_after, killed, tmp_path, capsys
):
    config = unbroken.config
    kill_after(step)
    with pytest.raises(killed):
        train(config, tmp_path / "run")
    kill_after(None)
    run = Run(tmp_path / "run")
    assert not run.model_path.exists()
    done = step // 4
    assert progress(run) == progress(unbroken)[: done + 1]
    capsys.readouterr()
    train(config, run.path)
    told = capsys.readouterr().out
    assert (f"Going on after epoch {done}" in told) == (done > 0)
    assert progress(run) == progress(unbroken)
    assert_same_weights(run, unbroken)
    assert float(run.model.scaled_tanh.beta) == pytest.approx(
        progress(run)[-1][1], rel=1e-6
    )
    assert names(run.path) == names(unbroken.path)


@pytest.mark.slow
def test_a_killed_training_of_a_rival_draws_what_an_unbroken_one_does(
    trained, kill_after, killed, tmp_path
):
    # Of HashNet-R; left out, they are those of the rival.
    of_method = {"likelihood": None, "beta": None}
    config = with_others(
        trained.config, method="csq", classes_per_batch=5, **of_method
    )
    unbroken = train(config, tmp_path / "unbroken")
    kill_after(9)
    with pytest.raises(killed):
        train(config, tmp_path / "run")
    kill_after(None)
    assert_same_weights(train(config, tmp_path / "run"), unbroken)


def test_a_run_that_another_trains_is_left_alone(config_of, tmp_path):
    config, folder = config_of(), tmp_path / "run"
    message = f"{folder} must be written by one .* process {os.getpid()} writes"
    with only_writer(folder), pytest.raises(OSError, match=message):
        train(config, folder)
    assert not folder.exists()


@pytest.mark.slow
def test_a_training_that_diverges_keeps_its_last_good_epoch(
    config_of, tmp_path, monkeypatch
):
    class Spoiling(MODULE.Records):
        def on_train_batch_end(self, batch, logs=None):
            if int(self.model.optimizer.iterations.numpy()) == 6:
                self.model.hash_layer.bias.assign([np.nan] * 12)

    monkeypatch.setattr(MODULE, "Records", Spoiling)
    with pytest.raises(ValueError, match="what the last whole epoch.*step 7"):
        train(config_of(), tmp_path)
    run = Run(tmp_path)
    left = in_checkpoint(run.checkpoint_path)
    assert all(np.isfinite(values).all() for values in left.values())
    assert 4 in [int(v) for v in left.values() if v.ndim == 0]
    with pytest.raises(ValueError, match="1 of 2 epochs are done"):
        run.evaluate()


@pytest.mark.slow
def test_what_is_reached_so_far(unbroken, kill_after, killed, tmp_path):
    kill_after(11)
    with pytest.raises(killed):
        train(unbroken.config, tmp_path / "run")
    kill_after(None)
    run = Run(tmp_path / "run")
    with pytest.raises(ValueError) as error:
        run.evaluate()
    assert "2 of 3 epochs are done; the same `hashnet train` goes on" in str(
        error.value
    )
    there = run.so_far()
    assert there.path == run.path / "so_far"
    report = there.evaluate(at=100)
    assert 0 < report.map < 1 and there.report["retrieval"]["at"] == 100
    stored = in_checkpoint(run.checkpoint_path)
    kernel = there.model.hash_layer.kernel.numpy()
    assert any(
        values.shape == kernel.shape and (values == kernel).all()
        for values in stored.values()
    )
    # The run itself goes on as before, and is then what is measured.
    assert_same_weights(train(unbroken.config, run.path), unbroken)
    assert run.so_far() is run


def test_nothing_is_reached_before_an_epoch(config_of, tmp_path):
    run = Run(tmp_path)
    write_json(run.config_path, config_of().as_dict())
    with pytest.raises(ValueError, match=f"no {run.checkpoint_path}$"):
        run.so_far()


def test_a_kill_before_the_model_is_saved(unbroken, tmp_path):
    shutil.copytree(unbroken.path, tmp_path / "run")
    run = Run(tmp_path / "run")
    run.model_path.unlink()
    records = run.records_path.read_bytes()
    train(run.config, run.path)
    assert run.records_path.read_bytes() == records
    assert_same_weights(run, unbroken)


SUICIDE = """
import importlib, os, runpy, signal, sys
import hashnet_tf as hn

fixtures, settings, workdir = sys.argv[1:]
hn.models.backbones.OWN["tiny"] = runpy.run_path(fixtures)["tiny"]
module = importlib.import_module("hashnet_tf.runs.fitting")

class Killing(module.Records):
    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.optimizer.iterations.numpy()) == 6:
            os.kill(os.getpid(), signal.SIGKILL)

module.Records = Killing
hn.runs.train(hn.runs.Run(settings).config, workdir)
"""


@pytest.mark.slow
def test_a_killed_process_goes_on(unbroken, tmp_path):
    run = Run(tmp_path / "run")
    fixtures = pathlib.Path(__file__).parents[1] / "conftest.py"
    words = [SUICIDE, str(fixtures), str(unbroken.path), str(run.path)]
    ended = subprocess.run(
        [sys.executable, "-c", *words], capture_output=True, text=True
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert progress(run) == progress(unbroken)[:2]
    train(unbroken.config, run.path)
    assert progress(run) == progress(unbroken)
    assert_same_weights(run, unbroken)
    assert names(run.path) == names(unbroken.path)


def test_a_changed_source_is_not_gone_on_with(
    config_of, kill_after, killed, tmp_path
):
    path = tmp_path / "a.npz"
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8), np.uint8)
    labels = np.arange(60) % 3
    np.savez(path, images=images, labels=labels)
    config = config_of(
        data=f"npz:{path}",
        train_per_class=5,
        query_per_class=2,
        batch_size=8,
    )
    kill_after(0)
    with pytest.raises(killed):
        train(config, tmp_path / "run")
    np.savez(path, images=images, labels=labels[::-1])
    with pytest.raises(ValueError, match="with other names or labels"):
        train(config, tmp_path / "run")


@pytest.fixture
def spoiled(make_folder):
    """A folder of class folders in which a file is no image."""
    folder = make_folder()
    (folder / "b" / "05.png").write_text("no image")
    return folder


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"data": "other"}, "Received: data='other'"),
        ({"data": "folder:missing"}, "Received: folder:/.*/missing$"),
        ({"data": "folder:{spoiled}"}, r"Received: .*/b/05\.png"),
        ({"data": "npz:{npz}", "class_weights": "dataset"}, "similar=0"),
        ({"batch_size": 201}, "Received: batch_size=201"),
        ({"train_per_class": 9999}, "Received: 9999"),
        ({"weights": "missing.h5"}, "Received: weights='missing.h5'"),
        ({"backbone": "other"}, "Received: name='other'"),
        ({"backbone": "alexnet"}, r"Received: image_shape=\(8, 8, 3\)"),
    ],
)
def test_what_is_wrong_leaves_no_folder(
    settings, message, config_of, spoiled, tmp_path
):
    # One image of each class: no two of them are similar.
    images = np.zeros((12, 4, 4), np.uint8)
    parts = dict(x_train=images, x_test=images)
    parts |= dict(y_train=np.arange(12), y_test=np.arange(12))
    np.savez(tmp_path / "a.npz", **parts)
    if "data" in settings:
        places = {"spoiled": spoiled, "npz": tmp_path / "a.npz"}
        settings = {
            "train_per_class": None,
            "batch_size": 4,
            **settings,
            "data": settings["data"].format(**places),
        }
    with pytest.raises(ValueError, match=message):
        train(config_of(**settings), tmp_path / "runs" / "run")
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_files_that_are_no_images_are_left_out_and_listed(
    config_of, spoiled, tmp_path, capsys
):
    config = config_of(
        data=f"folder:{spoiled}",
        train_per_class=None,
        query_per_class=2,
        batch_size=8,
        epochs=1,
        skip_undecodable=True,
    )
    run = train(config, tmp_path / "run")
    told = capsys.readouterr().out
    left_out = {
        part: read_record(run)[part]["undecodable"]
        for part in ("train", "query", "database")
    }
    assert "Files: 36 found: 35 images used, 1 refused by" in told
    assert left_out["database"] + left_out["query"] == ["b/05.png"]
    assert "1 undecodable database images are left out; they are" in told
    assert str(run.data_path) in told
    report = run.evaluate()
    assert report.queries + report.database == 35
    assert run.report["undecodable"] == {
        part: left_out[part] for part in ("query", "database")
    }


@pytest.fixture(scope="module")
def frozen(config_of, weights_file, tmp_path_factory):
    """A run on 3 views of a frozen backbone."""
    config = config_of(
        freeze_backbone=True,
        weights=weights_file,
        augmentation="shift",
        views=3,
        hidden=8,
        dropout=0.25,
    )
    return train(config, tmp_path_factory.mktemp("runs") / "frozen")


@pytest.fixture(scope="module")
def pixels(frozen):
    images = hn.datasets.load(**frozen.config.data_source()).train
    return hn.datasets.pixel_array(images, (8, 8))


def test_a_frozen_backbone_stays_as_in_its_file(frozen, weights_file):
    given = hn.models.backbone("tiny", (8, 8, 3), weights_file)
    weights = frozen.model.backbone.get_weights()
    # Behind them come the kernel and the bias of the hidden layer.
    assert len(weights) == len(given.weights) + 2
    for value, expected in zip(weights, given.get_weights(), strict=False):
        np.testing.assert_array_equal(value, expected)


def test_features_of_a_frozen_backbone_lie_in_the_run(
    frozen, pixels, weights_file
):
    (file,) = frozen.features_path.glob("*/*.npy")
    features = np.load(file)["features"]
    given = hn.models.backbone("tiny", (8, 8, 3), weights_file)
    assert features.shape == (200, 3, 16)
    np.testing.assert_allclose(
        features[:, 0],
        given.predict(pixels, batch_size=128, verbose=0),
        rtol=1e-5,
    )
    for one, other in ((0, 1), (0, 2), (1, 2)):
        changed = (features[:, one] != features[:, other]).any(axis=1)
        assert changed.mean() > 0.5


def test_the_whole_model_gives_the_codes_of_head_on_features(frozen, pixels):
    (file,) = frozen.features_path.glob("*/*.npy")
    head = hn.runs.networks.build_head(frozen.config, 16)
    head.load_weights(frozen.checkpoint_path)
    codes = head.encode(np.load(file)["features"][:, 0])
    np.testing.assert_array_equal(frozen.model.encode(pixels), codes)
    watched = hn.retrieval.pack(np.load(frozen.codes_after_path))
    np.testing.assert_array_equal(watched, codes)
    assert len(np.unique(codes, axis=0)) > 1


@pytest.mark.slow
def test_features_are_shared_between_runs(
    frozen, config_of, weights_file, tmp_path, monkeypatch
):
    module = importlib.import_module("hashnet_tf.runs.features")
    config = config_of(
        freeze_backbone=True,
        weights=weights_file,
        augmentation="shift",
        views=3,
        bits=20,
        epochs=1,
    )
    before = set(frozen.features_path.rglob("*"))
    monkeypatch.setattr(module, "ordered_batches", None)
    run = train(config, tmp_path / "run", features=str(frozen.features_path))
    assert set(frozen.features_path.rglob("*")) == before
    assert not run.features_path.exists()
    assert run.model.bits == 20


def test_another_weights_file_has_features_of_its_own(
    frozen, config_of, kill_after, killed, tmp_path
):
    keras.utils.set_random_seed(6)
    path = tmp_path / "other.weights.h5"
    hn.models.backbone("tiny", (8, 8, 3)).save_weights(path)
    config = config_of(freeze_backbone=True, weights=str(path), epochs=1)
    shared = tmp_path / "features"
    shutil.copytree(frozen.features_path, shared)
    # They are taken before the training.
    kill_after(0)
    with pytest.raises(killed):
        train(config, tmp_path / "run", features=shared)
    assert len(list(shared.glob("*/*.npy"))) == 2


@pytest.mark.slow
def test_a_killed_training_on_features_goes_on(
    frozen, kill_after, killed, tmp_path
):
    kill_after(6)
    with pytest.raises(killed):
        train(frozen.config, tmp_path, features=frozen.features_path)
    kill_after(None)
    run = train(frozen.config, tmp_path, features=frozen.features_path)
    assert progress(run) == progress(frozen)


@pytest.mark.slow
def test_multi_label_lists_with_the_papers_settings(
    config_of, make_lists, tmp_path
):
    folder, rows = make_lists()
    config = config_of(
        data=f"lists:{folder}",
        train_per_class=None,
        batch_size=8,
        method="hashnet",
        similarity="jaccard",
        class_weights="dataset",
        schedule="staged",
        optimizer="paper",
        learning_rate=0.01,
        head_multiplier=4.0,
        hidden=8,
        dropout=0.5,
        alpha=0.3,
        epochs=5,
    )
    run = train(config, tmp_path / "run")
    model = keras.saving.load_model(run.model_path)
    shared = rows[:16] @ rows[:16].T > 0
    similar = shared.sum() - 16
    loss = model.loss.get_config()
    assert loss["class_weights"] == pytest.approx(
        [240 / similar, 240 / (240 - similar)]
    )
    assert (loss["similarity"], loss["alpha"]) == ("jaccard", 0.3)
    optimizer = model.optimizer
    assert isinstance(optimizer, keras.optimizers.SGD)
    assert optimizer.multipliers == {"hash": 4.0, "hidden": 4.0}
    # Ten stages in ten steps; an epoch ends with each second.
    betas = [10 ** (stage / 9) for stage in (0, 1, 3, 5, 7, 9)]
    assert [beta for _, beta in progress(run)] == pytest.approx(betas)
    report = run.evaluate(at=10)
    assert (report.queries, report.database) == (4, 24)


@pytest.mark.slow
def test_patience_raises_beta_after_the_epoch_is_measured(
    config_of, tmp_path, monkeypatch
):
    monitors = []

    class Monitor(MODULE.ContinuationMonitor):
        def __init__(self, *arguments, **named):
            super().__init__(*arguments, **named)
            monitors.append(self)

    monkeypatch.setattr(MODULE, "ContinuationMonitor", Monitor)
    config = config_of(
        schedule="staged", patience=1, epochs=6, learning_rate=1e-12
    )
    run = train(config, tmp_path)
    betas = [beta for _, beta in progress(run)]
    stages = [np.float32(10 ** (stage / 9)) for stage in range(10)]
    assert betas[:2] == [1.0, 1.0] and betas == sorted(betas)
    # At such a rate the loss goes up and down by chance.
    assert betas[-1] > 1
    np.testing.assert_allclose(betas, [_nearest(stages, b) for b in betas])
    # J in a row is the loss at the beta of that row.
    measured = [record["beta"] for record in monitors[0].records]
    np.testing.assert_allclose(measured, betas, rtol=1e-6)


def _nearest(values, value):
    return min(values, key=lambda v: abs(v - value))


@pytest.mark.slow
def test_the_ablations_and_the_other_switches(config_of, tmp_path):
    config = config_of(
        class_weights="none",
        beta=1.0,
        augmentation="shift_flip",
        cache_images="always",
    )
    run = train(config, tmp_path)
    assert [beta for _, beta in progress(run)] == [1.0, 1.0, 1.0]
    # As it lies on disk, with loss and optimizer.
    model = keras.saving.load_model(run.model_path)
    assert model.loss.get_config()["class_weights"] is None
    assert isinstance(model.optimizer, keras.optimizers.Adam)


@pytest.mark.slow
def test_the_seed_makes_a_run(unbroken, tmp_path):
    same = train(unbroken.config, tmp_path)
    assert_same_weights(same, unbroken)
