"""Work in a process of its own."""

import concurrent.futures
import multiprocessing
import os
import threading


def in_own_process(work, *arguments):
    """Calls a function in a new process and returns what it returns.

    So its peak of memory is its own, and TensorFlow gives back all that it
    took. The process ends when this one does, even if that is killed: else two
    of them would write into one folder when the work is begun again. As all of
    `multiprocessing`, it needs a script that guards its main part.

    Args:
        work: Function of a module.
        *arguments: What it takes; these and what it returns must be picklable.

    Returns:
        What `work` returns.

    Raises:
        What `work` raises; `concurrent.futures.BrokenExecutor`, a
        RuntimeError, if the process dies.

    Example:

    >>> from hashnet_tf.own_process import in_own_process
    >>> in_own_process(int, "12")
    12
    """
    # A fork of a process that runs TensorFlow may hang.
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(
        1, spawn, initializer=_end_with_parent
    ) as pool:
        return pool.submit(work, *arguments).result()


def _end_with_parent():
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent():
    multiprocessing.parent_process().join()
    os._exit(1)
