import pytest

from hashnet_tf.methods import METHODS
from hashnet_tf.reproduction import SYSTEMS, TABLES
from hashnet_tf.reproduction.systems import chosen_systems


def test_the_deep_ones_are_the_methods_of_a_training():
    deep = {name for name, system in SYSTEMS.items() if not system.shallow}
    assert deep == set(METHODS)
    assert all(name == system.name for name, system in SYSTEMS.items())


def test_the_tables_are_the_papers():
    titles = {
        table: [SYSTEMS[name].title for name in names]
        for table, names in TABLES.items()
    }
    assert titles[1] == (
        "HashNet DHN DNNH CNNH SDH KSH ITQ-CCA ITQ BRE SH LSH".split()
    )
    assert titles[2] == ["HashNet", "DHN"]
    assert titles[3] == "HashNet+C HashNet HashNet-W HashNet-sgn".split()


def test_the_hash_functions_go_by_their_names():
    names = {
        name: system.shallow.__name__
        for name, system in SYSTEMS.items()
        if system.shallow
    }
    assert names.pop("sh") == "SpectralHashing"
    for name, of_class in names.items():
        assert of_class == name.replace("-", "").upper()


def test_chosen():
    assert [system.name for system in chosen_systems(3)] == list(TABLES[3])
    some = chosen_systems(1, ["lsh", "csq", "lsh"])
    assert [system.name for system in some] == ["lsh", "csq"]


@pytest.mark.parametrize(
    "table, methods, received",
    [
        (4, None, "table=4"),
        (1, ["itq", "other", "all"], "other, all"),
        (1, [], "none"),
    ],
)
def test_refuses(table, methods, received):
    with pytest.raises(ValueError, match=f"Received: {received}$"):
        chosen_systems(table, methods)
