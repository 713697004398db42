import numpy as np
import pytest
from PIL import Image

from hashnet_tf.retrieval import (
    plot_code_histogram,
    plot_neighbours,
    plot_training,
)
from hashnet_tf.retrieval.figures.canvas import save_png


def assert_drawn(path):
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert len(image.convert("L").getcolors()) > 2
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


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
    assert_drawn(path)


@pytest.mark.parametrize("rows", [[], [{"loss": 1.0}]])
def test_training_refuses(tmp_path, rows):
    with pytest.raises(ValueError, match="Received: rows="):
        plot_training(rows, tmp_path / "training.png")
    assert not list(tmp_path.iterdir())


def test_code_histogram(tmp_path):
    z = np.random.default_rng(0).normal(size=(20, 8))
    path = tmp_path / "codes.png"
    plot_code_histogram(np.tanh(z), np.sign(z), str(path))
    assert_drawn(path)


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
    assert_drawn(path)


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
