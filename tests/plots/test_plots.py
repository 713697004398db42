"""What holds of every picture."""

import sys

import matplotlib
import numpy as np

from hashnet_tf.plots import (
    plot_code_histogram,
    plot_losses,
    plot_neighbours,
    plot_precision_recall,
    plot_training,
    plot_tsne,
)

IMAGE = np.zeros((1, 4, 4, 3), np.uint8)


def settings():
    # To look up the backend is to import pyplot.
    names = set(matplotlib.rcParams) - {"backend"}
    return {name: matplotlib.rcParams[name] for name in names}


def test_no_figure_touches_global_state(tmp_path, monkeypatch):
    # An import of pyplot fails from here on.
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    before = settings()
    codes = np.arange(4, dtype=np.uint8)[:, None]
    plot_training([{"step": 0, "beta": 1.0}], tmp_path / "a.png")
    plot_code_histogram([[0.5]], [[1.0]], tmp_path / "b.png")
    plot_neighbours(IMAGE, IMAGE[None], None, [["1"]], tmp_path / "c.png")
    plot_precision_recall({"a": {0.5: 0.5}}, tmp_path / "d.png")
    plot_tsne(codes, 8, np.arange(4), tmp_path / "e.png")
    plot_losses({"a": [{"step": 0, "J": 1, "L": 2}]}, tmp_path / "f.png")
    assert len(list(tmp_path.glob("*.png"))) == 6
    assert settings() == before
