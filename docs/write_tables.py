"""Writes the tables of the registries into the pages.

  python docs/write_tables.py

What they say stands in the registries of the package, in the TOML files of
hashnet_tf/datasets/protocols/, in an encoder that is exported to be read, and
in docs/results/, which measure_results.py writes; a test fails where a page is
older than these.
"""

import functools
import json
import pathlib
import re
import tempfile
import textwrap
import typing
from collections.abc import Callable, Iterable

import hashnet_tf as hn
from hashnet_tf.datasets.protocol import Protocol
from hashnet_tf.datasets.sources import SOURCES
from hashnet_tf.export.formats import FORMATS, Bound
from hashnet_tf.export.signatures import signatures_of
from hashnet_tf.index.stores import STORES
from hashnet_tf.methods import METHODS

HERE = pathlib.Path(__file__).parent
RESULTS = HERE / "results"
# The length at which all measures are told.
BITS = 48


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


def _stores() -> str:
    return _table(
        ["`--to=`", "what keeps the codes", "finds", "tested against", "extra"],
        [
            [
                f"`{engine.word}`",
                engine.about,
                "all" if engine.is_exact else "most",
                engine.tested,
                f"`[{engine.extra}]`",
            ]
            for engine in STORES.values()
        ],
    )


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
        return [kind, f"{100 * bound.share:g} %", f"{bound.map_fall:g}"]

    return _table(
        ["artefact", "bits that may differ", "MAP may fall by"],
        [
            row(kind.title, way, bound)
            for kind in FORMATS.values()
            for way, bound in kind.bounds.items()
        ],
    )


# What is in each tensor of an exported encoder.
MEANINGS = {
    "images": "RGB, of values in [0, 255]; framed already where the size is"
    " fixed",
    "image_bytes": "JPEG, PNG, WebP or BMP files",
    "codes": "the bits, packed: the first in the highest place of the first"
    " byte",
    "code_bytes": "the bytes of `codes` as strings, base64 over REST",
    "signs": "the bits as -1 and +1",
    "ok": "whether the file could be decoded; its codes and signs are 0 where"
    " not",
    "z": "what the bits are the signs of",
}


def _signatures() -> str:
    """Returns what an encoder takes and gives, read from its files."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        backbone = hn.models.backbone("small_cnn", (224, 224, 3))
        model = hn.HashNet(backbone, BITS)
        for name, kind in FORMATS.items():
            place = pathlib.Path(folder, kind.file_name(name))
            path = kind.function("write")(model, place)
            for signature in signatures_of(path):
                called = ", ".join(f"`{name}`" for name in signature.names)
                for way in ("takes", "gives"):
                    rows += [
                        [
                            kind.title,
                            called or "-",
                            way,
                            f"`{port.name}`",
                            port.dtype,
                            port.shape,
                            MEANINGS[port.name],
                        ]
                        for port in getattr(signature, way)
                    ]
    columns = ["format", "signature", "", "name", "dtype", "shape", "meaning"]
    return _table(columns, rows)


def _study(name: str) -> dict[str, typing.Any]:
    """Returns the one table of a study of measure_results.py."""
    return json.loads((RESULTS / f"{name}.json").read_text("utf-8"))[""]


def _by_length(name: str) -> str:
    """Returns MAP and P@H<=2 of each system by the length of its codes."""
    rows = _study(name)["rows"]
    lengths = sorted({row["bits"] for row in rows})
    measures = {"MAP": "tie-aware", "P@H<=2": "precision_radius2"}
    places = [(measure, k) for measure in measures.values() for k in lengths]
    found = {
        (row["method"], measure, row["bits"]): row[measure]
        for row in rows
        for measure in measures.values()
    }
    systems = list(dict.fromkeys(row["method"] for row in rows))
    first = {
        place: max(
            (found[system, *place] for system in systems),
            key=lambda value: -1 if value[0] is None else value[0],
        )
        for place in places
    }
    return _table(
        ["system", *(f"{m}, {k} bits" for m in measures for k in lengths)],
        [
            [
                METHODS[system].title,
                *(
                    _number(found[system, *place], first[place])
                    for place in places
                ),
            ]
            for system in systems
        ],
    )


def _number(
    value: list[float | None], first: list[float | None] | None = None
) -> str:
    """Returns a mean and its spread; in bold if a spread reaches the first."""
    mean, spread = value
    if mean is None or spread is None:
        return "-"
    text = re.sub(r"\b0\.", ".", f"{mean:.3f} ±{spread:.3f}")
    if first is None or first[0] is None or first[1] is None:
        return text
    near = mean + max(spread, first[1]) >= first[0]
    return f"**{text}**" if near else text


def _other_measures(name: str) -> str:
    """Returns the other measures of each system at one length."""
    columns = {
        "empty balls": "empty_balls",
        "P@100": "precision_at_100",
        "MAP, deephash": "deephash",
        "J": "J",
        "L": "L",
        "gap": "gap",
    }
    rows = [row for row in _study(name)["rows"] if row["bits"] == BITS]
    return _table(
        [f"system, {BITS} bits", *columns, "bytes"],
        [
            [
                METHODS[row["method"]].title,
                *(_number(row[measure]) for measure in columns.values()),
                f"{row['bytes_per_item'][0]:,.0f}",
            ]
            for row in rows
        ],
    )


def _chosen(name: str) -> str:
    """Returns the settings that were chosen for each system and length."""
    chosen = _study(name)["chosen"]
    lengths = sorted({int(k) for found in chosen.values() for k in found})

    def text(settings: dict[str, typing.Any]) -> str:
        return ", ".join(f"{n} {value:g}" for n, value in settings.items())

    return _table(
        ["system", *(f"{k} bits" for k in lengths)],
        [
            [METHODS[m].title, *(text(found[str(k)]) for k in lengths)]
            for m, found in chosen.items()
        ],
    )


def _commands(name: str) -> str:
    """Returns the command of a study, and its time."""
    study = _study(name)
    lines = textwrap.wrap(
        study["command"],
        72,
        break_long_words=False,
        break_on_hyphens=False,
    )
    command = " \\\n".join(
        "    " * (1 if number == 0 else 2) + line
        for number, line in enumerate(lines)
    )
    return f"{command}\n\nIt took {study['seconds'] / 3600:.1f} hours.\n"


def _results(name: str) -> dict[str, Callable[[], str]]:
    """Returns the tables of a study by their marks."""
    tables = {
        "command": _commands,
        "by length": _by_length,
        "other measures": _other_measures,
        "chosen": _chosen,
    }
    return {
        f"{name} {mark}": functools.partial(table, name)
        for mark, table in tables.items()
    }


# Of the methods whose codes are bits, z too.
MEASURES = ("recall", "by_z", "reranked", "map", "precision")


def _embeddings(name: str) -> str:
    """Returns what few bytes keep of a set of vectors."""
    whole = json.loads((RESULTS / "embeddings.json").read_text("utf-8"))[name]
    rows = [
        [
            row["method"],
            f"{row['bytes']:,}",
            *(
                f"{row[measure]:.3f}" if measure in row else "-"
                for measure in MEASURES
            ),
            *(
                f"{row[took]:,.{digits}f}" if took in row else "-"
                for took, digits in (("fit", 1), ("encode", 3), ("search", 2))
            ),
        ]
        for row in whole["rows"]
    ]
    columns = [
        "kept",
        "bytes",
        "recall@10",
        "100 by z",
        "100 by floats",
        "MAP@1000",
        "P@10",
        "to fit, s",
        "to encode, ms",
        "to search, ms",
    ]
    return f"{whole['about']}.\n\n{_table(columns, rows)}"


PAGES: dict[str, dict[str, Callable[[], str]]] = {
    "data-sets.md": {"sources": _sources, "protocols": _protocols},
    "stores.md": {"stores": _stores},
    "training.md": {"methods": _methods},
    "deploying.md": {"bounds": _bounds, "signatures": _signatures},
    "results.md": {**_results("mirflickr"), **_results("cifar")},
    "embeddings.md": {
        f"embeddings {name}": functools.partial(_embeddings, name)
        for name in ("synthetic", "photographs", "texts")
    },
}


if __name__ == "__main__":
    for name in PAGES:
        path = HERE / name
        path.write_text(with_tables(path.read_text("utf-8"), name), "utf-8")
