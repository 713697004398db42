import numpy as np
import pytest

from hashnet_tf.plots import plot_neighbours

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 6, 5, 3), np.uint8)
FOUND = [[IMAGES[0], IMAGES[1][:4]], [IMAGES[1], IMAGES[0]]]
TITLES = [["0", "3"], ["1,5 $\\x$", "1"]]


@pytest.mark.parametrize("right", [None, [[True, False], [False, True]]])
def test_a_sheet(tmp_path, right, assert_painted, table):
    path = tmp_path / "sheet.png"
    plot_neighbours(IMAGES, FOUND, right, TITLES, path)
    assert_painted(path, 1.15 * 3 + 0.2, 1.35 * 2 + 0.5)
    header, *lines = table(path)
    assert header == ["query", "rank", "title", "right"]
    grades = ["1", "0", "0", "1"] if right else [""] * 4
    assert lines == [
        ["0", "1", "0", grades[0]],
        ["0", "2", "3", grades[1]],
        ["1", "1", "1,5 $\\x$", grades[2]],
        ["1", "2", "1", grades[3]],
    ]


def test_many_stand_in_rows_of_eight(tmp_path, assert_painted, table):
    found = [[IMAGES[0]] * 11, [IMAGES[1]] * 11]
    titles = [[str(i) for i in range(11)]] * 2
    path = tmp_path / "sheet.png"
    plot_neighbours(IMAGES, found, None, titles, path)
    assert_painted(path, 1.15 * 9 + 0.2, 1.35 * 4 + 0.5)
    assert len(table(path)) == 1 + 2 * 11


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
def test_refuses(tmp_path, queries, found, right, titles, message):
    with pytest.raises(ValueError, match=message):
        plot_neighbours(queries, found, right, titles, tmp_path / "sheet.png")
