"""The figures of the paper: of all methods, and of HashNet and a rival."""

import collections.abc
import functools
import pathlib
import typing

import numpy as np

from hashnet_tf.datasets import pixel_array
from hashnet_tf.plots import (
    plot_by_bits,
    plot_code_histogram,
    plot_distances,
    plot_losses,
    plot_precision_at,
    plot_precision_recall,
    plot_tsne,
)
from hashnet_tf.reproduction.cell import Cell
from hashnet_tf.reproduction.paper import paper_curve
from hashnet_tf.reproduction.table_files import Row
from hashnet_tf.retrieval import histograms
from hashnet_tf.runs.code_set import CodeSet
from hashnet_tf.runs.run import Run

# What is drawn over the length of the codes.
BY_BITS = {
    "precision_radius2": "precision within Hamming radius 2",
    "tie-aware": "MAP",
    "empty_balls": "share of queries with no item within radius 2",
}
# Of Figures 5 and 6.
SHEET_ROWS, SHEET_COLUMNS = 3, 10
CLASSES, POINTS = 10, 1000


def draw_curves(
    rows: collections.abc.Iterable[Row],
    folder: pathlib.Path,
    dataset: str | None = None,
) -> list[pathlib.Path]:
    """Draws Figures 2 to 4: P@H<=2 by bits, precision by recall and by N.

    Beside them MAP and the share of empty balls by bits. Means over the seeds;
    those by recall and by N at the most bits. HashNet's curves as
    the paper has them, at 64 bits, are dashed.

    Args:
        rows: List of `Row`; those without a result are left out.
        folder: `pathlib.Path`.
        dataset: Str as `paper_dataset` gives it, or None for no dashed curve.

    Returns:
        List of the paths of the PNGs.
    """
    rows = [row for row in rows if row.results]
    if not rows:
        return []
    by_bits = {measure: {} for measure in BY_BITS}
    for measure, curves in by_bits.items():
        for row in rows:
            value = row.mean(measure)
            if value is not None:
                curves.setdefault(row.method.title, {})[row.bits] = value
    most = max(row.bits for row in rows)
    longest = [row for row in rows if row.bits == most]
    drawn = [
        *(
            (
                measure,
                functools.partial(plot_by_bits, measure=title),
                by_bits[measure],
                True,
            )
            for measure, title in BY_BITS.items()
        ),
        (
            "precision_at_recall",
            plot_precision_recall,
            {
                row.method.title: _mean_curve(row, "precision_at_recall")
                for row in longest
            },
            most == 64,
        ),
        (
            "precision_at",
            plot_precision_at,
            {
                row.method.title: _mean_curve(row, "precision_at")
                for row in longest
            },
            most == 64,
        ),
    ]
    paths = []
    for measure, plot, curves, comparable in drawn:
        # A database below 100 images has no precision at 100.
        curves = {name: curve for name, curve in curves.items() if curve}
        if not curves:
            continue
        paper = paper_curve(measure, dataset) if comparable else None
        published = {"HashNet (paper)": paper} if paper else None
        name = "map" if measure == "tie-aware" else measure
        paths.append(plot(curves, folder / f"{name}.png", published))
    return paths


def _mean_curve(row: Row, measure: str) -> dict[float, float]:
    curves = [
        getattr(result.report, measure) for result in row.results.values()
    ]
    # Of unseen classes each seed has a database of another size.
    shared = [x for x in curves[0] if all(x in curve for curve in curves)]
    return {x: float(np.mean([curve[x] for curve in curves])) for x in shared}


def draw_trainings(
    cells: collections.abc.Sequence[Cell], folder: pathlib.Path
) -> list[pathlib.Path]:
    """Draws Figures 5 to 8, of networks that were trained.

    For each the images found for some queries (5, of RGB) and the codes in the
    plane (6, where an image has one class); together J and L by steps (7), the
    distances of similar and dissimilar pairs of a query and an item and, of
    the first two, the histograms of |g| (8).

    Args:
        cells: List of finished deep `Cell`s of one length and seed.
        folder: `pathlib.Path`.

    Returns:
        List of the paths of the PNGs.
    """
    if not cells:
        return []
    runs = {cell.method: Run(cell.folder) for cell in cells}
    paths = []
    for method, run in runs.items():
        if run.dataset.query.channels == 3:
            path = folder / f"neighbours-{method.name}.png"
            paths.append(_draw_neighbours(run, path))
        path = _draw_codes(run, folder / f"tsne-{method.name}.png")
        paths += [path] if path else []
    trainings = {method.title: run.history for method, run in runs.items()}
    paths.append(plot_losses(trainings, folder / "losses.png"))
    distances = {method.title: _distances(run) for method, run in runs.items()}
    paths.append(plot_distances(distances, folder / "distances.png"))
    if len(runs) > 1:
        (first, one), (second, other) = list(runs.items())[:2]
        paths.append(
            plot_code_histogram(
                np.load(one.codes_after_path),
                np.load(other.codes_after_path),
                folder / "code_histogram.png",
                (first.title, second.title),
            )
        )
    return paths


def _draw_neighbours(run: Run, path: pathlib.Path) -> pathlib.Path:
    config, dataset = run.config, run.dataset
    # The same queries for each network.
    rng = np.random.default_rng(config.seed)
    rows = min(SHEET_ROWS, len(dataset.query))
    chosen = np.sort(rng.choice(len(dataset.query), rows, replace=False))
    asked: typing.Any = dataset.query.subset(chosen)
    size = (config.image_size, config.image_size)
    pixels = pixel_array(asked, size, config.framing)
    k = min(SHEET_COLUMNS, len(dataset.database))
    return run.search(pixels, k).draw(path, asked.labels)


def _distances(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Returns how many similar, and other, pairs lie at each distance."""
    query, database = (
        CodeSet.load(run.codes_path(part)) for part in ("query", "database")
    )
    assert query.labels is not None
    found = histograms(
        query.codes, database.codes, query.labels, database.labels, query.bits
    )
    similar = found.relevant.sum(axis=0)
    return similar, found.counts.sum(axis=0) - similar


def _draw_codes(run: Run, path: pathlib.Path) -> pathlib.Path | None:
    codes = CodeSet.load(run.codes_path("database"))
    labels = _classes(codes.labels)
    if labels is None:
        return None
    rng = np.random.default_rng(run.config.seed)
    there = np.unique(labels[labels >= 0])
    some = rng.choice(there, min(CLASSES, len(there)), replace=False)
    drawn = np.flatnonzero(np.isin(labels, some))
    if len(drawn) > POINTS:
        drawn = np.sort(rng.choice(drawn, POINTS, replace=False))
    if len(drawn) < 4:
        return None
    return plot_tsne(codes.codes[drawn], codes.bits, labels[drawn], path)


def _classes(labels: np.ndarray | None) -> np.ndarray | None:
    """Returns class ids `[n]`, or None where an image has not one label."""
    if labels is None:
        return None
    if labels.ndim == 1:
        return labels
    if (labels.sum(axis=1) > 1).any():
        return None
    return np.where(labels.any(axis=1), labels.argmax(axis=1), -1)
