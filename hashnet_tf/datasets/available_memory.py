"""How much memory can still be filled."""

import os
import pathlib

_MEMINFO = pathlib.Path("/proc/meminfo")
# Of a container, whose limit the machine's figures do not tell.
_CGROUP = pathlib.Path("/sys/fs/cgroup")


def available_memory():
    """Returns the bytes of memory that are available, or None if not known.

    Example:

    >>> from hashnet_tf.datasets.available_memory import available_memory
    >>> available_memory() is None or available_memory() > 0
    True
    """
    machine, container = _of_machine(), _of_container()
    if machine is None or container is None:
        return machine
    return min(machine, container)


def _of_machine():
    try:
        for line in _MEMINFO.read_text(encoding="ascii").splitlines():
            name, value = line.split(":")
            if name == "MemAvailable":
                return int(value.split()[0]) * 1024
    except (OSError, ValueError):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def _of_container():
    try:
        limit = int((_CGROUP / "memory.max").read_text(encoding="ascii"))
        taken = int((_CGROUP / "memory.current").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return max(0, limit - taken)
