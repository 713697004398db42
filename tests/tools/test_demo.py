import dataclasses
import json
import re

import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn
from hashnet_tf.runs import demonstration
from hashnet_tf.tools.demo import write_digits

FIGURES = ["code_histogram.png", "neighbours.png", "training.png"]


def rows(text):
    """MAP and precision within radius 2 of each method, as printed."""
    found = re.findall(r"^(HashNet|LSH|ITQ) +([\d.]+) +([\d.]+)$", text, re.M)
    return {name: (float(a), float(b)) for name, a, b in found}


@pytest.mark.slow
def test_digits_are_found_without_labels(hashnet, tmp_path):
    out = tmp_path / "demo"
    ended = hashnet("demo", f"--out={out}")
    assert ended.code == 0
    told = r"10 pictures shown for each of 100 .*, ([\d.]+) are of the same"
    (right,) = re.findall(told, ended.out)
    # By chance 1.0; the nearest by their pixels alone have 8.8.
    assert float(right) > 8
    with hn.Index.open(out / "digits.index") as index:
        assert (len(index), index.bits) == (1697, 32)
    pixels = np.asarray(Image.open(out / "asked" / "3" / "0.png"))
    assert pixels.shape == (64, 64)
    assert (pixels[:8, :8] == pixels[0, 0]).all()
    # Again, nothing is made anew.
    again = hashnet("demo", f"--out={out}")
    assert "0 added, 0 refreshed, 1,697 kept" in again.out
    assert again.out.splitlines()[-20:] == ended.out.splitlines()[-20:]


def test_digits_are_written_whole(tmp_path):
    from sklearn.datasets import load_digits

    write_digits(tmp_path)
    digits = load_digits()
    place = int(np.flatnonzero(digits.target == 7)[12])
    written = Image.open(tmp_path / "digits" / "7" / "12.png")
    grey = np.asarray(written)[::8, ::8].astype(float)
    np.testing.assert_allclose(
        16 - grey * 16 / 255, digits.images[place], atol=0.05
    )
    assert len(list(tmp_path.glob("asked/*/*.png"))) == 100
    assert len(list(tmp_path.glob("*/*/*.png"))) == 1797


@pytest.mark.slow
def test_shows_the_whole_way(hashnet, monkeypatch, tmp_path):
    short = {
        "backbone": "tiny",
        "image_size": 8,
        "epochs": 1,
        "train_per_class": 20,
    }
    settings = dataclasses.replace(demonstration.SETTINGS, **short)
    monkeypatch.setattr(demonstration, "SETTINGS", settings)
    run = hn.runs.Run(tmp_path / "run")
    ended = hashnet("demo", "--train", f"--workdir={run.path}", "--seed=3")
    assert ended.code == 0
    assert run.config == dataclasses.replace(settings, seed=3)

    report = run.report["retrieval"]
    assert report["at"] == 1000
    table = rows(ended.out)
    assert table["HashNet"] == pytest.approx(
        (report["map"], report["precision_radius2"]), abs=5e-5
    )
    # The rivals on the raw pixels of the same split.
    dataset = hn.datasets.load("digits", seed=3, train_per_class=20)
    train, query, database = (
        part.images.reshape(len(part), 64).astype(float)
        for part in (dataset.train, dataset.query, dataset.database)
    )
    for name, rival in {
        "LSH": hn.shallow.LSH(48, 3),
        "ITQ": hn.shallow.ITQ(48, seed=3),
    }.items():
        rival.fit(train)
        theirs = hn.retrieval.evaluate(
            rival.encode(query),
            rival.encode(database),
            dataset.query.labels,
            dataset.database.labels,
            at=1000,
        )
        assert table[name] == pytest.approx(
            (theirs.map, theirs.precision_radius2), abs=5e-3
        )

    # SavedModel, LiteRT, and LiteRT for browsers.
    assert ended.out.count(" 0 of 9,600 (0.00% +- 0.00%) ") == 3
    assert (run.export_path / "saved_model" / "1").is_dir()
    assert (run.export_path / "encoder.tflite").is_file()
    query = re.search(r"^Query: image (\d+), a (\d)$", ended.out, re.M)
    labels = dict(zip(dataset.query.names, dataset.query.labels, strict=True))
    assert labels[query[1]] == int(query[2])
    found = re.findall(r"^ +(\d+) +\d+ +\d +\d+$", ended.out, re.M)
    assert [int(rank) for rank in found] == list(range(1, 11))
    for name in FIGURES:
        path = run.figures_path / name
        assert str(path) in ended.out
        assert np.asarray(Image.open(path).convert("L")).std() > 5
    assert "hashnet train --workdir=runs/mine" in ended.out.splitlines()[-3]


def test_a_folder_of_another_seed_is_refused(fails, tmp_path):
    settings = demonstration.SETTINGS.as_dict()
    (tmp_path / "config.json").write_text(json.dumps(settings))
    line = fails("demo", "--train", f"--workdir={tmp_path}", "--seed=1")
    assert line.endswith("Received: seed=1 instead of 0")


@pytest.mark.slow
@pytest.mark.longest
def test_retrieves_better_than_its_rivals(hashnet, tmp_path):
    # Of another seed than the one that everybody runs.
    ended = hashnet("demo", "--train", f"--workdir={tmp_path}", "--seed=1")
    assert ended.code == 0
    run = hn.runs.Run(tmp_path)
    report = run.report["retrieval"]
    assert (report["bits"], report["at"]) == (48, 1000)
    assert report["map"] >= 0.95
    table = rows(ended.out)
    assert set(table) == {"HashNet", "LSH", "ITQ"}
    assert report["map"] > max(table["LSH"][0], table["ITQ"][0])
