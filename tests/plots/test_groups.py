import warnings

import numpy as np
import pytest

from hashnet_tf.plots import groups, plot_groups

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 6, 5, 3), np.uint8)
ROWS = [[IMAGES[0], IMAGES[1][:4]], [IMAGES[2], IMAGES[0], IMAGES[1]]]
ODD = ["$\\frac{1", "a\nb.jpg", "c\x00d", "e\udc80.jpg", "x" * 60 + ".jpg"]


def test_a_sheet(tmp_path, assert_painted, table):
    path = tmp_path / "sheet.png"
    assert plot_groups(ROWS, [ODD[:2], ODD[2:]], path) == path
    assert_painted(path, 1.3 * 3 + 0.2, 1.35 * 2 + 0.2)
    header, *lines = table(path)
    assert header == ["group", "place", "title"]
    assert lines == [
        ["1", "1", "$\\frac{1"],
        ["1", "2", "a\\nb.jpg"],
        ["2", "1", "c\\x00d"],
        ["2", "2", "e\\udc80.jpg"],
        ["2", "3", "x" * 60 + ".jpg"],
    ]


def test_titles_are_one_line_and_told_by_their_ends(tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr(groups, "save_figure", lambda f, *_: figures.append(f))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plot_groups(ROWS, [ODD[:2], ODD[2:]], tmp_path / "sheet.png")
        figures[0].draw_without_rendering()
    titles = [axes.get_title() for axes in figures[0].axes]
    assert titles[:2] == ["$\\frac{1", "a\\nb.jpg"]
    # The third place of the first row is empty.
    assert titles[2:5] == ["", "c\\x00d", "e\\udc80.jpg"]
    assert titles[5] == "x" * 9 + "…" + "x" * 6 + ".jpg"


@pytest.mark.parametrize(
    "images, titles, message",
    [
        ([], [], r"lengths \[\]"),
        ([[]], [[]], r"lengths \[0\]"),
        (ROWS, [["a", "b"], ["c"]], r"\[2, 3\] and of titles \[2, 1\]"),
        ([[IMAGES[0] / 255]], [["a"]], "image.dtype=float64"),
        ([[IMAGES[0, ..., 0]]], [["a"]], r"image.shape=\(6, 5\)"),
    ],
)
def test_refuses(tmp_path, images, titles, message):
    with pytest.raises(ValueError, match=message):
        plot_groups(images, titles, tmp_path / "sheet.png")
