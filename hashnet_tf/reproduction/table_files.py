"""A table as Markdown, CSV and JSON."""

import collections.abc
import dataclasses
import pathlib
import typing

from hashnet_tf._files import write_json, written_beside
from hashnet_tf.methods import Method
from hashnet_tf.plots._canvas import write_table
from hashnet_tf.reproduction.cell import Result
from hashnet_tf.retrieval.presets import PRESETS

# From a result to a number, by the name that the tables give it.
MEASURES = {
    "tie-aware": lambda result: result.report.map,
    "thuml-caffe": lambda result: result.report.presets["thuml-caffe"],
    "deephash": lambda result: result.report.presets["deephash"],
    "precision_radius2": lambda result: result.report.precision_radius2,
    "empty_balls": lambda result: result.report.empty_radius2,
    "precision_at_100": lambda result: result.report.precision_at.get(100),
    "J": lambda result: (result.training or {}).get("J"),
    "L": lambda result: (result.training or {}).get("L"),
    "gap": lambda result: (result.training or {}).get("gap"),
    "seconds": lambda result: result.seconds,
    "peak_memory_mb": lambda result: result.peak_memory_mb,
    "bytes_per_item": lambda result: result.bytes_per_item,
}

RULE = "thuml-caffe"


@dataclasses.dataclass(frozen=True)
class Row:
    """What the cells of one method and one length measured.

    Attributes:
        method: `hashnet_tf.methods.Method`.
        bits: Int.
        results: Dict from a seed to its `Result`, of those that are finished.
        paper: Float, the MAP that the paper printed, or None.

    Example:

    >>> from hashnet_tf.methods import METHODS
    >>> from hashnet_tf.reproduction import Row
    >>> Row(METHODS["itq"], 16, {}, 0.3255).mean("tie-aware") is None
    True
    """

    method: Method
    bits: int
    results: dict[int, Result]
    paper: float | None = None

    def values(self, measure: str) -> list[float]:
        """Returns the values of one of `MEASURES`, a list over seeds."""
        values = map(MEASURES[measure], self.results.values())
        return [value for value in values if value is not None]

    def mean(self, measure: str) -> float | None:
        """Returns the mean over seeds, or None if there is no value."""
        values = self.values(measure)
        return sum(values) / len(values) if values else None

    def spread(self, measure: str) -> float | None:
        """Returns half the range over seeds, or None if there is no value."""
        values = self.values(measure)
        return (max(values) - min(values)) / 2 if values else None


def write_tables(
    rows: collections.abc.Sequence[Row],
    path: pathlib.Path,
    about: dict[str, typing.Any],
    failed: collections.abc.Iterable[str] = (),
) -> list[pathlib.Path]:
    """Writes a table three times, with the numbers that it has so far.

    Args:
        rows: List of `Row`.
        path: `pathlib.Path` of the Markdown file; the others lie beside it.
        about: Dict for the JSON file: `title`, `settings` and what else tells
            where the numbers are from.
        failed: List of str, the cells that could not be made, and why.

    Returns:
        List of the three paths.
    """
    paths = [path.with_suffix(ending) for ending in (".md", ".csv", ".json")]
    with written_beside(paths[0]) as beside:
        text = markdown(rows, about["title"], failed, about.get("chosen"))
        beside.write_text(text, "utf-8")
    with written_beside(paths[1]) as beside:
        write_table(*_flat(rows), beside)
    write_json(
        paths[2],
        {
            **about,
            "protocols": _protocols(rows),
            "rules": {name: preset.rule for name, preset in PRESETS.items()},
            "rows": [_as_dict(row) for row in rows],
            "failed": list(failed),
        },
    )
    return paths


def markdown(
    rows: collections.abc.Sequence[Row],
    title: str,
    failed: collections.abc.Iterable[str] = (),
    chosen: collections.abc.Mapping[str, typing.Any] | None = None,
) -> str:
    """Returns a table as Markdown: a row a method, then the cost of each cell.

    Args:
        rows: List of `Row`.
        title: Str.
        failed: List of str.
        chosen: Mapping from the name of a method to a mapping from a length
            to the settings that were chosen for it there, or None.

    Example:

    >>> from hashnet_tf.methods import METHODS
    >>> from hashnet_tf.reproduction import Row
    >>> from hashnet_tf.reproduction.table_files import markdown
    >>> text = markdown([Row(METHODS["itq"], 16, {}, 0.3255)], "Table 1")
    >>> print("\\n".join(text.splitlines()[-7:-4]))
    | system | 16 bits, tie-aware | 16 bits, thuml-caffe | 16 bits, paper |
    |---|---|---|---|
    | ITQ | - | - | 0.3255 |
    """
    chosen = chosen or {}
    results = [result for row in rows for result in row.results.values()]
    ranks = sorted({result.report.at for result in results})
    seeds = sorted({seed for row in rows for seed in row.results})
    features = dict.fromkeys(
        result.features
        for row in rows
        if not row.method.is_deep
        for result in row.results.values()
    )
    text = [
        f"# {title}",
        "",
        f"MAP@{' and @'.join(map(str, ranks)) or 'R'}, mean over the seeds"
        f" {', '.join(map(str, seeds)) or '(none yet)'} ± half the range; the"
        " last epoch of each training.",
        "",
        f"- tie-aware: {PRESETS['tie-aware'].rule}.",
        f"- {RULE}, the rule of the paper's code: {PRESETS[RULE].rule}.",
        *(f"- {protocol}" for protocol in _protocols(rows)),
        *(f"- The shallow systems see {what}." for what in features),
        "- J, L and the gap are those of the last epoch, by the loss of HashNet"
        " with the method's own likelihood.",
        *(
            f"- Chosen of {name} at {bits} bits: {_named(settings)}."
            for name, of_lengths in chosen.items()
            for bits, settings in of_lengths.items()
        ),
        *(f"- Not made: {what}" for what in failed),
        "",
        *_by_system(rows),
        "",
        *_by_cell(rows),
    ]
    return "\n".join(text) + "\n"


def _named(settings):
    return ", ".join(f"{name} {value}" for name, value in settings.items())


def _by_system(rows):
    shown = {
        "tie-aware": lambda row: _shown(row, "tie-aware"),
        RULE: lambda row: _shown(row, RULE),
    }
    if any(row.paper is not None for row in rows):
        shown["paper"] = lambda row: (
            "-" if row.paper is None else f"{row.paper:.4f}"
        )
    bits = list(dict.fromkeys(row.bits for row in rows))
    there = {(row.method, row.bits): row for row in rows}
    yield _line(
        "system", *(f"{k} bits, {name}" for k in bits for name in shown)
    )
    yield _rule(1 + len(bits) * len(shown))
    for method in dict.fromkeys(row.method for row in rows):
        yield _line(
            method.title,
            *(show(there[method, k]) for k in bits for show in shown.values()),
        )


def _by_cell(rows):
    yield _line(
        "system",
        "bits",
        "bytes an item",
        "deephash",
        "P@H<=2",
        "empty balls",
        "P@100",
        "J",
        "L",
        "gap",
        "seconds a cell",
        "peak MB a cell",
    )
    yield _rule(12)
    for row in rows:
        yield _line(
            row.method.title,
            row.bits,
            _bytes(row),
            _shown(row, "deephash"),
            _shown(row, "precision_radius2"),
            _shown(row, "empty_balls"),
            _shown(row, "precision_at_100"),
            _shown(row, "J"),
            _shown(row, "L"),
            _shown(row, "gap"),
            _shown(row, "seconds", 1),
            _shown(row, "peak_memory_mb", 0),
        )


def _shown(row, measure, digits=4):
    mean, spread = row.mean(measure), row.spread(measure)
    if mean is None:
        return "-"
    if len(row.values(measure)) == 1:
        return f"{mean:.{digits}f}"
    return f"{mean:.{digits}f} ± {spread:.{digits}f}"


def _bytes(row):
    """Returns the bytes that are kept of an item, of codes if none are told."""
    told = row.values("bytes_per_item")
    return int(told[0]) if told else -(-row.bits // 8) if row.results else "-"


def _line(*cells):
    return f"| {' | '.join(map(str, cells))} |"


def _rule(columns):
    return "|" + "---|" * columns


def _flat(rows):
    """Returns the columns and the lines of the CSV file."""
    columns = ["method", "bits", "seeds", "paper"]
    for measure in MEASURES:
        columns += [f"{measure}_mean", f"{measure}_spread"]
    lines = []
    for row in rows:
        line = [row.method.name, row.bits, len(row.results), row.paper]
        for measure in MEASURES:
            line += [row.mean(measure), row.spread(measure)]
        lines.append(line)
    return columns, lines


def _as_dict(row):
    return {
        "method": row.method.name,
        "bits": row.bits,
        "seeds": list(row.results),
        "paper": row.paper,
        **{
            measure: {
                "mean": row.mean(measure),
                "spread": row.spread(measure),
                "values": row.values(measure),
            }
            for measure in MEASURES
        },
    }


def _protocols(rows):
    return list(
        dict.fromkeys(
            result.protocol for row in rows for result in row.results.values()
        )
    )
