import csv
import sys

import matplotlib
import numpy as np
import pytest
from PIL import Image

from hashnet_tf.plots import (
    plot_code_histogram,
    plot_neighbours,
    plot_precision_recall,
    plot_training,
    plot_tsne,
)
from hashnet_tf.plots._canvas import (
    COLORS,
    color_and_marker,
    new_figure,
    save_figure,
    table_path,
    write_table,
)


def assert_drawn(path, width, height):
    """Sizes are in inches, at 150 dots each."""
    assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    with Image.open(path) as image:
        assert image.size == pytest.approx((150 * width, 150 * height), abs=1)
        assert len(image.convert("L").getcolors()) > 2
    assert sorted(entry.name for entry in path.parent.iterdir()) == [
        f"{path.stem}.csv",
        path.name,
    ]


def table(path):
    with open(path.with_suffix(".csv"), encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize(
    "rows",
    [
        [{"step": 0, "beta": 1.0, "loss": 1.0}],
        [
            {"step": 0, "beta": 1, "loss": None, "J": 1.0, "L": 2.0, "gap": 1},
            {"step": 5, "beta": 2.0, "loss": 0.5},
            {"step": 9, "beta": float("nan"), "J": 0.5, "L": 0.6, "gap": 0.1},
        ],
    ],
)
def test_training(tmp_path, rows):
    path = tmp_path / "deep" / "training.png"
    assert plot_training(iter(rows), path) == path
    assert_drawn(path, 7.0, 5.6)
    header, *lines = table(path)
    assert header == ["step", "loss", "J", "L", "beta", "gap"]
    for row, line in zip(rows, lines, strict=True):
        for key, cell in zip(header, line, strict=True):
            if row.get(key) is None:
                assert cell == ""
            else:
                np.testing.assert_equal(float(cell), row[key])


@pytest.mark.parametrize("rows", [[], [{"loss": 1.0}]])
def test_training_refuses(tmp_path, rows):
    with pytest.raises(ValueError, match="Received: rows="):
        plot_training(rows, tmp_path / "training.png")
    assert not list(tmp_path.iterdir())


def test_code_histogram(tmp_path):
    z = np.random.default_rng(0).normal(size=(20, 8))
    path = tmp_path / "codes.png"
    g = np.tanh(z)
    plot_code_histogram(g, np.sign(z), str(path))
    assert_drawn(path, 8.0, 3.4)
    header, *lines = table(path)
    assert header == ["from", "to", "before training", "after training"]
    lower, upper, before, after = np.array(lines, dtype=float).T
    np.testing.assert_allclose(lower, np.arange(100) / 100, atol=1e-15)
    np.testing.assert_array_equal(upper[:-1], lower[1:])
    # Within a rounding of its edge no value lies.
    expected = np.zeros(100)
    for value in np.abs(g).ravel():
        expected[int(value * 100)] += 1 / g.size
    np.testing.assert_allclose(before**2, expected, atol=1e-15)
    assert after.tolist() == [0.0] * 99 + [1.0]


def test_code_histogram_of_two_methods(tmp_path):
    path = tmp_path / "codes.png"
    plot_code_histogram([[1.0]], [[0.5]], path, titles=("HashNet", "DHN"))
    header, *lines = table(path)
    assert header == ["from", "to", "HashNet", "DHN"]
    assert lines[-1][2:] == ["1.0", "0.0"]


@pytest.mark.parametrize("wrong", [[], [[1.5]], [[-2.0]], [[0.5, np.nan]]])
def test_code_histogram_refuses(tmp_path, wrong):
    with pytest.raises(ValueError, match="Received: after.shape="):
        plot_code_histogram([[0.0]], wrong, tmp_path / "codes.png")


IMAGES = np.random.default_rng(0).integers(0, 256, (2, 6, 5, 3), np.uint8)
FOUND = [[IMAGES[0], IMAGES[1][:4]], [IMAGES[1], IMAGES[0]]]
TITLES = [["0", "3"], ["1,5 $\\x$", "1"]]


@pytest.mark.parametrize("right", [None, [[True, False], [False, True]]])
def test_neighbours(tmp_path, right):
    path = tmp_path / "sheet.png"
    plot_neighbours(IMAGES, FOUND, right, TITLES, path)
    assert_drawn(path, 1.15 * 3 + 0.2, 1.35 * 2 + 0.5)
    header, *lines = table(path)
    assert header == ["query", "rank", "title", "right"]
    grades = ["1", "0", "0", "1"] if right else [""] * 4
    assert lines == [
        ["0", "1", "0", grades[0]],
        ["0", "2", "3", grades[1]],
        ["1", "1", "1,5 $\\x$", grades[2]],
        ["1", "2", "1", grades[3]],
    ]


@pytest.mark.parametrize(
    "queries, found, right, titles, message",
    [
        ([], [], None, [], "0 queries"),
        (IMAGES, [[], []], None, [[], []], "2 queries"),
        (IMAGES, FOUND[:1], None, TITLES, "2 queries"),
        (IMAGES, FOUND, [[True], [True]], TITLES, "2 queries"),
        (IMAGES, FOUND, None, [["0"], ["1"]], "2 queries"),
        (IMAGES / 255, FOUND, None, TITLES, "image.dtype=float64"),
        (IMAGES[..., 0], FOUND, None, TITLES, r"image.shape=\(6, 5\)"),
    ],
)
def test_neighbours_refuses(tmp_path, queries, found, right, titles, message):
    with pytest.raises(ValueError, match=message):
        plot_neighbours(queries, found, right, titles, tmp_path / "sheet.png")


def test_names_of_tables(tmp_path):
    for name, expected in [
        ("a.png", "a.csv"),
        ("a.b.PNG", "a.b.csv"),
        ("run.v1", "run.v1.csv"),
        ("a.csv", "a.csv.csv"),
    ]:
        assert table_path(tmp_path / name) == tmp_path / expected


def test_a_table_reads_back_exactly(tmp_path):
    values = [0.1 + 0.2, np.float32(0.1), np.float64(1 / 3), 5e-324, -0.0]
    path = tmp_path / "a.csv"
    rows = [['x\ty,"é"\n', value, np.int64(2**60), None] for value in values]
    write_table(["a,b", "c", "d", "e"], iter(rows), path)
    header, *lines = table(path)
    assert header == ["a,b", "c", "d", "e"]
    for value, line in zip(values, lines, strict=True):
        assert line[0] == 'x\ty,"é"\n'
        assert str(float(line[1])) == str(float(value))
        assert line[2:] == [str(2**60), ""]


def test_a_table_refuses_a_short_row(tmp_path):
    with pytest.raises(ValueError, match=r"Received: row=\[1\]$"):
        write_table(["a", "b"], [[1, 2], [1]], tmp_path / "a.csv")


def test_looks_differ():
    looks = [color_and_marker(i) for i in range(71)]
    assert len(set(looks[:70])) == 70
    assert looks[70] == looks[0]
    assert len(COLORS) == len({color for color, _ in looks})


class Broken:
    def savefig(self, path, **_):
        path.write_bytes(b"half")
        raise OSError("no space left")


@pytest.mark.parametrize(
    "figure, rows, error",
    [
        (Broken(), [[1, 2]], "no space"),
        (new_figure(1, 1), [[1, 2], [3]], "Received: row="),
    ],
)
def test_a_failed_write_leaves_the_last_figure(tmp_path, figure, rows, error):
    paths = [tmp_path / "figure.csv", tmp_path / "figure.png"]
    for path in paths:
        path.write_bytes(b"last")
    with pytest.raises((OSError, ValueError), match=error):
        save_figure(figure, ["a", "b"], rows, paths[1])
    assert sorted(tmp_path.iterdir()) == paths
    assert [path.read_bytes() for path in paths] == [b"last", b"last"]


def settings():
    # To look up the backend is to import pyplot.
    names = set(matplotlib.rcParams) - {"backend"}
    return {name: matplotlib.rcParams[name] for name in names}


def test_no_figure_touches_global_state(tmp_path, monkeypatch):
    # An import of pyplot fails from here on.
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    before = settings()
    codes = np.arange(8, dtype=np.uint8)[:, None]
    plot_training([{"step": 0, "beta": 1.0}], tmp_path / "a.png")
    plot_code_histogram([[0.5]], [[1.0]], tmp_path / "b.png")
    plot_neighbours(IMAGES, FOUND, None, TITLES, tmp_path / "c.png")
    plot_precision_recall({"a": {0.5: 0.5}}, tmp_path / "d.png")
    plot_tsne(codes, 8, np.arange(8), tmp_path / "f.png")
    assert len(list(tmp_path.glob("*.png"))) == 5
    assert settings() == before
