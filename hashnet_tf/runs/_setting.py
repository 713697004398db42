"""A setting: its default, its help, and the values that it may have."""

import collections.abc
import dataclasses
import math
import typing

from hashnet_tf.methods import METHODS, USUAL

Setting = str | int | float | bool | None


def sentences(choices: collections.abc.Mapping[str, str]) -> str:
    """Returns what each choice means, for a help text."""
    return "; ".join(f"{name}: {text}" for name, text in choices.items())


def variants() -> str:
    """Returns the variants of HashNet, and what each of them settles."""
    return ", ".join(
        f"{name} ({setting}={value})"
        for name, method in METHODS.items()
        if method.is_hashnet
        for setting, value in method.fixes.items()
    )


def unsettled(setting: str) -> str:
    """Returns what a setting is by default, for a help text."""
    return f"left out: as the method has it, or {USUAL[setting]}"


def takers(setting: str) -> str:
    """Returns the methods whose loss has an argument, for a help text."""
    names = [name for name, m in METHODS.items() if setting in m.takes]
    return ", ".join(names)


def setting(
    default: Setting,
    text: str,
    choices: collections.abc.Collection[str] | None = None,
    least: float | None = None,
    above: float | None = None,
    below: float | None = None,
) -> typing.Any:
    """Returns a field of a dataclass of settings.

    Args:
        default: Its default.
        text: Str, its help.
        choices: Values that it may have; a registry is asked anew each time.
        least: What a number must be at least.
        above: What a number must exceed.
        below: What a number must stay under.
    """
    metadata = dict(
        help=text, choices=choices, least=least, above=above, below=below
    )
    return dataclasses.field(default=default, metadata=metadata)


def unmet(
    metadata: collections.abc.Mapping[str, typing.Any],
    kind: type,
    value: typing.Any,
) -> str | None:
    """Returns what a value must be and is not, or None.

    Args:
        metadata: Mapping, that of the field.
        kind: Type of the field.
        value: Anything.
    """
    taken = (int, float) if kind is float else kind
    # To Python, True is an int.
    is_bool = isinstance(value, bool)
    if not isinstance(value, taken) or is_bool and kind is not bool:
        return f"of type {kind.__name__}"
    if kind is float and not math.isfinite(value):
        return "finite"
    least, above = metadata["least"], metadata["above"]
    if least is not None and value < least:
        return f"at least {least}"
    if above is not None and value <= above:
        return f"above {above}"
    if metadata["below"] is not None and value >= metadata["below"]:
        return f"below {metadata['below']}"
    choices = metadata["choices"]
    if choices is not None and value not in choices:
        return f"one of {', '.join(choices)}"
    return None
