"""Writes the table of protocols into docs/data-sets.md.

  python docs/write_protocols.py

What it says stands in the TOML files of hashnet_tf/datasets/protocols/; a test
fails where the page is older than these.
"""

import pathlib

import hashnet_tf as hn

PAGE = pathlib.Path(__file__).parent / "data-sets.md"
BEGIN, END = "<!-- protocols: begin -->\n", "<!-- protocols: end -->\n"


def with_protocols(page: str) -> str:
    """Returns the text of the page with the protocols as they are now."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{_protocols()}\n{END}{after}"


def _protocols() -> str:
    protocols = hn.datasets.protocols().values()
    lines = [
        "| protocol | queries | training images | database | labels | R |",
        "|---|---|---|---|---|---|",
    ]
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
        lines.append(f"| `{protocol.name}` | {' | '.join(cells)} |")
    lines += ["", "A dash: not published, or drawn by the seed."]
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


def _about(protocol) -> list[str]:
    """Returns the lines on one protocol."""
    about = f"- `{protocol.name}`: {protocol.summary}."
    if protocol.lists is not None:
        about += f" Lists: {protocol.lists}."
    about += f" Relevant: {protocol.relevant}."
    return [about, *(f"  - {known}." for known in protocol.differences)]


if __name__ == "__main__":
    PAGE.write_text(with_protocols(PAGE.read_text("utf-8")), "utf-8")
