"""Writes the tables of the registries into the pages.

  python docs/write_tables.py

What they say stands in the registries of the package and in the TOML files of
hashnet_tf/datasets/protocols/; a test fails where a page is older than these.
"""

import pathlib
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


PAGES: dict[str, dict[str, Callable[[], str]]] = {
    "data-sets.md": {"sources": _sources, "protocols": _protocols},
    "training.md": {"methods": _methods},
    "deploying.md": {"bounds": _bounds},
}


if __name__ == "__main__":
    for name in PAGES:
        path = HERE / name
        path.write_text(with_tables(path.read_text("utf-8"), name), "utf-8")
