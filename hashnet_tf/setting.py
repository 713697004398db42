"""A value of a training that is checked by itself and is a flag too."""

import dataclasses
import math


def setting(default, text, choices=None, least=None, above=None):
    """Returns a field of a dataclass of settings.

    Args:
        default: The value where none is given.
        text: Str, the help of the flag.
        choices: Tuple of the values that it may have, or None for all.
        least: Number, the smallest value, or None for no bound.
        above: Number that the value must exceed, or None for no bound.

    Example:

    >>> import dataclasses
    >>> from hashnet_tf.setting import setting
    >>> @dataclasses.dataclass
    ... class Settings:
    ...     bits: int = setting(48, "length of the codes", least=1)
    >>> Settings()
    Settings(bits=48)
    """
    return dataclasses.field(
        default=default,
        metadata={
            "help": text,
            "choices": choices,
            "least": least,
            "above": above,
        },
    )


def check_setting(field, kind, value):
    """Checks a value of a field as `setting` makes it.

    Args:
        field: `dataclasses.Field`.
        kind: Type that the value must be of; a float may be an int.
        value: What was given for it.

    Raises:
        ValueError: If it is of another type, not finite, out of bounds, or
            not among the choices.

    Example:

    >>> import dataclasses
    >>> from hashnet_tf.setting import check_setting
    >>> from hashnet_tf.training_config import TrainingConfig
    >>> fields = {f.name: f for f in dataclasses.fields(TrainingConfig)}
    >>> check_setting(fields["bits"], int, 16)
    >>> check_setting(fields["bits"], int, 0)
    Traceback (most recent call last):
        ...
    ValueError: `bits` must be at least 1. Received: bits=0
    """
    if wanted := _unmet(field.metadata, kind, value):
        raise ValueError(
            f"`{field.name}` must be {wanted}. Received: {field.name}={value!r}"
        )


def _unmet(metadata, kind, value):
    """Returns what the value must be and is not, or None."""
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
    choices = metadata["choices"]
    if choices and value not in choices:
        return f"one of {', '.join(choices)}"
    return None
