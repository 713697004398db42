"""The folder for browsers, and its arithmetic, which node runs as they do."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn
from hashnet_tf._files import write_json
from hashnet_tf._framings import FRAMINGS, uncropped_size
from hashnet_tf.datasets.pixels.pillow import image_pixels, open_image
from hashnet_tf.export import web

PAGE = pathlib.Path(web.__file__).parent / "web_page"
# From smaller to much larger, long and thin, and of the very sizes.
SHAPES = [
    *((32, 32), (31, 47), (96, 96), (110, 110), (97, 640)),
    *((375, 500), (480, 333), (5, 700), (1, 1), (227, 256), (256, 256)),
]
SIZES = [(96, 96), (24, 31), (227, 227)]
FRAME = """
import { readFileSync, writeFileSync } from "node:fs";
const { frame } = await import(process.argv[2]);
const tasks = JSON.parse(readFileSync("tasks.json"));
for (const [i, { shape, file, ...framing }] of tasks.entries()) {
  const [height, width] = shape;
  const image = { data: new Uint8Array(readFileSync(file)), width, height };
  writeFileSync(`${i}.framed`, frame(image, framing));
}
"""
SEARCH = """
import { readFileSync } from "node:fs";
const { CodeIndex } = await import(process.argv[2]);
const found = JSON.parse(readFileSync("tasks.json")).map((task) => {
  const codes = Uint8Array.from(task.codes.flat());
  const names = task.codes.map((_, i) => `n${i}`);
  const index = new CodeIndex({ codes, names, bits: task.bits });
  return task.queries.map((query) =>
    index.search(Uint8Array.from(query), task.k));
});
console.log(JSON.stringify(found));
"""


@pytest.fixture
def node(tmp_path):
    """Function that runs a script with tasks, and returns what it prints."""
    if shutil.which("node") is None:
        pytest.skip("No node: apt-get install nodejs")

    def run(script, tasks):
        (tmp_path / "script.mjs").write_text(script)
        (tmp_path / "tasks.json").write_text(json.dumps(tasks))
        return subprocess.run(
            ["node", "script.mjs", str(PAGE / "hashnet.js")],
            cwd=tmp_path,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    return run


def test_framing_gives_the_pixels_of_python(node, tmp_path):
    rng = np.random.default_rng(0)
    tasks, expected = [], []
    for number, shape in enumerate(SHAPES):
        pixels = rng.integers(0, 256, (*shape, 4), "uint8")
        if number % 2:
            pixels = pixels[..., :3]
        file = tmp_path / f"{number}.raw"
        file.write_bytes(pixels.tobytes())
        image = Image.fromarray(np.ascontiguousarray(pixels[..., :3]))
        for size in SIZES:
            for framing in FRAMINGS:
                tasks.append(
                    {
                        "shape": shape,
                        "file": file.name,
                        "size": size,
                        "framing": framing,
                        "uncropped": uncropped_size(size),
                    }
                )
                expected.append(image_pixels(image, size, framing))
    node(FRAME, tasks)
    for number, pixels in enumerate(expected):
        framed = np.fromfile(tmp_path / f"{number}.framed", "uint8")
        np.testing.assert_array_equal(framed, pixels.ravel(), tasks[number])


def test_search_finds_what_python_finds(node):
    rng = np.random.default_rng(1)
    tasks = []
    for bits, n, k in ((12, 300, 7), (64, 100, 100), (200, 40, 50), (5, 9, 1)):
        # Few that differ, so that many are as near.
        pool = rng.integers(0, 2, (n // 4, bits))
        codes = np.packbits(pool[rng.integers(0, len(pool), n)], axis=1)
        queries = np.packbits(rng.integers(0, 2, (6, bits)), axis=1)
        task = {"bits": bits, "k": k}
        task |= {"codes": codes.tolist(), "queries": queries.tolist()}
        tasks.append(task)
    for task, found in zip(tasks, json.loads(node(SEARCH, tasks)), strict=True):
        codes, queries = np.uint8(task["codes"]), np.uint8(task["queries"])
        far, places = hn.retrieval.search(queries, codes, task["k"])
        told = [[hit["place"] for hit in hits] for hits in found]
        np.testing.assert_array_equal(told, places)
        told = [[hit["distance"] for hit in hits] for hits in found]
        np.testing.assert_array_equal(told, far)
        assert found[0][0]["name"] == f"n{places[0, 0]}"


@pytest.fixture(scope="module")
def run(config_of, tiny_backbone, tmp_path_factory):
    """A run whose network is as it was before the first step, encoded."""
    run = hn.runs.Run(tmp_path_factory.mktemp("run") / "digits")
    config = config_of()
    _, record = run.load_data(config)
    run.path.mkdir()
    write_json(run.config_path, config.as_dict(), seal=True)
    write_json(run.data_path, record, seal=True)
    hn.HashNet(tiny_backbone((8, 8, 3)), 12).save(run.model_path)
    run.encode_part("database")
    return run


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """A folder as npm leaves it, of the right names alone."""
    folder = tmp_path_factory.mktemp("npm")
    files = web._runtime_files(folder / "node_modules" / "@litertjs")
    for file in files.values():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(file.name)
    return folder


@pytest.fixture
def written(run, packages, tmp_path):
    return hn.export.write_web(run, tmp_path / "site", litertjs=packages)


def left(folder):
    return sorted(os.listdir(folder))


def test_all_that_is_needed_is_there(run, packages, tmp_path):
    site = hn.export.write_web(
        run, tmp_path / "a.site", thumbnails=True, litertjs=packages
    )
    assert left(tmp_path) == ["a.site"]
    told = json.loads((site / "encoder.json").read_text())
    name, _, digest = told["file"].partition("?")
    assert (site / name).read_bytes() == (
        run.export_path / "encoder_web.tflite"
    ).read_bytes()
    assert (told["bits"], told["image_size"], len(digest)) == (12, [8, 8], 16)
    code_set = hn.runs.CodeSet.load(run.codes_path("database"))
    told = json.loads((site / "codes.json").read_text())
    codes = np.fromfile(site / told["file"].partition("?")[0], "uint8")
    np.testing.assert_array_equal(codes.reshape(-1, 2), code_set.codes)
    assert told["names"] == code_set.ids
    assert told["labels"][:3] == [code_set.label(i) for i in range(3)]
    dataset = run.dataset
    pixels = hn.datasets.pixel_array(dataset.database.first(1), (8, 8))
    small = np.asarray(open_image(site / "thumbnails" / "0.jpg"), int)
    assert np.abs(small - pixels[0]).mean() < 10
    assert len(left(site / "thumbnails")) == len(code_set.ids)
    # Whatever the page and the module ask for by a name that stands there.
    page = (site / "index.html").read_text()
    for named in ("icon.svg", "page.css", "camera.css", "page.js"):
        assert f'"{named}"' in page and (site / named).is_file()
    script = (site / "page.js").read_text()
    for named in ("drop.js", "hashnet.js"):
        assert f'"./{named}"' in script and (site / named).is_file()
    for named in ("core/index.js", "wasm-utils/index.js"):
        assert f'"./litert/{named}"' in page
        assert (site / "litert" / named).read_text() == "index.js"
    assert len(left(site / "litert" / "wasm")) == 6
    assert "http" not in page.replace("http-equiv", "")


def test_a_code_set_of_ones_own_and_one_of_another(run, packages, tmp_path):
    digest = hn.runs.KerasEncoder(run.model).model_digest
    codes = np.uint8([[0, 0], [255, 240]])
    for name, of in (("own", digest), ("other", "of another")):
        made = hn.runs.CodeSet.of(codes, "ab", bits=12, model_digest=of)
        made.save(tmp_path / name)
    site = tmp_path / "site"
    hn.export.write_web(run, site, tmp_path / "own", litertjs=packages)
    told = json.loads((site / "codes.json").read_text())
    assert (told["names"], told["labels"]) == (["a", "b"], None)
    with pytest.raises(ValueError, match="must be of one encoder"):
        hn.export.write_web(run, site, tmp_path / "other", litertjs=packages)
    # It tells of no images, of which there could be small ones.
    with pytest.raises(FileNotFoundError, match="must tell where its images"):
        hn.export.write_web(run, site, tmp_path / "own", True, packages)
    assert json.loads((site / "codes.json").read_text()) == told
    assert left(tmp_path) == ["other", "own", "site"]


def test_an_index_of_the_model_and_one_of_another(run, packages, tmp_path):
    rng = np.random.default_rng(0)
    folder = tmp_path / "photographs"
    for name in ("a.png", "cats/b.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (20, 30, 3), "uint8")
        Image.fromarray(pixels).save(folder / name)
    encoder = hn.runs.KerasEncoder(run.model)
    with hn.Index.open(tmp_path / "own.index", encoder=encoder) as index:
        index.add_files([folder / "a.png"])
        index.add_files([folder / "cats" / "b.png"], ["cats"])
        codes = [entry.code for entry in index.page(0, 9)[1]]
    site = tmp_path / "site"
    searched = tmp_path / "own.index"
    hn.export.write_web(run, site, searched, True, packages)
    told = json.loads((site / "codes.json").read_text())
    # Where they lie on this machine is nobody's business.
    assert told["names"] == ["a.png", "cats/b.png"]
    assert (told["labels"], told["bits"]) == ([None, "cats"], 12)
    assert (site / "codes.bin").read_bytes() == b"".join(codes)
    assert left(site / "thumbnails") == ["0.jpg", "1.jpg"]
    assert open_image(site / "thumbnails" / "1.jpg").size == (30, 20)
    with hn.Index.open(tmp_path / "other.index", bits=12) as index:
        index.add(["x"], np.zeros((1, 2), "uint8"))
    with pytest.raises(ValueError, match="must be of the run's own model"):
        hn.export.write_web(
            run, site, tmp_path / "other.index", litertjs=packages
        )
    (folder / "a.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"a\.png"):
        hn.export.write_web(run, site, searched, True, packages)
    assert json.loads((site / "codes.json").read_text()) == told


def test_what_is_refused_leaves_all_as_it_was(
    run, written, packages, tmp_path, monkeypatch
):
    before = {p: p.read_bytes() for p in written.rglob("*") if p.is_file()}
    monkeypatch.setattr(web.shutil, "which", lambda name: None)
    with pytest.raises(ValueError, match="Received: no npm on the PATH"):
        hn.export.write_web(run, written)
    with pytest.raises(ValueError, match="which lacks files of @litertjs"):
        hn.export.write_web(run, written, litertjs=tmp_path)
    monkeypatch.setattr(web, "_write_codes", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        hn.export.write_web(run, written, litertjs=packages)
    after = {p: p.read_bytes() for p in written.rglob("*") if p.is_file()}
    assert after == before and left(tmp_path) == ["site"]
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="must be new, empty or a folder for"):
        hn.export.write_web(run, tmp_path / "full", litertjs=packages)
    assert left(tmp_path / "full") == ["notes.txt"]


def test_npm_that_fails_is_told(run, tmp_path, monkeypatch):
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho npm error no network\nexit 7\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(ValueError) as error:
        hn.export.write_web(run, tmp_path / "site")
    assert str(error.value).endswith(
        "Received: npm ended with 7 and npm error no network"
    )
    assert left(tmp_path) == ["npm"]


def test_runs_of_vectors_are_refused(config_of, tmp_path, packages):
    import keras

    run = hn.runs.Run(tmp_path / "run")
    config = config_of()
    _, record = run.load_data(config)
    run.path.mkdir()
    write_json(run.config_path, config.as_dict(), seal=True)
    write_json(run.data_path, record, seal=True)
    features = keras.Input((8,), name="features")
    model = hn.HashNet(keras.Model(features, features), bits=12)
    model.save(run.model_path)
    with pytest.raises(ValueError, match="`model` must take images"):
        hn.export.write_web(run, tmp_path / "site", litertjs=packages)


KILLED = """
import sys, time
import hashnet_tf as hn
from hashnet_tf.export import web

web._write_codes = lambda *_: (print("begun", flush=True), time.sleep(60))
hn.export.write_web(sys.argv[1], sys.argv[2], litertjs=sys.argv[3])
"""


@pytest.mark.slow
def test_a_kill_leaves_the_folder_before(run, written, packages, tmp_path):
    before = (written / "codes.json").read_bytes()
    killed = subprocess.Popen(
        [sys.executable, "-c", KILLED, run.path, written, packages],
        stdout=subprocess.PIPE,
        text=True,
    )
    with killed:
        while killed.stdout.readline() not in ("begun\n", ""):
            time.sleep(0.01)
        with pytest.raises(OSError, match="written by one process at a time"):
            hn.export.write_web(run, written, litertjs=packages)
        killed.send_signal(signal.SIGKILL)
    assert (written / "codes.json").read_bytes() == before
    # What it began is gone with the next.
    hn.export.write_web(run, written, litertjs=packages)
    assert left(tmp_path) == ["site"]
