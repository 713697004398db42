import csv

import numpy as np
import pytest

from hashnet_tf.plots._canvas import (
    COLORS,
    color_and_marker,
    new_figure,
    save_figure,
    table_path,
    write_table,
)


def table(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


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
