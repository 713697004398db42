"""`hashnet train` and `hashnet evaluate` without labels."""

import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn


@pytest.fixture(scope="module")
def flags(tmp_path_factory, weights_file):
    folder = tmp_path_factory.mktemp("loose")
    rng = np.random.default_rng(0)
    for i in range(30):
        pixels = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{i:02}.png")
    return [
        f"--data=folder:{folder}",
        "--backbone=tiny",
        f"--weights={weights_file}",
        "--image_size=8",
        "--bits=12",
    ]


@pytest.fixture(scope="module")
def run(hashnet, flags, tmp_path_factory):
    workdir = tmp_path_factory.mktemp("runs") / "run"
    ended = hashnet("train", f"--workdir={workdir}", "--method=pca", *flags)
    assert (ended.code, ended.err) == (0, "")
    assert "without labels: labels need two class folders" in ended.out
    assert f"hashnet evaluate --workdir={workdir}" in ended.out
    return hn.runs.Run(workdir)


def test_measures_what_is_kept_of_the_features(run, hashnet):
    ended = hashnet("evaluate", f"--workdir={run.path}")
    assert (ended.code, ended.err) == (0, "")
    report = hn.retrieval.NeighborReport.from_dict(run.report["neighbors"])
    assert report.text() in ended.out and "MAP" not in ended.out
    assert (run.figures_path / "neighbors.png").stat().st_size > 0
    assert run.report["retrieval"] is None


@pytest.mark.parametrize("flag", ["--at=10", "--preset=deephash"])
def test_what_is_of_labels_is_refused(run, fails, flag):
    line = fails("evaluate", f"--workdir={run.path}", flag)
    assert "is for a measure by labels. Received: folder:" in line


def test_with_labels_both_are_told(hashnet, flags, tmp_path):
    hashnet(
        "train",
        f"--workdir={tmp_path}",
        "--method=lsh",
        *["--data=digits", *flags[1:]],
    )
    ended = hashnet("evaluate", f"--workdir={tmp_path}", "--at=50")
    assert ended.code == 0
    assert "MAP@50" in ended.out and "recall@10" in ended.out


def test_a_loss_needs_labels(fails, flags, tmp_path):
    line = fails("train", f"--workdir={tmp_path / 'run'}", *flags)
    assert "Labels are needed for this. To do without, train by" in line


def test_a_folder_without_labels_is_described_and_checked(hashnet, flags):
    word = flags[0].removeprefix("--data=")
    for action in ("describe", "check"):
        ended = hashnet("datasets", action, word)
        assert ended.code == 0
        assert "27 train, 3 query, 27 database" in ended.out
