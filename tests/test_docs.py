"""Links, commands and tables of README, WORKSPACE.md and the pages beside."""

import pathlib
import re
import runpy
import shlex

import pytest

from hashnet_tf.tools import main
from hashnet_tf.tools.reproduce import base_of

ROOT = pathlib.Path(__file__).parents[1]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / "examples").glob("*.md"),
        *(ROOT / "benchmarks").glob("*.md"),
        *(ROOT / "android").glob("*.md"),
        *(ROOT / "export" / "web_page").glob("*.md"),
    ]
)
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]
FENCE = re.compile(r"^```.*?^```$", re.S | re.M)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
# A command stands four spaces in, and goes on after a backslash.
COMMAND = re.compile(r"^ {4}(hashnet (?:.*\\\n)*.*)$", re.M)
# Words that stand for a number, where a parser wants one.
NUMBERS = {"A": "0.1", "B": "3", "E": "30"}


def anchors(page):
    """The anchors of a page's headings, as GitHub makes them."""
    found = set()
    for heading in re.findall(
        r"^#+ (.*)$", FENCE.sub("", page.read_text("utf-8")), re.M
    ):
        text = re.sub(r"[^\w\- ]", "", heading.strip().lower())
        found.add(text.replace(" ", "-"))
    return found


def dead_links(page):
    """The links of a page that lead to no file or to no heading."""
    dead = []
    for link in LINK.findall(FENCE.sub("", page.read_text("utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    return dead


def commands(page):
    """The lines `hashnet ...` of a page, as lists of words."""
    return [
        shlex.split(command.replace("\\\n", " "))
        for command in COMMAND.findall(page.read_text("utf-8"))
    ]


def with_numbers(word):
    """A word with a number where a letter stands for one."""
    flag, equals, value = word.partition("=")
    known = NUMBERS if flag in ("--alpha", "--beta", "--epochs") else {}
    return f"{flag}{equals}{known.get(value, value)}"


def test_a_dead_link_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# Über: a `b`\n[1](#über-a-b) [2](#b) [3](gone.md) [4](.)")
    assert dead_links(page) == ["#b", "gone.md"]


@pytest.mark.parametrize("name", NAMES)
def test_links(name):
    assert not dead_links(ROOT / name)


def test_each_page_is_reached_from_the_readme():
    reached, new = set(), {ROOT / "README.md"}
    while new:
        page = new.pop()
        reached.add(page)
        for link in LINK.findall(page.read_text("utf-8")):
            target = (page.parent / link.partition("#")[0]).resolve()
            if target.suffix == ".md" and target not in reached:
                new.add(target)
    assert set(PAGES) - {ROOT / "docs" / "README.md"} <= reached


def test_readme_is_short():
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 150


@pytest.mark.parametrize("name", NAMES)
def test_commands_are_understood(name, capsys):
    for words in commands(ROOT / name):
        try:
            parsed = main.parse([with_numbers(word) for word in words])
        except SystemExit:
            pytest.fail(f"{' '.join(words)}\n{capsys.readouterr().err}")
        assert parsed.command == words[1]


def test_commands_are_found():
    found = commands(ROOT / "README.md")
    assert [words[1] for words in found] == [
        "index",
        "serve",
        "train",
        "evaluate",
        "search",
        "index",
    ]
    assert len(commands(ROOT / "docs" / "results.md")) > 5


STUDIES = runpy.run_path(str(ROOT / "docs" / "measure_results.py"))


@pytest.mark.parametrize("name", STUDIES["STUDIES"])
def test_the_commands_of_a_study_are_understood(name):
    study = STUDIES["STUDIES"][name]
    folders = []
    for arguments, folder in study.variations().values():
        words = STUDIES["command"](arguments, folder)
        parsed = main.parse(words)
        # No setting is that of a method that does not read it.
        base_of(parsed)
        assert re.fullmatch(r"[a-z0-9_/-]+", folder)
        folders.append(folder)
    assert len(set(folders)) == len(folders)


TABLES = runpy.run_path(str(ROOT / "docs" / "write_tables.py"))
# A row of each page, written by hand.
ROWS = {
    "data-sets.md": "| `cifar10-59k` | 1,000 | 5,000 | 59,000 | 10 | all |",
    "stores.md": "| `duckdb:FILE` | a table of DuckDB | all | the engine |",
    "training.md": "| `csq` | CSQ | `hn.losses.CSQLoss` | `beta=1.0` | Yuan",
    "deploying.md": "| LiteRT float16 | 0.5 % | 0.01 |",
    "embeddings.md": "| OPQ | 16 | 0.482 | - | 0.933 | 0.520 | 0.789 |",
    "results.md": "| HashNet-R | **.627 ±.002** | .635 ±.002 | .632 ±.002 |",
}


@pytest.mark.parametrize("name", TABLES["PAGES"])
def test_tables_are_new(name):
    if name == "deploying.md":
        for module in ("tf2onnx", "onnxruntime"):
            pytest.importorskip(module, reason="needs the extra [onnx]")
    text = (ROOT / "docs" / name).read_text("utf-8")
    assert TABLES["with_tables"](text, name) == text
    assert ROWS[name] in text


def test_losses_and_estimators_of_the_methods_are_public():
    import hashnet_tf as hn

    text = (ROOT / "docs" / "training.md").read_text("utf-8")
    learners = set(re.findall(r"`hn\.(losses|shallow)\.(\w+)` \|", text))
    assert len(learners) > 10
    for package, learner in learners:
        assert learner in getattr(hn, package).__all__


def test_workspace_names_what_is_there():
    text = (ROOT / "WORKSPACE.md").read_text("utf-8")
    text = text[text.index("## To add") :]
    files = re.findall(
        r"`((?:hashnet_tf|export|tools|tests|docs)/[\w./-]*)`", text
    )
    assert len(files) > 15
    assert not [file for file in files if not (ROOT / file).exists()]
    # Each registry stands in the file that is named after it.
    for name, file in re.findall(r"`([A-Z_]{3,})`\s+of\s+`([^`]+\.py)`", text):
        path = ROOT / file
        if path.exists():
            assert re.search(rf"^{name}\b", path.read_text("utf-8"), re.M), (
                f"{file} has no {name}"
            )
