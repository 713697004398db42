import csv
import math

import numpy as np
import pytest
from PIL import Image

from hashnet_tf.retrieval import (
    pack,
    plot_code_histogram,
    plot_code_map,
    plot_map_table,
    plot_neighbours,
    plot_precision_at,
    plot_precision_radius2,
    plot_precision_recall,
    plot_training,
)
from hashnet_tf.retrieval.figures.canvas import save_png


def drawn(path):
    """Checks that a figure and its numbers lie alone; returns the numbers."""
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert len(image.convert("L").getcolors()) > 2
    numbers = path.with_suffix(".csv")
    assert {entry for entry in path.parent.iterdir()} == {path, numbers}
    with numbers.open(newline="") as file:
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
    header, *numbers = drawn(path)
    assert header == ["step", "loss", "J", "L", "beta", "gap"]
    for row, line in zip(rows, numbers, strict=True):
        for name, field in zip(header, line, strict=True):
            value = row.get(name)
            if value is None:
                assert field == ""
            else:
                assert float(field) == value or math.isnan(value)


@pytest.mark.parametrize("rows", [[], [{"loss": 1.0}]])
def test_training_refuses(tmp_path, rows):
    with pytest.raises(ValueError, match="Received: rows="):
        plot_training(rows, tmp_path / "training.png")
    assert not list(tmp_path.iterdir())


def test_code_histogram(tmp_path):
    z = np.random.default_rng(0).normal(size=(20, 8))
    path = tmp_path / "codes.png"
    plot_code_histogram(np.tanh(z), np.sign(z), str(path))
    header, *numbers = drawn(path)
    table = np.array(numbers, dtype=float)
    assert header == ["from", "share before", "share after"]
    assert table.shape == (100, 3)
    np.testing.assert_allclose(table[:, 1:].sum(axis=0), 1)
    assert table[-1, 2] == 1.0
    inside = (np.abs(np.tanh(z)) >= 0.5) & (np.abs(np.tanh(z)) < 0.51)
    assert table[50, 1] == pytest.approx(inside.mean())


@pytest.mark.parametrize("wrong", [[], [[1.5]], [[-2.0]], [[0.5, np.nan]]])
def test_code_histogram_refuses(tmp_path, wrong):
    with pytest.raises(ValueError, match="Received: after.shape="):
        plot_code_histogram([[0.0]], wrong, tmp_path / "codes.png")


IMAGES = np.random.default_rng(0).integers(0, 256, (2, 6, 5, 3), np.uint8)
FOUND = [[IMAGES[0], IMAGES[1][:4]], [IMAGES[1], IMAGES[0]]]
TITLES = [["0", "3"], ["1", "1"]]


@pytest.mark.parametrize("right", [None, [[True, False], [False, True]]])
def test_neighbours(tmp_path, right):
    path = tmp_path / "sheet.png"
    plot_neighbours(IMAGES, FOUND, right, TITLES, path)
    grades = ["", "", "", ""] if right is None else ["1", "0", "0", "1"]
    assert drawn(path) == [
        ["query", "rank", "title", "right"],
        ["0", "1", "0", grades[0]],
        ["0", "2", "3", grades[1]],
        ["1", "1", "1", grades[2]],
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


def test_a_failed_write_leaves_the_last_figure(tmp_path):
    class Broken:
        def savefig(self, path, **_):
            path.write_bytes(b"half")
            raise OSError("no space left")

    path = tmp_path / "figure.png"
    path.write_bytes(b"last")
    with pytest.raises(OSError, match="no space"):
        save_png(Broken(), path)
    assert path.read_bytes() == b"last"
    assert list(tmp_path.iterdir()) == [path]


CURVES = {"ours": {0.1: 0.875, 1.0: 1 / 3}, "LSH": {0.1: 0.5, 0.5: 0.25}}


@pytest.mark.parametrize(
    "plot", [plot_precision_recall, plot_precision_at, plot_precision_radius2]
)
def test_curves(tmp_path, plot):
    path = tmp_path / "new" / "curves.png"
    assert plot(CURVES, str(path)) == path
    header, *numbers = drawn(path)
    assert header[1:] == ["ours", "LSH"]
    assert numbers == [
        ["0.1", "0.875", "0.5"],
        ["0.5", "", "0.25"],
        ["1.0", repr(1 / 3), ""],
    ]


def test_more_methods_than_colours(tmp_path):
    curves = {f"method {i}": {16: i / 12, 64: 0.5} for i in range(12)}
    path = plot_precision_radius2(curves, tmp_path / "curves.png")
    assert len(drawn(path)[0]) == 13


@pytest.mark.parametrize("curves", [{}, {"ours": {}}])
def test_curves_refuse(tmp_path, curves):
    with pytest.raises(ValueError, match="Received: curves="):
        plot_precision_at(curves, tmp_path / "curves.png")
    assert not list(tmp_path.iterdir())


def test_map_table(tmp_path):
    rows = {
        "HashNet": {"16 bits": 0.5059, "32 bits": 0.6306},
        "DHN": {"16 bits": 0.3106, "32 bits": None},
    }
    path = plot_map_table(rows, tmp_path / "table.png")
    assert drawn(path) == [
        ["method", "16 bits", "32 bits"],
        ["HashNet", "0.5059", "0.6306"],
        ["DHN", "0.3106", ""],
    ]


@pytest.mark.parametrize("rows", [{}, {"a": {}}, {"a": {"x": 1}, "b": {}}])
def test_map_table_refuses(tmp_path, rows):
    with pytest.raises(ValueError, match="Received: rows="):
        plot_map_table(rows, tmp_path / "table.png")


def test_code_map(tmp_path):
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3 - 1
    signs = rng.choice([-1, 1], size=(3, 24))[labels + 1]
    signs[rng.random(signs.shape) < 0.02] *= -1
    path = plot_code_map(
        pack(signs), 24, labels, tmp_path / "map.png", seed=1, most=50
    )
    header, *numbers = drawn(path)
    assert header == ["position", "x", "y", "label"]
    table = np.array(numbers, dtype=float)
    chosen = table[:, 0].astype(int)
    assert len(set(chosen)) == 50
    np.testing.assert_array_equal(table[:, 3], labels[chosen])
    # The nearest in the plane is of the same group.
    apart = np.linalg.norm(table[:, None, 1:3] - table[None, :, 1:3], axis=2)
    np.fill_diagonal(apart, np.inf)
    same = labels[chosen][apart.argmin(axis=1)] == labels[chosen]
    assert same.mean() > 0.9


def test_code_map_refuses(tmp_path):
    codes = np.zeros((6, 1), "uint8")
    for n, labels in ((4, [0] * 4), (6, [0] * 5), (6, np.eye(6))):
        with pytest.raises(ValueError, match=f"Received: {n} codes"):
            plot_code_map(codes[:n], 8, labels, tmp_path / "map.png")
