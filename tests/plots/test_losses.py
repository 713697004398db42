import csv

import pytest

from hashnet_tf.plots import plot_losses
from hashnet_tf.plots import training as losses

ROWS = [
    {"step": 0, "J": 1.0, "L": 1.5, "beta": 1.0},
    {"step": 5, "beta": 2.0},
    {"step": 9, "J": 0.5, "L": 0.75},
]


def test_the_table_holds_the_numbers(tmp_path, monkeypatch):
    figures = []
    saved = losses.save_figure

    def save(figure, columns, rows, path):
        figures.append(figure)
        return saved(figure, columns, rows, path)

    monkeypatch.setattr(losses, "save_figure", save)
    path = tmp_path / "new" / "losses.png"
    other = [{"step": 3, "J": 2.0, "L": 3.0}]
    assert plot_losses({"HashNet": ROWS, "DHN": other}, str(path)) == path
    assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    with open(path.with_suffix(".csv"), newline="") as file:
        assert list(csv.reader(file)) == [
            ["name", "step", "J", "L"],
            ["HashNet", "0", "1.0", "1.5"],
            ["HashNet", "9", "0.5", "0.75"],
            ["DHN", "3", "2.0", "3.0"],
        ]
    lines = figures[0].axes[0].lines
    assert [line.get_linestyle() for line in lines] == ["-", "--"] * 2
    assert len({line.get_color() for line in lines}) == 2


@pytest.mark.parametrize(
    "trainings, counts",
    [
        ({}, "{}"),
        ({"a": ROWS, "b": []}, "{'a': 2, 'b': 0}"),
        ({"a": ROWS[1:2]}, "{'a': 0}"),
    ],
)
def test_refuses_what_has_no_losses(trainings, counts, tmp_path):
    with pytest.raises(ValueError, match=f"Received: rows={counts}$"):
        plot_losses(trainings, tmp_path / "a.png")
    assert not list(tmp_path.iterdir())
