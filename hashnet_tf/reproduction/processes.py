"""Cells, each made in a process of its own."""

import collections.abc
import concurrent.futures
import multiprocessing
import os
import pathlib
import threading
import typing
from concurrent.futures import BrokenExecutor

from hashnet_tf._output import say
from hashnet_tf.reproduction.cell import Cell
from hashnet_tf.reproduction.job import prepare, run_cell


def in_own_process(
    work: collections.abc.Callable[..., typing.Any], *arguments: typing.Any
) -> typing.Any:
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

    >>> from hashnet_tf.reproduction.processes import in_own_process
    >>> in_own_process(int, "12")
    12
    """
    # A fork of a process that runs TensorFlow may hang.
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(
        1, spawn, initializer=_end_with_parent
    ) as pool:
        return pool.submit(work, *arguments).result()


def _end_with_parent() -> None:
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def prepare_seeds(
    cells: collections.abc.Sequence[Cell], shared: pathlib.Path
) -> None:
    """Looks through the data of each seed, before the first cell is made.

    Args:
        cells: List of `Cell`.
        shared: `pathlib.Path` of the folder of what cells share.

    Raises:
        ValueError: If the data are at fault.
    """
    shallow = any(not cell.method.is_deep for cell in cells)
    configs = {cell.config.seed: cell.config for cell in cells}
    for config in configs.values():
        in_own_process(prepare, config, shared, shallow)


def make_cells(
    cells: collections.abc.Sequence[Cell],
    shared: pathlib.Path,
    after: collections.abc.Callable[[list[str]], typing.Any] | None = None,
) -> list[str]:
    """Makes cells one by one; a cell that fails does not stop the others.

    Args:
        cells: List of `Cell`, those that are missing.
        shared: As in `prepare_seeds`.
        after: Function that is called after each cell with what is returned.

    Returns:
        List of str, what failed so far, and why.
    """
    failed: list[str] = []
    for number, cell in enumerate(cells, start=1):
        say(f"[{number}/{len(cells)}] {cell.name}")
        try:
            in_own_process(run_cell, cell, shared)
        # A library may be missing that one method alone wants.
        except (ValueError, ImportError, BrokenExecutor) as error:
            failed.append(f"{cell.name}: {error}")
            say(failed[-1])
        if after is not None:
            after(failed)
    return failed
