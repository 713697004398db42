"""Cells, made in processes apart from this one."""

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
from hashnet_tf.reproduction.job import run_cell_in_turn, train_cell
from hashnet_tf.reproduction.shared import prepare
from hashnet_tf.runs.run import Run

# Cells of a process: what libraries do not give back is bounded so.
AT_ONCE = 50


class OwnProcess:
    """A process that works for this one, and ends with it.

    It begins with the first call, and is begun anew after one that it did not
    survive. So TensorFlow gives back all that it took. It ends when this one
    does, even if that is killed: else two of them would write into one folder
    when the work is begun again. As all of `multiprocessing`, it needs a script
    that guards its main part. A context manager, at whose end it ends.

    Example:

    >>> from hashnet_tf.reproduction.processes import OwnProcess
    >>> with OwnProcess() as process:
    ...     process.call(int, "12")
    12
    """

    def __init__(self) -> None:
        self._pool: concurrent.futures.ProcessPoolExecutor | None = None

    def __enter__(self) -> "OwnProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def call(
        self,
        work: collections.abc.Callable[..., typing.Any],
        *arguments: typing.Any,
    ) -> typing.Any:
        """Calls a function in the process and returns what it returns.

        Args:
            work: Function of a module.
            *arguments: What it takes; these and what it returns must be
                picklable.

        Returns:
            What `work` returns.

        Raises:
            What `work` raises; `concurrent.futures.BrokenExecutor`, a
            RuntimeError, if the process dies.
        """
        if self._pool is None:
            # A fork of a process that runs TensorFlow may hang.
            spawn = multiprocessing.get_context("spawn")
            self._pool = concurrent.futures.ProcessPoolExecutor(
                1, spawn, initializer=_end_with_parent
            )
        try:
            return self._pool.submit(work, *arguments).result()
        except BrokenExecutor:
            self.end()
            raise

    def end(self) -> None:
        """Ends the process."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None


def _end_with_parent() -> None:
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def prepare_seeds(
    cells: collections.abc.Sequence[Cell],
    shared: pathlib.Path,
    features: pathlib.Path | None = None,
) -> None:
    """Looks through the data of each seed, before the first cell is made.

    Args:
        cells: List of `Cell`.
        shared: `pathlib.Path` of the folder of what cells share.
        features: `pathlib.Path` of the folder of the features of frozen
            backbones, or None for one in `shared`.

    Raises:
        ValueError: If the data are at fault.
    """
    shallow = any(not cell.method.is_deep for cell in cells)
    configs = {cell.config.seed: cell.config for cell in cells}
    with OwnProcess() as process:
        for config in configs.values():
            process.call(prepare, config, shared, shallow, features)


def make_cells(
    cells: collections.abc.Sequence[Cell],
    shared: pathlib.Path,
    features: pathlib.Path | None = None,
    after: collections.abc.Callable[[list[str]], typing.Any] | None = None,
) -> list[str]:
    """Makes cells one by one; a cell that fails does not stop the others.

    Seed by seed, so that a process can keep the data. One makes many cells of a
    seed that take the features of a frozen backbone; where a whole network is
    trained, each cell has its own.

    Args:
        cells: List of `Cell`, those that are missing.
        shared: As in `prepare_seeds`.
        features: As in `prepare_seeds`.
        after: Function that is called after each cell with what is returned.

    Returns:
        List of str, what failed so far, and why.
    """
    failed: list[str] = []
    by_seed = sorted(cells, key=lambda cell: cell.config.seed)
    made = 0
    with OwnProcess() as process:
        for number, cell in enumerate(by_seed, start=1):
            say(f"[{number}/{len(cells)}] {cell.name}")
            if made == AT_ONCE or made and not cell.on_features:
                process.end()
                made = 0
            failed += _made(process, run_cell_in_turn, cell, shared, features)
            # One that trained a whole network makes no other after it.
            made = made + 1 if cell.on_features else AT_ONCE
            if after is not None:
                after(failed)
    return failed


def make_runs(
    cells: collections.abc.Iterable[Cell],
    shared: pathlib.Path,
    features: pathlib.Path | None = None,
) -> list[str]:
    """Makes the run directories of deep cells, as far as they are not made.

    Args:
        cells: List of `Cell`.
        shared: As in `prepare_seeds`.
        features: As in `prepare_seeds`.

    Returns:
        List of str, what failed, and why.
    """
    failed: list[str] = []
    for cell in cells:
        if not Run(cell.folder).report_path.is_file():
            say(f"Training {cell.name} again, for the figures")
            with OwnProcess() as process:
                failed += _made(process, train_cell, cell, shared, features)
    return failed


def _made(process: OwnProcess, work, cell: Cell, shared, features) -> list[str]:
    """Works on a cell in a process and returns what failed, if it did."""
    try:
        process.call(work, cell, shared, features)
    # A library may be missing that one method alone wants.
    except (ValueError, ImportError, BrokenExecutor) as error:
        failed = f"{cell.name}: {error}"
        say(failed)
        return [failed]
    return []
