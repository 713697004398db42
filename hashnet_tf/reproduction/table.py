"""A table of the paper, cell by cell."""

import collections.abc
import os
import pathlib

from hashnet_tf._files import only_writer
from hashnet_tf._output import say
from hashnet_tf.reproduction.cell import Cell
from hashnet_tf.reproduction.choice import Settings, choose
from hashnet_tf.reproduction.paper import (
    chosen_methods,
    paper_dataset,
    paper_map,
)
from hashnet_tf.reproduction.plots import draw_curves, draw_trainings
from hashnet_tf.reproduction.processes import (
    make_cells,
    make_runs,
    prepare_seeds,
)
from hashnet_tf.reproduction.table_files import Row, write_tables
from hashnet_tf.runs.config import TrainingConfig
from hashnet_tf.runs.run import Run

# What HashNet is set beside in Figures 5 to 8.
RIVALS = {1: "dhn", 2: "dhn", 3: "hashnet-sgn"}


def reproduce(
    out: str | os.PathLike[str],
    base: TrainingConfig,
    table: int,
    bits: collections.abc.Sequence[int] = (16, 32, 48, 64),
    methods: collections.abc.Sequence[str] | None = None,
    seeds: int = 3,
    validation: int | None = None,
    features: str | os.PathLike[str] | None = None,
) -> list[pathlib.Path]:
    """Measures a table of HashNet (ICCV 2017), as far as it is not measured.

    A cell is a method at one length by one seed. Where a whole network is
    trained, each runs in a process of its own and leaves a run directory; on a
    frozen backbone's features many are made in one process, and run directories
    are made of those alone whose networks are drawn. A cell that is finished is
    not run again, and a run that was killed goes on. The table is written after
    each, the first seed of all before the second. A cell that fails does not
    stop the others.

    Args:
        out: Str or path of a folder: `cells/`, `table_N.md`, `.csv` and
            `.json`, `figures/table_N/`. The tables may share it, and then
            share what was chosen, and tables 1 and 3 HashNet's cells.
        base: `TrainingConfig`, all settings but the bits, the seed and the
            method. Table 2 wants `unseen_classes`, the others none.
        table: 1, 2 or 3: all methods, unseen classes, HashNet's variants.
        bits: Ints, lengths of the codes.
        methods: List of str, of `METHODS`, or None for those of the table.
        seeds: Int, how many: 0, 1, ...; each draws the split too, if it is
            drawn.
        validation: Int, training images that ask while the settings of each
            deep method are chosen (`hashnet_tf.reproduction.choose`), at each
            length its own; or None for those of `base`.
        features: Str or path of a folder for the features of a frozen backbone,
            which several tables may share; None for one in `out`.

    Returns:
        List of the paths written, the Markdown first.

    Raises:
        ValueError: If an argument is not as above, or a cell is finished with
            other settings; and at the end if cells failed.
        OSError: If another process measures into the folder.

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
    with only_writer(out):
        return _reproduced(
            out,
            base,
            table,
            bits,
            chosen,
            seeds,
            validation,
            None if features is None else pathlib.Path(features),
        )


def _reproduced(out, base, table, bits, chosen, seeds, validation, features):
    shared = out / "shared"
    by_length: dict[int, dict[str, Settings]] = {k: {} for k in bits}
    unchosen = []
    pairs = [(method, k) for method in chosen for k in bits]
    if validation is not None:
        for k in bits:
            place = out / "choice" / f"{k}bits"
            by_length[k] = choose(
                place, base, chosen, k, validation, shared, features
            )
        lost = [
            (method, k)
            for method, k in pairs
            if method.is_deep and method.name not in by_length[k]
        ]
        unchosen = [
            f"{method.name} at {k} bits: no try of it could be trained"
            for method, k in lost
        ]
        pairs = [pair for pair in pairs if pair not in lost]
    cells = {
        (method, k, seed): Cell.of(
            out, base, method.name, k, seed, by_length[k].get(method.name)
        )
        for method, k in pairs
        for seed in range(seeds)
    }
    # Before hours are spent: whatever was measured with other settings.
    missing = [cell for cell in cells.values() if cell.result() is None]
    say(
        f"{len(cells)} cells, of which {len(cells) - len(missing)} are finished"
    )
    prepare_seeds(missing, shared, features)
    dataset = paper_dataset(base)
    about = {
        "title": f"Table {table} of HashNet (ICCV 2017) on {base.data}",
        "table": table,
        "paper": dataset,
        "settings": base.as_dict(),
        "chosen": {
            method.name: {
                k: found[method.name]
                for k, found in by_length.items()
                if method.name in found
            }
            for method in chosen
            if any(method.name in found for found in by_length.values())
        },
    }
    path = out / f"table_{table}"
    failed = make_cells(
        missing,
        shared,
        features,
        lambda failed: write_tables(
            _rows(cells, table, dataset), path, about, unchosen + failed
        ),
    )
    compared = _compared(cells, table, max(bits))
    failed = unchosen + failed + make_runs(compared, shared, features)
    rows = _rows(cells, table, dataset)
    paths = write_tables(rows, path, about, failed)
    figures = out / "figures" / path.name
    paths += draw_curves(rows, figures, dataset)
    drawn = [c for c in compared if Run(c.folder).report_path.is_file()]
    paths += draw_trainings(drawn, figures)
    if failed:
        raise ValueError(
            f"{len(failed)} cells could not be made; the others are in"
            f" {paths[0]}. Received: {'; '.join(failed)}"
        )
    return paths


def _check(base, table, bits, seeds):
    if base.is_by_pairs:
        raise ValueError(
            "The tables compare methods that learn from labels, so `pairs` must"
            f" not be given. Received: data={base.data!r}, pairs={base.pairs!r}"
        )
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
    """Returns those cells of HashNet, its rival and HashNet-R that are done."""
    done = {
        method.name: cell
        for (method, k, seed), cell in cells.items()
        if (k, seed) == (bits, 0) and cell.result() is not None
    }
    # The paper's own two first, whose codes Figure 8 sets side by side.
    shown = ("hashnet", RIVALS[table], "hashnet-r")
    return [done[name] for name in shown if name in done]
