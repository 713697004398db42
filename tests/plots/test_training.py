import numpy as np
import pytest

from hashnet_tf.plots import plot_losses, plot_training

ROWS = [
    {"step": 0, "J": 1.0, "L": 1.5, "beta": 1.0},
    {"step": 5, "beta": 2.0},
    {"step": 9, "J": 0.5, "L": 0.75},
]


def test_losses(tmp_path, drawn, table):
    path = tmp_path / "losses.png"
    other = [{"step": 3, "J": 2.0, "L": 3.0}]
    plot_losses({"HashNet": ROWS, "DHN": other}, path)
    assert table(path) == [
        ["name", "step", "J", "L"],
        ["HashNet", "0", "1.0", "1.5"],
        ["HashNet", "9", "0.5", "0.75"],
        ["DHN", "3", "2.0", "3.0"],
    ]
    lines = drawn[0].axes[0].lines
    assert lines[0].get_xdata().tolist() == [0, 9]
    assert lines[1].get_ydata().tolist() == [1.5, 0.75]
    assert [line.get_linestyle() for line in lines] == ["-", "--"] * 2
    assert len({line.get_color() for line in lines}) == 2


def test_losses_are_painted(tmp_path, assert_painted):
    path = tmp_path / "new" / "losses.png"
    assert plot_losses({"HashNet": ROWS}, str(path)) == path
    assert_painted(path, 6.4, 4.2)


@pytest.mark.parametrize(
    "trainings, counts",
    [
        ({}, "{}"),
        ({"a": ROWS, "b": []}, "{'a': 2, 'b': 0}"),
        ({"a": ROWS[1:2]}, "{'a': 0}"),
    ],
)
def test_losses_refuses_what_has_none(trainings, counts, tmp_path):
    with pytest.raises(ValueError, match=f"Received: rows={counts}$"):
        plot_losses(trainings, tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


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
def test_training(tmp_path, rows, assert_painted, table):
    path = tmp_path / "deep" / "training.png"
    assert plot_training(iter(rows), path) == path
    assert_painted(path, 7.0, 5.6)
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
