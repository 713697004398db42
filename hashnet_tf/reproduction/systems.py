"""What the tables compare, by name."""

import dataclasses

from hashnet_tf.shallow import BRE, ITQ, ITQCCA, KSH, LSH, SDH, SpectralHashing
from hashnet_tf.shallow.hash_function import HashFunction


@dataclasses.dataclass(frozen=True)
class System:
    """A row of a table.

    Attributes:
        name: Str, by which it is chosen; of a deep one, the `method` of
            `TrainingConfig`.
        title: Str, as it is printed.
        shallow: Class of the hash function on features, or None for a network
            that is trained.

    Example:

    >>> from hashnet_tf.reproduction import SYSTEMS
    >>> SYSTEMS["itq-cca"].title
    'ITQ-CCA'
    """

    name: str
    title: str
    shallow: type[HashFunction] | None = None


SYSTEMS = {
    system.name: system
    for system in [
        System("hashnet", "HashNet"),
        System("hashnet+c", "HashNet+C"),
        System("hashnet-w", "HashNet-W"),
        System("hashnet-sgn", "HashNet-sgn"),
        System("dhn", "DHN"),
        System("dnnh", "DNNH"),
        System("cnnh", "CNNH"),
        System("dpsh", "DPSH"),
        System("greedyhash", "GreedyHash"),
        System("csq", "CSQ"),
        System("orthohash", "OrthoHash"),
        System("sdh", "SDH", SDH),
        System("ksh", "KSH", KSH),
        System("itq-cca", "ITQ-CCA", ITQCCA),
        System("itq", "ITQ", ITQ),
        System("bre", "BRE", BRE),
        System("sh", "SH", SpectralHashing),
        System("lsh", "LSH", LSH),
    ]
}

# The rows of the paper's tables, in its order.
TABLES = {
    1: (
        "hashnet",
        "dhn",
        "dnnh",
        "cnnh",
        "sdh",
        "ksh",
        "itq-cca",
        "itq",
        "bre",
        "sh",
        "lsh",
    ),
    2: ("hashnet", "dhn"),
    3: ("hashnet+c", "hashnet", "hashnet-w", "hashnet-sgn"),
}


def chosen_systems(table, methods=None):
    """Returns the systems of a table, or those of given names.

    Args:
        table: 1, 2 or 3, of the paper.
        methods: List of str, of `SYSTEMS`, or None for those of the table.

    Returns:
        List of `System`, each once.

    Raises:
        ValueError: If there is no such table or system, or no name at all.

    Example:

    >>> from hashnet_tf.reproduction.systems import chosen_systems
    >>> [system.title for system in chosen_systems(2)]
    ['HashNet', 'DHN']
    """
    if table not in TABLES:
        raise ValueError(
            f"`table` must be one of {', '.join(map(str, TABLES))}."
            f" Received: table={table}"
        )
    if methods is None:
        methods = TABLES[table]
    unknown = [name for name in methods if name not in SYSTEMS]
    if unknown or not methods:
        raise ValueError(
            f"`methods` must be some of {', '.join(SYSTEMS)}."
            f" Received: {', '.join(unknown) or 'none'}"
        )
    return [SYSTEMS[name] for name in dict.fromkeys(methods)]
