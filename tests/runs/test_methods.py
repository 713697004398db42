"""Runs of HashNet's variants and rivals, end to end."""

import importlib
import pathlib
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf.methods import DEEP_METHODS
from hashnet_tf.runs import read_records, train

MODULE = importlib.import_module("hashnet_tf.runs.fitting")

# Each once, on images or on features: of every training model both, and of
# the losses on HashNet itself too.
FROZEN = {
    "hashnet-r": True,
    "hashnet+c": False,
    "hashnet-w": True,
    "hashnet-sgn": False,
    "dhn": False,
    "dnnh": True,
    "cnnh": False,
    "dpsh": True,
    "dch": True,
    "greedyhash": False,
    "csq": False,
    "orthohash": True,
}
RIVALS = list(FROZEN)[4:]
QUICK = ["csq"]


@pytest.fixture(scope="module")
def run_of(config_of, weights_file, tmp_path_factory):
    """Function that gives the trained and measured run of a method."""
    runs = {}

    def make(method):
        if method not in runs:
            frozen = {"freeze_backbone": True, "weights": weights_file}
            config = config_of(
                method=method, **(frozen if FROZEN[method] else {})
            )
            runs[method] = train(config, tmp_path_factory.mktemp(method))
            runs[method].evaluate(at=100)
        return runs[method]

    return make


def test_every_method_is_run_here():
    assert ["hashnet", *FROZEN] == list(DEEP_METHODS)


def parts(run):
    return hn.datasets.load(**run.config.data_source())


@pytest.mark.parametrize(
    "method",
    [
        # One of them; the others take long.
        pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow)
        for name in FROZEN
    ],
)
def test_trains_saves_and_measures_a_hashnet(method, run_of):
    run = run_of(method)
    rows = read_records(run.records_path)
    assert [row["step"] for row in rows] == [0, 4, 8]
    assert rows[2]["loss"] < rows[1]["loss"]
    model, images = run.model, parts(run).train
    assert type(model) is hn.HashNet
    # All 200 training images are the sample that was watched.
    pixels = hn.datasets.pixel_array(images, (8, 8))
    beta = rows[-1]["beta"]
    z = np.asarray(model.logits(pixels))
    after = np.load(run.codes_after_path)
    np.testing.assert_allclose(after, np.tanh(beta * z), rtol=1e-4, atol=1e-6)
    before = np.load(run.codes_before_path)
    assert after.shape == before.shape == (200, 12)
    assert (np.abs(after - before) > 1e-3).mean() > 0.5
    report = run.report
    assert report["model_digest"] == hn.models.weights_digest(model)
    assert report["retrieval"]["map"] > 0


@pytest.mark.parametrize(
    "method",
    [
        pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow)
        for name in RIVALS
    ],
)
def test_a_rival_is_watched_by_eq_4_at_a_beta_of_1(method, run_of, slow):
    run = run_of(method)
    rows = read_records(run.records_path)
    assert [row["beta"] for row in rows] == [1.0, 1.0, 1.0]
    assert float(run.model.scaled_tanh.beta) == 1.0
    labels, g = parts(run).train.labels, np.load(run.codes_after_path)

    def relate(i, j):
        return slow.relation(labels[i], labels[j])

    expected = {"J": g, "L": np.where(g >= 0, 1.0, -1.0)}
    for name, codes in expected.items():
        loss = slow.loss(codes, relate, 5 / 12, "batch").mean()
        assert rows[-1][name] == pytest.approx(loss, rel=1e-4)


LOADED = """
import sys
import keras, numpy as np
import hashnet_tf.models

pixels = np.load(sys.argv[1])
for path in sys.argv[2:]:
    model = keras.saving.load_model(path)
    np.save(path.replace(".keras", ".npy"), model.encode(pixels))
assert "hashnet_tf.shallow" not in sys.modules
"""


@pytest.mark.slow
def test_a_model_loads_without_the_rival_that_trained_it(run_of, tmp_path):
    runs = {name: run_of(name) for name in ("dhn", "greedyhash", "dpsh")}
    pixels = hn.datasets.pixel_array(parts(runs["dhn"]).query, (8, 8))
    np.save(tmp_path / "pixels.npy", pixels)
    for name, run in runs.items():
        shutil.copy(run.model_path, tmp_path / f"{name}.keras")
    paths = [str(tmp_path / f"{name}.keras") for name in runs]
    ended = subprocess.run(
        [sys.executable, "-c", LOADED, str(tmp_path / "pixels.npy"), *paths],
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    for path, run in zip(paths, runs.values(), strict=True):
        codes = np.load(pathlib.Path(path).with_suffix(".npy"))
        np.testing.assert_array_equal(codes, run.model.encode(pixels))
        measured = hn.runs.CodeSet.load(run.codes_path("query"))
        np.testing.assert_array_equal(codes, measured.codes)


@pytest.mark.slow
def test_a_killed_rival_goes_on_with_its_whole_state(
    config_of, tmp_path, monkeypatch, killed, capsys
):
    states, kill_at = [], 6

    class Watching(MODULE.Records):
        def on_epoch_begin(self, epoch, logs=None):
            super().on_epoch_begin(epoch, logs)
            values = [*self.model.weights, *self.model.optimizer.variables]
            states.append(
                [keras.ops.convert_to_numpy(v.value).copy() for v in values]
            )

        def on_train_batch_end(self, batch, logs=None):
            if int(self.model.optimizer.iterations.numpy()) == kill_at:
                raise killed

    monkeypatch.setattr(MODULE, "Records", Watching)
    config = config_of(method="greedyhash")
    with pytest.raises(killed):
        train(config, tmp_path)
    kill_at = None
    capsys.readouterr()
    run = train(config, tmp_path)
    assert "Going on after epoch 1" in capsys.readouterr().out
    # At the begin of the epochs 0 and 1, and of 1 again.
    _, left, found = states
    assert (12, 10) in [value.shape for value in left]
    for value, expected in zip(found, left, strict=True):
        np.testing.assert_array_equal(value, expected)
    rows = read_records(run.records_path)
    assert [row["step"] for row in rows] == [0, 4, 8]


@pytest.mark.slow
def test_a_rival_that_was_killed_before_it_is_saved(run_of, tmp_path):
    unbroken = run_of("dhn")
    run = hn.runs.Run(tmp_path / "run")
    shutil.copytree(unbroken.path, run.path)
    run.model_path.unlink()
    train(run.config, run.path)
    for value, expected in zip(
        run.model.get_weights(), unbroken.model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(value, expected)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["greedyhash", "csq"])
def test_labels_of_many_kinds(method, config_of, make_lists, tmp_path):
    folder, _ = make_lists()
    config = config_of(
        data=f"lists:{folder}",
        train_per_class=None,
        batch_size=8,
        epochs=1,
        method=method,
    )
    run = train(config, tmp_path / "run")
    report = run.evaluate(at=10)
    assert (report.queries, report.database) == (4, 24)


def test_labels_that_a_rival_cannot_take_leave_no_folder(config_of, tmp_path):
    with pytest.raises(ValueError, match="Received: classes=10, bits=2"):
        train(config_of(method="csq", bits=2), tmp_path / "run")
    assert not (tmp_path / "run").exists()
