import dataclasses
import re

import pytest

from hashnet_tf._toml import check_table, from_table


@dataclasses.dataclass(frozen=True)
class Pet:
    name: str
    weight: float
    friends: tuple[str, ...] = ()
    age: int | None = None
    food: dict | None = None


TOM = {"name": "Tom", "weight": 4.5}


def test_each_kind_of_field():
    table = {**TOM, "friends": ["Kit"], "age": 3, "food": {"fish": 2}}
    assert from_table(Pet, table) == Pet("Tom", 4.5, ("Kit",), 3, {"fish": 2})
    assert from_table(Pet, TOM) == Pet("Tom", 4.5)
    assert from_table(Pet, {**TOM, "age": None}).age is None


def test_an_int_will_do_for_a_float():
    weight = from_table(Pet, {**TOM, "weight": 4}).weight
    assert (weight, type(weight)) == (4.0, float)


@pytest.mark.parametrize(
    "table, received",
    [
        ("Tom", "'Tom'"),
        ({}, "nothing"),
        ({"name": "Tom"}, "name"),
        ({**TOM, "colour": "grey"}, "name, weight, colour"),
        ({**TOM, "name": 3}, "name=3"),
        ({**TOM, "weight": True}, "weight=True"),
        ({**TOM, "age": True}, "age=True"),
        ({**TOM, "age": 3.0}, "age=3.0"),
        ({**TOM, "friends": "Kit"}, "friends='Kit'"),
        ({**TOM, "friends": ["Kit", 3]}, "friends=['Kit', 3]"),
        ({**TOM, "food": ["fish"]}, "food=['fish']"),
    ],
)
def test_refuses(table, received):
    with pytest.raises(ValueError, match=re.escape(received) + "$") as error:
        from_table(Pet, table)
    assert "Received: " in str(error.value)


def test_a_table_is_a_dict():
    assert check_table("food", {"fish": 2}) == {"fish": 2}
    with pytest.raises(ValueError, match="food must be a table. Received: 2"):
        check_table("food", 2)
