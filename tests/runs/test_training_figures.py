import shutil

import numpy as np
import pytest
from PIL import Image

from hashnet_tf.runs import RunDirectory, draw_training


def test_draws_both(measured, tmp_path):
    shutil.copytree(measured.logs_path, tmp_path / "run" / "logs")
    paths = draw_training(tmp_path / "run")
    figures = tmp_path / "run" / "figures"
    assert paths == [figures / "training.png", figures / "code_histogram.png"]
    for path in paths:
        assert np.asarray(Image.open(path).convert("L")).std() > 5


def test_needs_a_finished_training(measured, tmp_path):
    run = RunDirectory(tmp_path)
    shutil.copytree(measured.logs_path, run.logs_path)
    run.codes_after_path.unlink()
    with pytest.raises(ValueError, match=f"no {run.codes_after_path}$"):
        draw_training(tmp_path)
