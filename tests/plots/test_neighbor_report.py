import numpy as np

import hashnet_tf as hn
from hashnet_tf.plots import neighbor_report, plot_neighbor_report

X = np.random.default_rng(0).normal(size=(150, 16))
CODES = hn.retrieval.pack(X)


def test_three_panels_and_their_numbers(tmp_path, assert_painted, table):
    report = hn.retrieval.evaluate_neighbors(CODES, CODES, X, X)
    path = tmp_path / "neighbors.png"
    assert plot_neighbor_report(report, path) == path
    assert_painted(path, 12, 3.8)
    header, *lines = table(path)
    assert header == ["panel", "x", "y", "deviation"]
    recall = {int(x): float(y) for panel, x, y, _ in lines if panel == "recall"}
    assert recall == report.recall_at
    drawn = [
        [float(value) for value in row[1:]]
        for row in lines
        if row[0] == "distance"
    ]
    assert drawn == [
        [row.cosine_distance, row.mean, row.deviation]
        for row in report.distortion
    ]
    ones = [float(y) for panel, _, y, _ in lines if panel == "ones"]
    assert ones == sorted(report.ones)


def test_a_database_of_few(tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr(
        neighbor_report,
        "save_figure",
        lambda figure, *_: figures.append(figure),
    )
    report = hn.retrieval.evaluate_neighbors(CODES[:3], CODES[:3], X[:3], X[:3])
    assert report.recall_at == {}
    plot_neighbor_report(report, tmp_path / "few.png")
    figures[0].draw_without_rendering()
