import importlib.metadata
import inspect
import subprocess
import sys

import pytest

import hashnet_tf as hn

HEAVY = {"tensorflow", "keras", "jax", "torch", "sklearn", "matplotlib"}
NEEDED = inspect.Parameter.empty

# What others have built on: the leading arguments and their defaults.
SIGNATURES = {
    "HashNet": [("backbone", NEEDED), ("bits", 48)],
    "callbacks.Continuation": [("schedule", NEEDED)],
    "datasets.load": [("data", NEEDED)],
    "export.to_litert": [
        ("model", NEEDED),
        ("path", NEEDED),
        ("quantize", None),
    ],
    "export.to_saved_model": [
        ("model", NEEDED),
        ("directory", NEEDED),
        ("version", None),
    ],
    "layers.PackBits": [],
    "layers.ScaledTanh": [("beta", 1.0)],
    "layers.Sign": [],
    "losses.WeightedPairwiseLoss": [
        ("alpha", None),
        ("class_weights", "batch"),
        ("similarity", "shared"),
    ],
    "retrieval.evaluate": [
        ("query_codes", NEEDED),
        ("database_codes", NEEDED),
        ("query_labels", NEEDED),
        ("database_labels", NEEDED),
        ("bits", None),
        ("at", 5000),
    ],
    "schedules.SquareRootBeta": [
        ("gamma", 0.005),
        ("power", 0.5),
        ("step_size", 200),
    ],
    "schedules.StagedBeta": [("betas", NEEDED), ("steps_per_stage", None)],
}


def modules_after(statements):
    """Names of the modules that are loaded after `statements`."""
    code = f"import sys\n{statements}\nprint(*sys.modules)"
    return set(
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
    )


@pytest.mark.parametrize("name", SIGNATURES)
def test_names_that_stay(name):
    found = hn
    for part in name.split("."):
        found = getattr(found, part)
    parameters = list(inspect.signature(found).parameters.values())
    expected = SIGNATURES[name]
    assert [(p.name, p.default) for p in parameters[: len(expected)]] == (
        expected
    )
    # What is added comes behind and has a default.
    for parameter in parameters[len(expected) :]:
        assert (
            parameter.default is not NEEDED
            or parameter.kind is inspect.Parameter.VAR_KEYWORD
        )


def test_encode_takes_images_alone():
    parameters = list(inspect.signature(hn.HashNet.encode).parameters.values())
    assert [p.default for p in parameters[1:3]] == [NEEDED, 128]
    assert len(parameters) == 3


def test_index_is_complete():
    for name in hn.__all__:
        wing = getattr(hn, name)
        assert wing is not None
        for exported in getattr(wing, "__all__", ()):
            assert getattr(wing, exported) is not None
    assert set(hn.__all__) <= set(dir(hn))
    assert hn.HashNet is hn.models.HashNet
    with pytest.raises(AttributeError, match="attribute tools_"):
        hn.tools_  # noqa: B018


def test_version_is_that_of_the_package():
    assert hn.__version__ == importlib.metadata.version("hashnet_tf")


@pytest.mark.parametrize(
    "statements",
    [
        "import hashnet_tf",
        "import hashnet_tf as hn; hn.retrieval.evaluate",
        "import hashnet_tf as hn; hn.datasets.protocols()",
        "import hashnet_tf.runs.config",
        "import hashnet_tf.runs.recipe as r; r.load_recipe('cifar10')",
    ],
)
def test_light_imports(statements):
    loaded = modules_after(statements)
    assert "hashnet_tf" in loaded
    assert not loaded & {
        "tensorflow",
        "keras",
        "jax",
        "torch",
        "sklearn",
        "matplotlib",
    }
