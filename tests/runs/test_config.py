import dataclasses
import inspect
import json

import pytest

import hashnet_tf as hn
from hashnet_tf.methods import (
    DEEP_METHODS,
    HASHNET_SETTINGS,
    METHODS,
    RIVAL_SETTINGS,
    USUAL,
)
from hashnet_tf.runs.config import DRAWN, TrainingConfig, setting_type

FIELDS = {field.name: field for field in dataclasses.fields(TrainingConfig)}

# Each setting at a value that is not its default, all of them together valid
# but for the framing, which goes with no augmentation, and alpha, which goes
# with the other likelihood, and what goes with a rival.
CHANGED = {
    "data": "lists:photos",
    "seed": 3,
    "query_per_class": 5,
    "train_per_class": 6,
    "held_out": 0.0,
    "validation": 9,
    "unseen_classes": 2,
    "imbalance": 30.0,
    # What is of labels goes with none.
    "pairs": None,
    "backbone": "MobileNetV2",
    "weights": "imagenet",
    "image_size": 96,
    "framing": "whole",
    "freeze_backbone": True,
    "standardize": True,
    "hidden": 64,
    "dropout": 0.25,
    "bits": 16,
    "method": "hashnet+c",
    "similarity": "jaccard",
    "class_weights": "dataset",
    "likelihood": "radius",
    "alpha": None,
    "radius": 10.0,
    "power": 2.0,
    "quantization": None,
    "margin": None,
    "gamma": None,
    "schedule": "staged",
    "beta": 4.0,
    "patience": 2,
    "optimizer": "paper",
    "learning_rate": 0.01,
    "head_multiplier": 2.0,
    "batch_size": 64,
    "classes_per_batch": 16,
    "epochs": 7,
    "augmentation": "shift_flip",
    "views": 4,
    "cache_images": "never",
    "skip_undecodable": True,
}


def of(kind):
    return [name for name in FIELDS if setting_type(name)[0] is kind]


def config(**settings):
    return TrainingConfig(**{"data": "digits", "method": "hashnet", **settings})


def test_each_setting_is_changed_here():
    assert list(CHANGED) == list(FIELDS)
    changed, default = TrainingConfig(**CHANGED), config()
    for name in set(FIELDS) - {
        "framing",
        "alpha",
        "held_out",
        "pairs",
        *RIVAL_SETTINGS,
    }:
        assert getattr(changed, name) != getattr(default, name)
    assert config(framing="modern").framing != default.framing
    assert config(alpha=0.5).alpha != default.alpha
    assert config(pairs="p.csv").is_by_pairs and not default.is_by_pairs
    for name in RIVAL_SETTINGS:
        (method, *_) = [m for m in METHODS.values() if name in m.takes]
        changed = config(method=method.name, **{name: 0.5})
        assert getattr(changed, name) != getattr(default, name)


def test_each_setting_has_a_help():
    for field in FIELDS.values():
        assert field.metadata["help"]


def test_types():
    assert setting_type("bits") == (int, False)
    assert setting_type("weights") == (str, True)
    assert setting_type("freeze_backbone") == (bool, False)
    assert set(FIELDS) == {*of(int), *of(float), *of(str), *of(bool)}


@pytest.mark.parametrize(
    "kind, value",
    [
        *((int, value) for value in ("3", 3.0, True, [3])),
        *((float, value) for value in ("3", True, [3])),
        *((str, value) for value in (3, True, ["digits"])),
        *((bool, value) for value in (1, 0, "yes")),
    ],
)
def test_refuses_another_type(kind, value):
    for name in of(kind):
        with pytest.raises(ValueError) as error:
            config(**{name: value})
        assert str(error.value).endswith(
            f"must be of type {kind.__name__}. Received: {name}={value!r}"
        )


def test_none_only_where_it_means_something():
    optional = {name for name in FIELDS if setting_type(name)[1]}
    assert optional == {
        "query_per_class",
        "standardize",
        "train_per_class",
        "held_out",
        "validation",
        "unseen_classes",
        "imbalance",
        "pairs",
        "weights",
        "alpha",
        "radius",
        "power",
        *RIVAL_SETTINGS,
        "patience",
        "classes_per_batch",
    }
    # None is what the data make of it.
    for name in optional - {"held_out", "standardize"}:
        assert getattr(config(**{name: None}), name) is None
    for name, value in USUAL.items():
        assert getattr(config(**{name: None}), name) == value
    for name in set(FIELDS) - optional - set(USUAL):
        with pytest.raises(ValueError, match=f"Received: {name}=None$"):
            config(**{name: None})
    with pytest.raises(ValueError, match="Received: data=None$"):
        TrainingConfig()


def test_a_whole_number_stands_for_a_float():
    assert config(beta=4) == config(beta=4.0)


@pytest.mark.parametrize(
    "name, value",
    [
        ("seed", -1),
        ("query_per_class", 0),
        ("train_per_class", 0),
        ("validation", 0),
        ("unseen_classes", 0),
        ("imbalance", 0),
        ("imbalance", -1.5),
        ("image_size", 0),
        ("hidden", -1),
        ("dropout", -0.1),
        ("dropout", 1),
        ("dropout", 1.5),
        ("bits", 0),
        ("bits", -8),
        ("alpha", 0),
        ("alpha", -0.2),
        ("radius", 0),
        ("power", -1.0),
        ("quantization", -0.1),
        ("margin", 0),
        ("gamma", 0),
        ("beta", 0.99),
        ("beta", -1),
        ("patience", 0),
        ("learning_rate", 0),
        ("learning_rate", -1e-3),
        ("head_multiplier", 0),
        ("batch_size", 0),
        ("batch_size", 1),
        ("batch_size", -2),
        ("epochs", 0),
        ("views", 0),
        *((name, float("nan")) for name in of(float)),
        *((name, float("inf")) for name in of(float)),
    ],
)
def test_refuses_what_is_out_of_range(name, value):
    # With stages, so that patience is wrong for its value alone.
    with pytest.raises(ValueError, match=f"Received: {name}={value}$"):
        config(**{"schedule": "staged", name: value})


@pytest.mark.parametrize(
    "name", [name for name in FIELDS if FIELDS[name].metadata["choices"]]
)
def test_refuses_what_is_no_choice(name):
    with pytest.raises(ValueError, match=f"Received: {name}='other'$"):
        config(**{name: "other"})


def test_choices_are_those_of_what_they_choose_from():
    for similarity in FIELDS["similarity"].metadata["choices"]:
        hn.losses.WeightedPairwiseLoss(similarity=similarity)


FROZEN = {"freeze_backbone": True, "weights": "imagenet"}


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"radius": 10.0}, "likelihood='logistic', radius=10.0"),
        ({"power": 2.0}, "likelihood='logistic', power=2.0"),
        (
            {"likelihood": "radius", "alpha": 0.5},
            "likelihood='radius', alpha=0.5",
        ),
        ({"patience": 2}, "schedule='square_root'"),
        (
            {"patience": 2, "schedule": "staged", "beta": 1.0},
            "beta=1.0, patience=2",
        ),
        ({"freeze_backbone": True}, "weights=None"),
        (
            {**FROZEN, "augmentation": "shift"},
            "augmentation='shift', framing='whole', views=1",
        ),
        (
            {**FROZEN, "views": 2},
            "augmentation='none', framing='whole', views=2",
        ),
        ({"standardize": True}, "freeze_backbone=False, standardize=True"),
        (
            {"views": 2, "augmentation": "shift"},
            "freeze_backbone=False, views=2",
        ),
    ],
)
def test_refuses_what_does_not_go_together(settings, message):
    with pytest.raises(ValueError, match=f"Received: {message}$"):
        config(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        FROZEN,
        {**FROZEN, "augmentation": "shift", "views": 2},
        {"augmentation": "shift"},
        {"schedule": "staged"},
        {"schedule": "staged", "beta": 1.0},
        {"schedule": "staged", "patience": 1},
    ],
)
def test_takes_what_goes_together(settings):
    for name, value in settings.items():
        assert getattr(config(**settings), name) == value


def test_through_json_and_back():
    for settings in (TrainingConfig(**CHANGED), config()):
        text = json.dumps(settings.as_dict())
        assert TrainingConfig.from_dict(json.loads(text)) == settings
    assert TrainingConfig(**CHANGED).as_dict() == CHANGED


def test_what_a_dict_lacks_is_as_by_default():
    default = TrainingConfig(data="digits")
    assert TrainingConfig.from_dict({"data": "digits"}) == default


def test_by_default_even_odds_are_at_a_radius():
    default = TrainingConfig(data="digits")
    assert (default.method, default.likelihood) == ("hashnet-r", "radius")
    assert (default.radius, default.power, default.beta) == (None, None, 10.0)
    told = "has likelihood='radius'.*hashnet-r', likelihood='logistic'$"
    with pytest.raises(ValueError, match=told):
        TrainingConfig(data="digits", likelihood="logistic")


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"data": "digits", "bit": 8, "Alpha": 1}, "Alpha, bit"),
        ({"data": "digits", "bits": "8"}, "bits='8'"),
        ({}, "data=None"),
        (["digits"], r"\['digits'\]"),
        (None, "None"),
    ],
)
def test_from_dict_refuses(settings, message):
    with pytest.raises(ValueError, match=f"Received: {message}$"):
        TrainingConfig.from_dict(settings)


def test_data_source_is_what_load_takes():
    source = TrainingConfig(**CHANGED).data_source()
    assert source == {name: CHANGED[name] for name in source}
    by_pairs = config(pairs="p.csv").data_source()
    # As earlier versions wrote it where there are none.
    assert set(by_pairs) - set(source) == {"pairs"}
    assert set(by_pairs) == set(inspect.signature(hn.datasets.load).parameters)


def test_settings_are_fixed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        config().bits = 8


@pytest.mark.parametrize("framing", ["paper", "modern"])
def test_a_framing_that_changes_takes_no_augmentation(framing):
    with pytest.raises(ValueError, match="augmentation='shift'$"):
        config(framing=framing, augmentation="shift")
    frozen = {"framing": framing, "freeze_backbone": True, "weights": "w"}
    assert config(**frozen).views == 1
    assert config(**frozen, views=3).views == 3


@pytest.mark.parametrize("classes", [3, 128, 127])
def test_a_batch_holds_equally_many_of_each_class(classes):
    with pytest.raises(ValueError, match=f"classes_per_batch={classes}$"):
        config(classes_per_batch=classes)
    assert config(classes_per_batch=64).batch_size == 128


@pytest.mark.parametrize("old, new", [(True, "always"), (False, "never")])
def test_reads_the_switch_of_earlier_versions(old, new):
    settings = {**config().as_dict(), "cache_images": old}
    assert TrainingConfig.from_dict(settings).cache_images == new
    assert settings["cache_images"] is old


RIVALS = [name for name in DEEP_METHODS if not METHODS[name].is_hashnet]


@pytest.mark.parametrize(
    "method, name, value",
    [
        ("hashnet+c", "similarity", "jaccard"),
        ("hashnet-w", "class_weights", "none"),
        *((method, "beta", 1.0) for method in ("hashnet-sgn", *RIVALS)),
    ],
)
def test_a_method_settles_a_setting(method, name, value):
    settled = config(method=method)
    default = config()
    assert getattr(settled, name) == value != getattr(default, name)
    # That alone, and it may be given too.
    assert settled == config(**{"method": method, name: value})
    assert settled.as_dict() == {
        **default.as_dict(),
        "method": method,
        name: value,
    }
    assert TrainingConfig.from_dict(settled.as_dict()) == settled
    assert settled.is_rival == (method in RIVALS)


def test_a_variant_takes_the_other_flags_of_hashnet():
    given = {"alpha": 0.3, "schedule": "staged", "beta": 4.0, "patience": 2}
    for method in ("hashnet+c", "hashnet-w"):
        settings = config(method=method, **given).as_dict()
        assert {name: settings[name] for name in given} == given
    assert config(method="hashnet-sgn", similarity="jaccard").beta == 1.0


@pytest.mark.parametrize(
    "settings",
    [
        {"method": "hashnet-w", "class_weights": "dataset"},
        {"method": "hashnet-w", "class_weights": "batch"},
        {"method": "hashnet+c", "similarity": "shared"},
        {"method": "hashnet-sgn", "beta": 10.0},
        {"method": "hashnet-sgn", "schedule": "staged"},
        {"method": "hashnet-sgn", "beta": 4.0},
        {"method": "hashnet-sgn", "schedule": "staged", "patience": 2},
        {"method": "csq", "schedule": "staged", "patience": 2},
        {"method": "csq", "alpha": 0.5},
        {"method": "hashnet-r", "alpha": 0.5},
        {"method": "hashnet", "gamma": 10.0},
        {"method": "csq", "gamma": 10.0},
        *(
            {"method": method, name: CHANGED[name]}
            for method in RIVALS
            for name in (*HASHNET_SETTINGS, "beta")
            if name != "alpha"
        ),
    ],
)
def test_refuses_what_a_method_leaves_no_choice_of(settings):
    message = ", ".join(f"{k}={v!r}" for k, v in settings.items())
    with pytest.raises(ValueError, match="Received: ") as error:
        config(**settings)
    assert str(error.value).endswith(f"Received: {message}")


def test_held_out_is_for_what_is_drawn():
    from hashnet_tf.datasets.sources import SOURCES

    drawn = {
        name
        for name, source in SOURCES.items()
        if source.is_word
        and not source.has_parts
        # Of the one as many are drawn as by its protocol, of the other pairs.
        and name not in ("digits", "pairs")
    }
    assert drawn == set(DRAWN)
    for name in SOURCES:
        expected = 0.2 if name in drawn else 0.0
        assert TrainingConfig(f"{name}:x").held_out == expected
    assert TrainingConfig("folder:x", held_out=0.5).held_out == 0.5
    assert TrainingConfig("folder:x", train_per_class=3).held_out == 0
    assert TrainingConfig("folder:x").data_source()["held_out"] == 0.2
    for settings in (
        {"data": "digits", "held_out": 0.3},
        {"data": "folder:x", "held_out": 0.3, "train_per_class": 5},
    ):
        with pytest.raises(ValueError, match="Received: held_out=0.3, data="):
            TrainingConfig(**settings)


def test_pixels_need_no_weights():
    assert TrainingConfig("d", backbone="pixels", freeze_backbone=True)
