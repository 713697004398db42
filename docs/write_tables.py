"""Writes the tables of the registries into the pages.

  python docs/write_tables.py

What they say stands in the registries of the package and in the TOML files of
hashnet_tf/datasets/protocols/; a test fails where a page is older than these.
"""

import json
import pathlib
import typing
from collections.abc import Callable, Iterable

import hashnet_tf as hn
from hashnet_tf.datasets.protocol import Protocol
from hashnet_tf.datasets.sources import SOURCES
from hashnet_tf.export.formats import FORMATS, Bound
from hashnet_tf.methods import METHODS

HERE = pathlib.Path(__file__).parent


def with_tables(page: str, name: str) -> str:
    """Returns the text of a page with its tables as they are now.

    Args:
        page: Str, its text.
        name: Str, its name in `PAGES`.
    """
    for mark, table in PAGES[name].items():
        begin, end = f"<!-- {mark}: begin -->\n", f"<!-- {mark}: end -->\n"
        before, rest = page.split(begin)
        _, after = rest.split(end)
        page = f"{before}{begin}\n{table()}\n{end}{after}"
    return page


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    columns = list(columns)
    lines = [columns, *rows]
    text = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([text[0], "|" + "---|" * len(columns), *text[1:]]) + "\n"


def _sources() -> str:
    words = [s for s in SOURCES.values() if s.is_word]
    return _table(
        ["`--data=`", "what lies there"],
        [[f"`{source.word}`", source.about] for source in words],
    )


def _protocols() -> str:
    protocols = hn.datasets.protocols().values()
    rows = []
    for protocol in protocols:
        expected = protocol.expected
        counts = (
            expected.query,
            expected.train,
            expected.database,
            expected.labels,
            protocol.at,
        )
        cells = ["-" if n is None else f"{n:,}" for n in counts]
        if protocol.at is None:
            cells[-1] = "all"
        rows.append([f"`{protocol.name}`", *cells])
    columns = [
        "protocol",
        "queries",
        "training images",
        "database",
        "labels",
        "R",
    ]
    lines = [
        _table(columns, rows),
        "A dash: not published, or drawn by the seed.",
    ]
    origins = {protocol.origin.title: protocol.origin for protocol in protocols}
    for title, origin in origins.items():
        lines += [
            "",
            f"### {title}",
            "",
            f"{origin.about}. From <{origin.url}>; to download: {origin.size}."
            f" Licence: {origin.licence}. By hand: {origin.by_hand}.",
            "",
        ]
        for protocol in protocols:
            if protocol.origin.title == title:
                lines += _about(protocol)
    return "\n".join(lines) + "\n"


def _about(protocol: Protocol) -> list[str]:
    """Returns the lines on one protocol."""
    about = f"- `{protocol.name}`: {protocol.summary}."
    if protocol.lists is not None:
        about += f" Lists: {protocol.lists}."
    about += f" Relevant: {protocol.relevant}."
    return [about, *(f"  - {known}." for known in protocol.differences)]


def _methods() -> str:
    rows = []
    for method in METHODS.values():
        public = method.learner.replace(":", ".").replace("hashnet_tf", "hn")
        fixed = ", ".join(
            f"`{setting}={value}`" for setting, value in method.fixes.items()
        )
        rows.append(
            [
                f"`{method.name}`",
                method.title,
                f"`{public}`",
                fixed or "-",
                method.reference,
            ]
        )
    return _table(["name", "title", "learns by", "fixes", "paper"], rows)


def _bounds() -> str:
    def row(title: str, way: str | None, bound: Bound | None) -> list[str]:
        kind = f"{title} {way}" if way else title
        if bound is None:
            return [kind, "0", "0"]
        return [kind, f"{100 * bound.share:g} %", f"{bound.map_change:g}"]

    return _table(
        ["artefact", "bits that may differ", "MAP may move by"],
        [
            row(kind.title, way, bound)
            for kind in FORMATS.values()
            for way, bound in kind.bounds.items()
        ],
    )


def _number(value: float | None, spread: float | None = None) -> str:
    """Returns a share as the page prints it, .652 or .652 ±.001."""
    if value is None:
        return "-"
    text = f"{value:.3f}".replace("0.", ".", 1)
    if spread is None:
        return text
    return f"{text} ±{spread:.3f}".replace("±0.", "±.")


def _results(study: str) -> dict[str, typing.Any]:
    text = (HERE / "results" / f"{study}.json").read_text("utf-8")
    return json.loads(text)


def _commands(study: str) -> str:
    """Returns the command of a study, and how long it took with its like."""
    tables = list(_results(study).values())
    lines = [f"    {tables[0]['command']}"]
    if len(tables) > 1:
        lines += ["", f"and likewise {len(tables) - 1} more, a row each."]
    seconds = sum(table["seconds"] for table in tables)
    hours, minutes = divmod(round(seconds / 60), 60)
    took = f"{hours} h {minutes} min" if hours else f"{minutes} min"
    return "\n".join([*lines, "", f"Measured in {took}, other work beside it."])


def _by_bits(study: str, measure: str, beside: str | None = None) -> str:
    """Returns a table of a measure by the length of the codes.

    Args:
        study: Str, of docs/results/.
        measure: Str, a column of it.
        beside: Str, another, whose mean stands in brackets; or None.
    """
    (table,) = _results(study).values()
    rows = {(row["method"], row["bits"]): row for row in table["rows"]}
    lengths = sorted({bits for _, bits in rows})
    best = {
        bits: max(
            row[measure][0] or 0 for (_, k), row in rows.items() if k == bits
        )
        for bits in lengths
    }

    def cell(row: dict[str, typing.Any] | None, bits: int) -> str:
        if row is None or row[measure][0] is None:
            return "-"
        text = _number(*row[measure])
        if row[measure][0] == best[bits]:
            text = f"**{text}**"
        return f"{text} ({_number(row[beside][0])})" if beside else text

    return _table(
        ["system", *(f"{bits} bits" for bits in lengths)],
        [
            [
                METHODS[name].title,
                *(cell(rows.get((name, k)), k) for k in lengths),
            ]
            for name in dict.fromkeys(name for name, _ in rows)
            if any(rows[name, k][measure][0] is not None for k in lengths)
        ],
    )


def _at_length(study: str, bits: int = 48) -> str:
    """Returns all that is told of each system at one length."""
    (table,) = _results(study).values()
    measures = {
        "MAP": "tie-aware",
        "by the rule deephash": "deephash",
        "P@H<=2": "precision_radius2",
        "empty balls": "empty_balls",
        "P@100": "precision_at_100",
        "J": "J",
        "L": "L",
        "gap": "gap",
    }
    rows = []
    for row in table["rows"]:
        if row["bits"] == bits:
            size = row["bytes_per_item"][0]
            title = METHODS[row["method"]].title
            numbers = [_number(row[name][0]) for name in measures.values()]
            rows.append([title, f"{size:,.0f}", *numbers])
    return _table(["system", "bytes an item", *measures], rows)


def _small(study: str) -> str:
    """Returns MAP and P@H<=2 of each system of a table of one length."""
    (table,) = _results(study).values()
    return _table(
        ["system", "MAP", "P@H<=2", "empty balls"],
        [[METHODS[row["method"]].title, *_three(row)] for row in table["rows"]],
    )


def _three(row: dict[str, typing.Any]) -> list[str]:
    return [
        _number(*row["tie-aware"]),
        _number(*row["precision_radius2"]),
        _number(row["empty_balls"][0]),
    ]


def _variations(study: str) -> str:
    """Returns a table of the variations of a study, each a row a method."""
    tables = _results(study)
    methods = dict.fromkeys(
        row["method"] for table in tables.values() for row in table["rows"]
    )
    lines = []
    for name, table in tables.items():
        for row in table["rows"]:
            title = METHODS[row["method"]].title
            what = f"{name}: {title}" if len(methods) > 1 else name
            gap = _number(row["gap"][0])
            lines.append(
                [
                    what,
                    *_three(row),
                    _number(row["J"][0]),
                    _number(row["L"][0]),
                    gap,
                ]
            )
    return _table(["", "MAP", "P@H<=2", "empty balls", "J", "L", "gap"], lines)


def _chosen(study: str) -> str:
    """Returns the settings that were chosen for each system."""
    (table,) = _results(study).values()
    rows = []
    for name, settings in table["chosen"].items():
        told = (f"{setting} {value:g}" for setting, value in settings.items())
        rows.append([METHODS[name].title, ", ".join(told)])
    return _table(["system", "chosen"], rows)


PAGES: dict[str, dict[str, Callable[[], str]]] = {
    "data-sets.md": {"sources": _sources, "protocols": _protocols},
    "training.md": {"methods": _methods},
    "deploying.md": {"bounds": _bounds},
}


if __name__ == "__main__":
    for name in PAGES:
        path = HERE / name
        path.write_text(with_tables(path.read_text("utf-8"), name), "utf-8")
