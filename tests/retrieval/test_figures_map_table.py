import csv

import pytest
from PIL import Image

from hashnet_tf.retrieval.figures import map_table, plot_map_table

ROWS = {
    "HashNet": {"16 bits": 0.1 + 0.2, "32 bits": 0.65, 48: None},
    "ITQ": {"16 bits": 0.25, "32 bits": 0.65},
    "a long name, with a comma": {"64 bits": 0.0, "16 bits": 1 / 3},
}


@pytest.fixture
def drawn(monkeypatch):
    """The figures that were saved."""
    figures = []

    def save(figure, columns, rows, path):
        figures.append(figure)
        return saved(figure, columns, rows, path)

    saved = map_table.save_figure
    monkeypatch.setattr(map_table, "save_figure", save)
    return figures


def test_the_table_holds_the_numbers(tmp_path):
    path = tmp_path / "new" / "map.png"
    assert plot_map_table(ROWS, str(path)) == path
    with open(path.with_suffix(".csv"), newline="") as file:
        header, *lines = csv.reader(file)
    assert header == ["name", "16 bits", "32 bits", "48", "64 bits"]
    assert [line[0] for line in lines] == list(ROWS)
    numbers = [[float(c) if c else None for c in line[1:]] for line in lines]
    assert numbers == [
        [0.1 + 0.2, 0.65, None, None],
        [0.25, 0.65, None, None],
        [1 / 3, None, None, 0.0],
    ]


def test_the_best_of_each_column_is_bold(tmp_path, drawn):
    plot_map_table(ROWS, tmp_path / "map.png")
    shown = [
        (text.get_text(), text.get_fontweight() == "bold")
        for text in drawn[0].texts
    ]
    dash = ("–", False)
    assert shown == [
        ("", False),
        *((name, False) for name in ("16 bits", "32 bits", "48", "64 bits")),
        *[("HashNet", False), ("0.3000", False), ("0.6500", True), dash, dash],
        *[("ITQ", False), ("0.2500", False), ("0.6500", True), dash, dash],
        *[("a long name, with a comma", False), ("0.3333", True)],
        *[dash, dash, ("0.0000", True)],
    ]


def test_nothing_is_cut_and_nothing_overlaps(tmp_path, drawn):
    rows = {
        **ROWS,
        r"a name with $\x$ " + "and so on " * 9: {"a very long column": 0.5},
    }
    path = plot_map_table(rows, tmp_path / "map.png")
    (figure,) = drawn
    figure.set_dpi(150)
    width, height = figure.get_size_inches() * 150
    boxes = [t.get_window_extent() for t in figure.texts if t.get_text()]
    for i, box in enumerate(boxes):
        assert 0 < box.x0 < box.x1 < width and 0 < box.y0 < box.y1 < height
        assert not any(box.overlaps(other) for other in boxes[:i])
    assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    with Image.open(path) as image:
        assert image.size == pytest.approx((width, height), abs=1)
        assert len(image.convert("L").getcolors()) > 2


@pytest.mark.parametrize(
    "rows, message",
    [
        ({}, r"rows=\{\}"),
        ({"a": {}}, r"rows=\{'a': \{\}\}"),
        ({"a": {"16": None}}, r"rows=\{'a': \{'16': None\}\}"),
        ({"a": {"16": 0.5, "32": 1.5}}, "1.5 in row 'a', column '32'"),
        ({"a": {"16": -0.5}}, "-0.5 in row 'a', column '16'"),
        ({"a": {"16": float("nan")}}, "nan in row 'a', column '16'"),
    ],
)
def test_refuses(tmp_path, rows, message):
    with pytest.raises(ValueError, match=f"Received: {message}$"):
        plot_map_table(rows, tmp_path / "map.png")
    assert not list(tmp_path.iterdir())
