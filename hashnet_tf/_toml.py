"""A table of a TOML file, as an instance of a dataclass."""

import dataclasses
import types
import typing
from typing import Any, TypeVar

T = TypeVar("T")


def from_table(kind: type[T], table: dict[str, Any]) -> T:
    """Returns an instance of a dataclass whose fields a table holds.

    Args:
        kind: Dataclass; each field of one type, or of one type or None. A
            tuple holds strings.
        table: Dict of what TOML knows: a list for a tuple, and for a float an
            int will do. Fields without a default it must hold.

    Raises:
        ValueError: If it is no table, lacks a field or holds an unknown one,
            or a value is of another type; and as the dataclass.

    Example:

    >>> import dataclasses
    >>> from hashnet_tf._toml import from_table
    >>> @dataclasses.dataclass
    ... class Pet:
    ...     name: str
    ...     weight: float = 4.0
    >>> from_table(Pet, {"name": "Tom", "weight": 5})
    Pet(name='Tom', weight=5.0)
    >>> from_table(Pet, {"colour": "grey"})
    Traceback (most recent call last):
    ValueError: Pet needs name and may have weight. Received: colour
    """
    check_table(kind.__name__, table)
    dataclass: Any = kind
    fields = {field.name: field for field in dataclasses.fields(dataclass)}
    needed = [
        name
        for name, field in fields.items()
        if field.default is dataclasses.MISSING
    ]
    optional = [name for name in fields if name not in needed]
    if set(table) - set(fields) or set(needed) - set(table):
        raise ValueError(
            f"{kind.__name__} needs {', '.join(needed) or 'nothing'} and may"
            f" have {', '.join(optional) or 'no more'}."
            f" Received: {', '.join(table) or 'nothing'}"
        )
    hints = typing.get_type_hints(kind)
    return kind(
        **{name: _fitted(name, hints[name], table[name]) for name in table}
    )


def check_table(name: str, value: Any) -> dict[str, Any]:
    """Returns `value`, which must be a table, a dict.

    Example:

    >>> from hashnet_tf._toml import check_table
    >>> check_table("origin", {"url": "here"})
    {'url': 'here'}
    """
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be a table. Received: {value!r}")
    return value


def _fitted(name, kind, value):
    """Returns a value of TOML as the type that a field is of."""
    if isinstance(kind, types.UnionType):
        # Each optional field is of one type or None.
        kind, _ = typing.get_args(kind)
        if value is None:
            return None
    if typing.get_origin(kind) is tuple:
        if isinstance(value, list) and all(type(v) is str for v in value):
            return tuple(value)
    elif kind is float and type(value) is int:
        return float(value)
    elif type(value) is (typing.get_origin(kind) or kind):
        return value
    raise ValueError(
        f"`{name}` must be {getattr(kind, '__name__', kind)}."
        f" Received: {name}={value!r}"
    )
