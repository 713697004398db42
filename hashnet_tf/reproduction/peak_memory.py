"""How much memory a process has taken."""

import pathlib
import resource
import sys

STATUS = pathlib.Path("/proc/self/status")


def peak_memory_mb():
    """Returns the most main memory that this process has held, in 10^6 bytes.

    Example:

    >>> from hashnet_tf.reproduction.peak_memory import peak_memory_mb
    >>> peak_memory_mb() > 1
    True
    """
    # Linux hands getrusage's figure on from parent to child, this one not.
    if STATUS.exists():
        for line in STATUS.read_text().splitlines():
            name, _, value = line.partition(":")
            if name == "VmHWM":
                return int(value.split()[0]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6
