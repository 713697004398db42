"""A table of the paper, cell by cell."""

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
from hashnet_tf.reproduction.paper import (
    chosen_methods,
    paper_dataset,
    paper_map,
)
from hashnet_tf.reproduction.plots import draw_curves, draw_trainings
from hashnet_tf.reproduction.table_files import Row, write_tables
from hashnet_tf.runs.config import TrainingConfig

# What HashNet is set beside in Figures 5 to 8.
RIVALS = {1: "dhn", 2: "dhn", 3: "hashnet-sgn"}


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

    >>> from hashnet_tf.reproduction.table import in_own_process
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


def reproduce(
    out: str | os.PathLike[str],
    base: TrainingConfig,
    table: int,
    bits: collections.abc.Sequence[int] = (16, 32, 48, 64),
    methods: collections.abc.Sequence[str] | None = None,
    seeds: int = 3,
) -> list[pathlib.Path]:
    """Measures a table of HashNet (ICCV 2017), as far as it is not measured.

    Each cell, a method at one length by one seed, runs in a process of its
    own, so that its peak of memory is its own; loading the libraries takes
    some seconds each time. A cell that is finished is not run again, and one
    that was killed goes on. The table is written after each. A cell that fails
    does not stop the others.

    Args:
        out: Str or path of a folder: `cells/`, `table_N.md`, `.csv` and
            `.json`, `figures/table_N/`. Tables 1 and 3 may share it, and then
            share HashNet's cells.
        base: `TrainingConfig`, all settings but the bits, the seed and the
            method. Table 2 wants `unseen_classes`, the others none.
        table: 1, 2 or 3: all methods, unseen classes, HashNet's variants.
        bits: Ints, lengths of the codes.
        methods: List of str, of `METHODS`, or None for those of the table.
        seeds: Int, how many: 0, 1, ...; each draws the split too, if it is
            drawn.

    Returns:
        List of the paths written, the Markdown first.

    Raises:
        ValueError: If an argument is not as above, or a cell is finished with
            other settings; and at the end if cells failed.

    Example:

    >>> import hashnet_tf as hn
    >>> config = hn.runs.TrainingConfig(data="digits")
    >>> hn.reproduction.reproduce("out", config, table=4)
    Traceback (most recent call last):
        ...
    ValueError: `table` must be one of 1, 2, 3. Received: table=4
    """
    out = pathlib.Path(out)
    chosen = chosen_methods(table, methods)
    _check(base, table, bits, seeds)
    cells = {
        (method, k, seed): Cell.of(out, base, method.name, k, seed)
        for method in chosen
        for k in bits
        for seed in range(seeds)
    }
    # Before hours are spent: whatever was measured with other settings.
    missing = [cell for cell in cells.values() if cell.result() is None]
    say(
        f"{len(cells)} cells, of which {len(cells) - len(missing)} are finished"
    )
    _prepare(missing, out / "shared")
    dataset = paper_dataset(base)
    about = {
        "title": f"Table {table} of HashNet (ICCV 2017) on {base.data}",
        "table": table,
        "paper": dataset,
        "settings": base.as_dict(),
    }
    failed = []
    path = out / f"table_{table}"
    for number, cell in enumerate(missing, start=1):
        say(f"[{number}/{len(missing)}] {cell.name}")
        try:
            in_own_process(run_cell, cell, out / "shared")
        except (ValueError, BrokenExecutor) as error:
            failed.append(f"{cell.name}: {error}")
            say(failed[-1])
        write_tables(_rows(cells, table, dataset), path, about, failed)
    rows = _rows(cells, table, dataset)
    paths = write_tables(rows, path, about, failed)
    figures = out / "figures" / path.name
    paths += draw_curves(rows, figures, dataset)
    paths += draw_trainings(_compared(cells, table, max(bits)), figures)
    if failed:
        raise ValueError(
            f"{len(failed)} cells could not be made; the others are in"
            f" {paths[0]}. Received: {'; '.join(failed)}"
        )
    return paths


def _check(base, table, bits, seeds):
    if not bits or min(bits) < 1 or seeds < 1:
        raise ValueError(
            "`bits` must be positive, at least one, and `seeds` too."
            f" Received: bits={bits}, seeds={seeds}"
        )
    if (table == 2) != (base.unseen_classes is not None):
        raise ValueError(
            "`unseen_classes` must be given for table 2, the paper does not"
            " say how many, and only for it."
            f" Received: table={table}, unseen_classes={base.unseen_classes}"
        )


def _prepare(cells, shared):
    """Fails before the first cell where the data are at fault."""
    shallow = any(not cell.method.is_deep for cell in cells)
    configs = {cell.config.seed: cell.config for cell in cells}
    for config in configs.values():
        in_own_process(prepare, config, shared, shallow)


def _rows(cells, table, dataset):
    found = {}
    for (method, bits, seed), cell in cells.items():
        results = found.setdefault((method, bits), {})
        if (result := cell.result()) is not None:
            results[seed] = result
    return [
        Row(method, bits, results, paper_map(table, dataset, method.name, bits))
        for (method, bits), results in found.items()
    ]


def _compared(cells, table, bits):
    """Returns the cells of HashNet and of its rival that are finished."""
    return [
        cell
        for (method, k, seed), cell in cells.items()
        if method.name in ("hashnet", RIVALS[table])
        and (k, seed) == (bits, 0)
        and cell.result() is not None
    ]
