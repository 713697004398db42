import csv

import pytest
from PIL import Image

from hashnet_tf.plots import (
    _canvas,
    curves,
    neighbours,
    training,
    tsne,
)


@pytest.fixture
def drawn(monkeypatch):
    """Figures that were to be saved: laid out, with tables, not painted."""
    figures = []

    def save(figure, columns, rows, path):
        figures.append(figure)
        figure.draw_without_rendering()
        _canvas.write_table(columns, rows, _canvas.table_path(path))
        return path

    for module in (curves, neighbours, training, tsne):
        monkeypatch.setattr(module, "save_figure", save)
    return figures


@pytest.fixture(scope="session")
def assert_painted():
    def check(path, width, height):
        """Sizes are in inches, at 150 dots each."""
        assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
        with Image.open(path) as image:
            expected = pytest.approx((150 * width, 150 * height), abs=1)
            assert image.size == expected
            assert len(image.convert("L").getcolors()) > 2
        assert sorted(entry.name for entry in path.parent.iterdir()) == [
            f"{path.stem}.csv",
            path.name,
        ]

    return check


@pytest.fixture(scope="session")
def table():
    def read(path):
        """Lines of the CSV file that lies beside a picture."""
        path = path.with_suffix(".csv")
        with open(path, encoding="utf-8", newline="") as file:
            return list(csv.reader(file))

    return read
