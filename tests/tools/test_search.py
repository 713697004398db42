import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn
from hashnet_tf.runs.search import quick_encoder


@pytest.fixture
def image(photos):
    return photos / "a" / "06.png"


def rows(text):
    """`(distance, name)` of the lines of a table."""
    lines = text.splitlines()
    start = lines.index("rank  distance  label  image")
    rest = [line for line in lines[start + 1 :] if line[0] == " "]
    words = [line.split() for line in rest]
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
    assert "Drawn" not in ended.out


def test_an_exported_run_needs_no_tensorflow(
    hashnet, measured, image, tmp_path
):
    run, _ = measured
    copy = hn.runs.Run(tmp_path / "run")
    shutil.copytree(run.path, copy.path)
    asked = ("search", str(image), f"--workdir={copy.path}")
    before = hashnet(*asked).out
    hn.export.to_litert(run.model, copy.export_path / "encoder.tflite")
    # The network itself would be refused.
    copy.model_path.write_bytes(b"no network")
    os.utime(copy.model_path, (0, 0))
    code = (
        "import sys; from hashnet_tf.tools import main;"
        " main.run(main.parse(['hashnet', *sys.argv[1:]]));"
        " print({'tensorflow', 'keras', 'sklearn'} & set(sys.modules))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, *asked],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout == f"{before}set()\n"
    model, codes = (
        f"--model={copy.export_path / 'encoder.tflite'}",
        f"--codes={copy.codes_path('database')}",
    )
    assert hashnet("search", image, model, codes).out == before


def test_a_file_older_than_the_network_is_not_taken(measured, tmp_path):
    run, _ = measured
    copy = hn.runs.Run(tmp_path / "run")
    shutil.copytree(run.path, copy.path)
    file = copy.export_path / "encoder.tflite"
    hn.export.to_litert(run.model, file)
    code_set = hn.runs.CodeSet.load(copy.codes_path("database"))
    os.utime(copy.model_path, (1, 1))
    assert quick_encoder(copy, code_set) is not None
    os.utime(file, (0, 0))
    assert quick_encoder(copy, code_set) is None


def test_a_file_of_another_network_or_a_damaged_one_is_not_taken(
    hashnet, measured, image, tmp_path, tiny_backbone
):
    run, _ = measured
    copy = hn.runs.Run(tmp_path / "run")
    shutil.copytree(run.path, copy.path)
    asked = ("search", image, f"--workdir={copy.path}")
    before = hashnet(*asked).out
    file = copy.export_path / "encoder.tflite"
    other = hn.HashNet(tiny_backbone((8, 8, 3)), bits=12)
    hn.export.to_litert(other, file)
    assert hashnet(*asked).out == before
    file.write_bytes(b"no encoder")
    ended = hashnet(*asked)
    assert re.match(
        "A LiteRT encoder.* The network itself is taken.\n", ended.out, re.S
    )
    assert ended.out.endswith(before)


def test_bad_input(fails, measured, trained, image, tmp_path):
    run, _ = measured
    workdir = f"--workdir={run.path}"
    text = tmp_path / "a.jpg"
    text.write_text("no image")
    line = fails("search", tmp_path, workdir)
    told = "an .npz of images, or a file of vectors, is needed."
    assert line.endswith(f"{told} Received: {tmp_path}")
    line = fails("search", text, workdir)
    assert f"JPEG, PNG, WebP or BMP. Received: {text} (" in line
    assert line.endswith("8 bytes that are none)")
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
