"""A recipe: the settings of a training, and what they should reach."""

import dataclasses
import importlib.resources
import pathlib
import tomllib
import typing
from importlib.resources.abc import Traversable

from hashnet_tf._toml import check_table, from_table
from hashnet_tf.runs.config import TrainingConfig


@dataclasses.dataclass(frozen=True)
class Expectation:
    """What a recipe should measure, and where the number comes from.

    Attributes:
        metric: Str, such as "MAP@1000".
        value: Float.
        rule: Str, a name of `hashnet_tf.retrieval.presets.PRESETS`, the rule
            of its AP.
        source: Str, who measured it, on what.
    """

    metric: str
    value: float
    rule: str
    source: str


@dataclasses.dataclass(frozen=True)
class Recipe:
    """The settings of a training, and what is known of it.

    Those that ship stand in TOML files of `runs/recipes/`, one file a
    data set, and say all of this; one's own needs `settings` alone.

    Attributes:
        settings: Dict, fields of `TrainingConfig`, all but `data`.
        summary: Str, one sentence.
        protocol: Str, the name of the data and of their split, of
            `hashnet_tf.datasets.protocols`; the folder is the user's.
        commands: Tuple of str, with DIR for the folder.
        steps: Int, the optimizer steps that the settings give on a full copy.
        has_run: Bool, whether anybody has run it.
        machine: Str, the hardware and the time.
        expected: `Expectation`.
        notes: Tuple of str, what else there is to know.

    Raises:
        ValueError: If `settings` holds an unknown name or a value that is not
            as it must be, or names the data.
    """

    settings: dict[str, typing.Any]
    summary: str | None = None
    protocol: str | None = None
    commands: tuple[str, ...] = ()
    steps: int | None = None
    has_run: bool | None = None
    machine: str | None = None
    expected: Expectation | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if "data" in self.settings:
            raise ValueError(
                "A recipe leaves the data to its user."
                f" Received: data={self.settings['data']!r}"
            )
        # Any data will do to look at the rest.
        TrainingConfig.from_dict({"data": "digits", **self.settings})


def recipe_names() -> list[str]:
    """Returns the names of the recipes that ship, sorted.

    Example:

    >>> from hashnet_tf.runs.recipe import recipe_names
    >>> recipe_names()[:2]
    ['cifar10', 'cifar10-tuned']
    """
    return sorted(
        file.name.removesuffix(".toml")
        for file in _shipped().iterdir()
        if file.name.endswith(".toml")
    )


def load_recipe(name: str) -> Recipe:
    """Returns a recipe.

    Args:
        name: Str, the name of one that ships, or the path of a TOML file, which
            ends in .toml.

    Returns:
        `Recipe`.

    Raises:
        ValueError: If there is none of that name, no such file, or it is not
            as it must be.

    Example:

    >>> from hashnet_tf.runs.recipe import load_recipe
    >>> cifar10 = load_recipe("cifar10")
    >>> cifar10.protocol, cifar10.settings["backbone"]
    ('cifar10-59k', 'MobileNetV2')
    """
    if name in recipe_names():
        return read_recipe(_shipped() / f"{name}.toml")
    path = pathlib.Path(name)
    if path.suffix != ".toml" or not path.is_file():
        raise ValueError(
            f"`recipe` must be one of {', '.join(recipe_names())} or the path"
            f" of a file that ends in .toml. Received: {name}"
        )
    return read_recipe(path)


def read_recipe(file: Traversable) -> Recipe:
    """Reads a recipe.

    Args:
        file: `pathlib.Path`, or a file of a package, of TOML: the fields of
            `Recipe`, of which `settings` and `expected` are tables.

    Raises:
        ValueError: As `load_recipe`.
    """
    try:
        table = tomllib.loads(file.read_text("utf-8"))
        if "settings" in table:
            check_table("settings", table["settings"])
        if "expected" in table:
            expected = from_table(Expectation, table["expected"])
            table["expected"] = expected
        return from_table(Recipe, table)
    except ValueError as error:
        received = "" if "Received: " in str(error) else f". Received: {file}"
        raise ValueError(f"{file.name}: {error}{received}") from error


def _shipped() -> Traversable:
    return importlib.resources.files("hashnet_tf.runs") / "recipes"
