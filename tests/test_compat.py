"""What version 0.1 wrote still opens, where its files are there."""

import json
import os
import pathlib
import zipfile

import h5py
import keras
import numpy as np
import pytest
from keras import ops

import hashnet_tf as hn

DATA = os.environ.get(
    "HASHNET_TF_DATA", pathlib.Path(__file__).parents[2] / "shared" / "data"
)
FOLDER = pathlib.Path(DATA).parent / "compat_0.1"

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"no {FOLDER} beside HASHNET_TF_DATA"
)


@pytest.fixture(scope="module")
def expected():
    return dict(np.load(FOLDER / "expected.npz"))


@pytest.fixture
def model():
    # With the model's class come all others that the file names.
    assert hn.HashNet.__name__ == "HashNet"
    return keras.saving.load_model(FOLDER / "model.keras")


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    """The optimizer's variables as the file has them, by their number."""
    folder = tmp_path_factory.mktemp("weights")
    with zipfile.ZipFile(FOLDER / "model.keras") as archive:
        path = archive.extract("model.weights.h5", folder)
    with h5py.File(path) as file:
        stored = file["optimizer/vars"]
        return [stored[str(k)][()] for k in range(len(stored))]


def test_a_model_and_its_codes(model, expected):
    assert isinstance(model, hn.HashNet)
    assert model.bits == 12
    beta = ops.convert_to_numpy(model.scaled_tanh.beta.value)
    assert beta == expected["beta"]
    np.testing.assert_array_equal(
        model.encode(expected["images"]), expected["codes"]
    )


def test_a_compiled_model(model, expected, state):
    optimizer = model.optimizer
    assert type(optimizer) is hn.optimizers.LayerwiseSGD
    assert optimizer.multipliers == {"hash": 10.0}
    assert (optimizer.momentum, optimizer.l2) == (0.9, 5e-4)
    assert int(optimizer.iterations) == expected["iterations"] == 12
    assert float(optimizer.learning_rate) == np.float32(0.01)
    assert isinstance(model.loss, hn.losses.WeightedPairwiseLoss)
    # Steps, rate, and the momentum of each of four weights.
    assert len(state) == len(optimizer.variables) == 6
    for variable, stored in zip(optimizer.variables, state, strict=True):
        np.testing.assert_array_equal(variable.numpy(), stored)


def test_training_goes_on_by_hand(model, state):
    weights = model.trainable_weights
    before = [weight.numpy().astype("float64") for weight in weights]
    rng = np.random.default_rng(0)
    gradients = [rng.normal(size=w.shape).astype("float32") for w in weights]
    model.optimizer.apply([ops.convert_to_tensor(g) for g in gradients])
    rate, momenta = state[1], state[2:]
    for k, (weight, w) in enumerate(zip(weights, before, strict=True)):
        multiplier = 10 if weight.path.startswith("hash/") else 1
        decay = 5e-4 * w if w.ndim > 1 else 0.0
        step = 0.9 * momenta[k] - multiplier * rate * (gradients[k] + decay)
        np.testing.assert_allclose(weight.numpy(), w + step, rtol=1e-5)
        assert np.abs(momenta[k]).max() > 0


def test_it_is_saved_as_what_it_is_now(model, expected, tmp_path):
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        config = json.loads(archive.read("config.json"))
    name = config["compile_config"]["optimizer"]["registered_name"]
    assert name == "hashnet_tf>LayerwiseSGD"
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.optimizer.get_config() == model.optimizer.get_config()
    for one, other in zip(
        [*again.weights, *again.optimizer.variables],
        [*model.weights, *model.optimizer.variables],
        strict=True,
    ):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_it_trains_on(model, expected):
    before = [weight.numpy() for weight in model.trainable_weights]
    ids = np.arange(len(expected["images"])) % 3
    history = model.fit(expected["images"], ids, batch_size=16, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    assert int(model.optimizer.iterations) == 16
    for weight, old in zip(model.trainable_weights, before, strict=True):
        assert (weight.numpy() != old).any()


def test_an_index(expected):
    index = hn.retrieval.HammingIndex.load(FOLDER / "codes.index")
    assert (index.bits, index.ids.tolist()) == (12, list(range(100, 164)))
    np.testing.assert_array_equal(index.codes, expected["codes"])
    distances, ids = index.search(expected["codes"], k=1)
    assert not distances.any()
    found = expected["codes"][ids[:, 0] - 100]
    np.testing.assert_array_equal(found, expected["codes"])


def test_the_settings_of_a_run():
    config = hn.runs.Run(FOLDER / "run").config
    written = json.loads((FOLDER / "run" / "config.json").read_text())
    assert written["bits"] == config.bits == 16
    for name, value in written.items():
        assert getattr(config, name) == value


def test_code_sets_measure_as_the_report_says():
    run = hn.runs.Run(FOLDER / "run")
    sets = [
        hn.runs.CodeSet.load(run.codes_path(part))
        for part in ("query", "database")
    ]
    assert [len(one.ids) for one in sets] == [200, 1597]
    assert {one.bits for one in sets} == {16}
    written = run.report
    assert {one.model_digest for one in sets} == {written["model_digest"]}
    report = hn.runs.evaluate_code_sets(*sets, at=written["retrieval"]["at"])
    found = json.loads(json.dumps(report.as_dict()))
    assert found == written["retrieval"]
