import shutil

import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn


@pytest.fixture
def image(photos):
    return photos / "a" / "06.png"


def rows(text):
    """`(distance, name)` of the lines of a table."""
    lines = text.splitlines()
    start = lines.index("rank  distance  label  image")
    words = [line.split() for line in lines[start + 1 : -1]]
    return [(int(line[1]), line[-1]) for line in words]


def test_the_runs_database(hashnet, measured, image, tmp_path):
    run, _ = measured
    figure = tmp_path / "new" / "a.png"
    ended = hashnet(
        "search",
        image,
        f"--workdir={run.path}",
        "--k=7",
        f"--figure={figure}",
    )
    assert (ended.code, ended.err) == (0, "")
    database = hn.runs.CodeSet.load(run.codes_path("database"))
    pixels = np.asarray(Image.open(image).convert("RGB"))[None]
    code = np.unpackbits(run.model.encode(pixels))
    distances = (np.unpackbits(database.codes, axis=1) != code).sum(axis=1)
    order = np.argsort(distances, kind="stable")[:7]
    assert rows(ended.out) == [(distances[i], database.ids[i]) for i in order]
    assert ended.out.endswith(f"Drawn in {figure}\n")
    assert np.asarray(Image.open(figure).convert("L")).std() > 5


def test_a_code_set(hashnet, measured, image, photos, tmp_path):
    run, _ = measured
    codes = tmp_path / "codes"
    workdir = f"--workdir={run.path}"
    hashnet("encode", workdir, f"--images={photos}", f"--out={codes}")
    ended = hashnet("search", image, workdir, f"--codes={codes}")
    assert ended.code == 0
    found = rows(ended.out)
    assert len(found) == 10
    # It finds itself, where another of the same code does not come first.
    nearest = [name for distance, name in found if distance == 0]
    assert "a/06.png" in nearest
    figure = run.figures_path / "search.png"
    assert ended.out.endswith(f"Drawn in {figure}\n")
    assert figure.exists()


def test_bad_input(fails, measured, trained, image, tmp_path):
    run, _ = measured
    workdir = f"--workdir={run.path}"
    text = tmp_path / "a.jpg"
    text.write_text("no image")
    for path, told in ((tmp_path, ""), (text, " (not an image)")):
        line = fails("search", path, workdir)
        assert "JPEG, PNG, WebP or BMP" in line
        assert line.endswith(f"Received: {path}{told}")
    missing = tmp_path / "missing.jpg"
    line = fails("search", missing, workdir)
    assert line.endswith(f"Received: {missing} (No such file or directory)")
    line = fails("search", image, workdir, "--k=0")
    assert line.endswith("Received: k=0")
    line = fails("search", image, workdir, f"--codes={tmp_path}")
    assert line.endswith(f"Received: no {tmp_path / 'manifest.json'}")
    line = fails("search", image, f"--workdir={tmp_path}")
    assert line.endswith(f"Received: no {tmp_path / 'model.keras'}")


def test_before_evaluating(fails, trained, image, tmp_path):
    run, _ = trained
    shutil.copy(run.config_path, tmp_path)
    shutil.copy(run.model_path, tmp_path)
    line = fails("search", image, f"--workdir={tmp_path}")
    assert "hashnet evaluate" in line
    assert line.endswith("/codes/database/manifest.json")
