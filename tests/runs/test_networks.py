import itertools

import keras
import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf.methods import DEEP_METHODS, METHODS, RIVAL_SETTINGS
from hashnet_tf.runs import networks


@pytest.fixture
def config(config_of):
    return config_of


def batch_normalizations(model):
    return [
        layer
        for layer in model.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    ]


def test_backbone(config):
    model = networks.build_backbone(config(backbone="small_cnn", image_size=9))
    assert model.input_shape == (None, 9, 9, 3)
    assert model.output_shape == (None, 128)
    layers = batch_normalizations(model)
    assert len(layers) == 6 and all(layer.trainable for layer in layers)


def test_backbone_with_weights_keeps_its_normalisation(config, tmp_path):
    given = hn.models.backbone("small_cnn", (8, 8, 3))
    path = tmp_path / "small_cnn.weights.h5"
    given.save_weights(path)
    settings = config(backbone="small_cnn", weights=str(path))
    model = networks.build_backbone(settings)
    for value, expected in zip(
        model.get_weights(), given.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(value, expected)
    assert not any(layer.trainable for layer in batch_normalizations(model))
    assert all(
        layer.trainable
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D)
    )


def test_head_alone(config):
    head = networks.build_head(config(bits=20), 16)
    assert isinstance(head, hn.HashNet)
    assert (head.bits, head.backbone.input_shape) == (20, (None, 16))
    assert [v.path for v in head.trainable_variables] == [
        "hash/kernel",
        "hash/bias",
    ]
    features = np.random.default_rng(0).normal(size=(3, 16)).astype("float32")
    z = features @ head.hash_layer.kernel.numpy()
    np.testing.assert_allclose(head(features), np.tanh(z), rtol=1e-4)


def test_head_with_hidden_layer_and_dropout(config):
    head = networks.build_head(config(hidden=7, dropout=0.5), 16)
    dropout, hidden = head.backbone.layers[1:]
    assert isinstance(dropout, keras.layers.Dropout) and dropout.rate == 0.5
    assert (hidden.units, hidden.activation) == (7, keras.activations.relu)
    assert head.hash_layer.kernel.shape == (7, 12)
    features = np.ones((50, 16), np.float32)
    resting = head.logits(features, training=False)
    np.testing.assert_array_equal(resting[0], resting[1])
    training = np.asarray(head.logits(features, training=True))
    assert (training[0] != training[1]).any()


def test_loss(config):
    labels = np.array([0, 0, 1])
    loss = networks.build_loss(config(), labels)
    assert (loss.alpha, loss.class_weights) == (None, "batch")
    assert loss.similarity == "shared"
    loss = networks.build_loss(
        config(
            method="hashnet",
            alpha=0.3,
            class_weights="none",
            similarity="jaccard",
        ),
        labels,
    )
    assert (loss.alpha, loss.class_weights) == (0.3, None)
    assert loss.similarity == "jaccard"


@pytest.mark.parametrize("matrix", [False, True])
def test_loss_counts_the_pairs_of_the_data_set(matrix, config):
    ids = np.random.default_rng(0).integers(0, 4, 30)
    pairs = list(itertools.permutations(ids, 2))
    similar = sum(a == b for a, b in pairs)
    expected = len(pairs) / similar, len(pairs) / (len(pairs) - similar)
    labels = np.eye(4, dtype=np.uint8)[ids] if matrix else ids
    loss = networks.build_loss(config(class_weights="dataset"), labels)
    assert loss.class_weights == pytest.approx(expected)


def test_loss_needs_pairs_of_both_kinds_to_count(config):
    with pytest.raises(ValueError, match="Received: similar=0, dissimilar=6"):
        networks.build_loss(config(class_weights="dataset"), np.arange(3))


RIVALS = {
    "dhn": lambda y: hn.losses.DHNLoss(),
    "dnnh": lambda y: hn.losses.DNNHLoss(),
    "cnnh": lambda y: hn.losses.CNNHLoss(*hn.losses.cnnh_codes(y, 12, 4)),
    "dpsh": lambda y: hn.losses.DPSHLoss(),
    "dch": lambda y: hn.losses.DCHLoss(),
    "greedyhash": lambda y: hn.losses.GreedyHashLoss(3, 12),
    "csq": lambda y: hn.losses.CSQLoss(
        hn.losses.hash_centers(3, 12, 4), seed=4
    ),
    "orthohash": lambda y: hn.losses.OrthoHashLoss(
        hn.losses.hash_centers(3, 12, 4)
    ),
}


@pytest.mark.parametrize("name", RIVALS)
def test_a_rivals_loss_suits_the_labels(name, config):
    labels = np.arange(30) % 3
    loss = networks.build_loss(config(method=name, seed=4), labels)
    expected = RIVALS[name](labels)
    assert type(loss) is type(expected)
    assert loss.get_config() == expected.get_config()


@pytest.mark.parametrize("name", RIVALS)
def test_a_rivals_loss_takes_its_settings(name, config):
    labels = np.arange(30) % 3
    takes = METHODS[name].takes
    given = {setting: 0.75 for setting in takes}
    loss = networks.build_loss(config(method=name, **given), labels)
    assert {setting: getattr(loss, setting) for setting in takes} == given
    for setting in set(RIVAL_SETTINGS) - set(takes):
        with pytest.raises(ValueError, match=f"leaves no choice of {setting}"):
            config(method=name, **{setting: 0.75})


def test_a_variants_loss_differs_in_one_thing(config):
    assert set(DEEP_METHODS) - set(RIVALS) == {
        name for name in METHODS if name.startswith("hashnet")
    }
    losses = {
        name: networks.build_loss(
            config(method=name), np.arange(4)
        ).get_config()
        for name in (
            "hashnet",
            "hashnet-r",
            "hashnet+c",
            "hashnet-w",
            "hashnet-sgn",
        )
    }
    whole = losses["hashnet"]
    assert losses["hashnet-sgn"] == whole
    assert losses["hashnet-r"] == {**whole, "likelihood": "radius"}
    assert losses["hashnet+c"] == {**whole, "similarity": "jaccard"}
    assert losses["hashnet-w"] == {**whole, "class_weights": None}


def test_beta_stays_1_where_the_method_says_so(config):
    for name in DEEP_METHODS:
        schedule = networks.build_schedule(config(method=name), 20)
        rises = name in (
            "hashnet",
            "hashnet-r",
            "hashnet+c",
            "hashnet-w",
        )
        assert (schedule(20) > 1) == rises


@pytest.mark.parametrize("name", ["dhn", "csq", "greedyhash"])
def test_a_rival_is_watched_by_hashnets_loss(name, config):
    labels = np.arange(30) % 3
    watched = networks.build_pairwise_loss(config(method=name), labels)
    plain = networks.build_loss(config(method="hashnet"), labels)
    assert watched.get_config() == plain.get_config()


def test_training_models(config):
    found = {}
    for name in DEEP_METHODS:
        settings = config(method=name)
        head = networks.build_head(settings, 16)
        model = networks.build_training_model(settings, head, np.arange(3))
        assert model is head or model.hashnet is head
        found.setdefault(type(model), []).append(name)
    logits, classified = hn.models.LogitsModel, hn.models.ClassifiedModel
    assert found[logits] == ["dpsh", "csq", "orthohash"]
    assert found[classified] == ["greedyhash"]
    assert len(found[hn.HashNet]) == 9


def test_a_classifier_learns_as_fast_as_the_head(config):
    settings = config(method="greedyhash", hidden=4, head_multiplier=3.0)
    optimizer = networks.build_optimizer(settings, 40)
    head = networks.build_head(settings, 16)
    model = networks.build_training_model(settings, head, np.arange(3))
    expected = {"hash": 3.0, "hidden": 3.0, "classifier": 3.0}
    assert optimizer.multipliers == expected
    # Refused, if a name were in no variable's path.
    optimizer.build(model.trainable_variables)


def test_square_root_schedule(config):
    schedule = networks.build_schedule(config(beta=5.0), 100)
    assert isinstance(schedule, hn.schedules.SquareRootBeta)
    # (1 + gamma 100)^(1/2) = 5, raised 50 times, so each second step.
    expected = [(1 + 0.24 * (t - t % 2)) ** 0.5 for t in range(101)]
    assert [schedule(t) for t in range(101)] == pytest.approx(expected)


@pytest.mark.parametrize("steps, each", [(200, 20), (25, 2), (3, 1)])
def test_stages_of_equal_length(steps, each, config):
    schedule = networks.build_schedule(
        config(schedule="staged", beta=512.0), steps
    )
    assert isinstance(schedule, hn.schedules.StagedBeta)
    expected = [2.0 ** min(t // each, 9) for t in range(steps)]
    assert [schedule(t) for t in range(steps)] == pytest.approx(expected)


def test_stages_by_patience(config):
    schedule = networks.build_schedule(
        config(schedule="staged", beta=512.0, patience=3), 200
    )
    assert schedule.betas == pytest.approx([2.0**stage for stage in range(10)])
    assert (schedule.patience, schedule.steps_per_stage) == (3, None)


@pytest.mark.parametrize("name", ["square_root", "staged"])
def test_beta_of_1_stays(name, config):
    schedule = networks.build_schedule(config(schedule=name, beta=1.0), 30)
    assert {schedule(t) for t in range(31)} == {1.0}


def test_adam(config):
    optimizer = networks.build_optimizer(
        config(learning_rate=0.2, head_multiplier=3.0), 40
    )
    assert isinstance(optimizer, keras.optimizers.Adam)
    assert optimizer.multipliers == {"hash": 3.0}
    assert optimizer.l2 == 0.0
    rate = keras.saving.deserialize_keras_object(
        optimizer.get_config()["learning_rate"]
    )
    expected = [0.2 * (1 + np.cos(np.pi * t / 40)) / 2 for t in (0, 10, 40)]
    found = [float(rate(t)) for t in (0, 10, 40)]
    assert found == pytest.approx(expected, abs=1e-7)


def test_the_papers(config):
    optimizer = networks.build_optimizer(
        config(optimizer="paper", learning_rate=0.2, hidden=4), 100
    )
    assert isinstance(optimizer, keras.optimizers.SGD)
    assert (optimizer.momentum, optimizer.nesterov) == (0.9, False)
    assert optimizer.l2 == 5e-4
    assert optimizer.multipliers == {"hash": 10.0, "hidden": 10.0}
    rate = keras.saving.deserialize_keras_object(
        optimizer.get_config()["learning_rate"]
    )
    # Halved each fifth of the way.
    found = [float(rate(t)) for t in (0, 19, 20, 40, 99)]
    assert found == pytest.approx([0.2, 0.2, 0.1, 0.05, 0.0125])


FROZEN = {"weights": "a.h5", "freeze_backbone": True, "standardize": True}


def test_features_are_standardised(config):
    head = networks.build_head(config(**FROZEN, bits=20), 16)
    rng = np.random.default_rng(0)
    features = rng.normal(3, 2, (5000, 2, 16)).astype("float32")
    # One of other units leaves the others as they are; of two that hardly vary,
    # and may elsewhere.
    features[..., 5] *= 1e6
    features[..., 3], features[:, :, 4] = 7, 7
    features[0, 0, 4] += 1e-5
    networks.standardize(head, features)
    given = head.backbone(features[:, 0]).numpy()
    flat = features.reshape(-1, 16).astype("float64")
    deviation = flat.std(axis=0)
    least = np.median(deviation[deviation > 0]) / 100
    deviation = np.maximum(deviation, least)
    expected = (features[:, 0] - flat.mean(axis=0)) / deviation
    np.testing.assert_allclose(given, expected, rtol=1e-4, atol=1e-4)
    new = np.full((1, 16), 8, "float32")
    assert abs(head.backbone(new).numpy()[0, 3:5]).max() < 100
    # In training too it keeps to what was set.
    trained = head.backbone(features[:7, 0] + 1, training=True).numpy()
    steady = head.backbone(features[:7, 0] + 1).numpy()
    np.testing.assert_array_equal(trained, steady)
    assert not [
        v.path for v in head.backbone.trainable_variables if "stand" in v.path
    ]
    before = networks.build_head(config(bits=20), 16)
    weights = before.get_weights()
    networks.standardize(before, features)
    for one, other in zip(before.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(one, other)
