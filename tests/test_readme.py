"""The Python of README and docs, the examples, and the README's commands."""

import json
import pathlib
import re
import runpy
import shutil

import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn
from hashnet_tf.tools import main

ROOT = pathlib.Path(__file__).parents[1]
PYTHON = re.compile(r"```python\n(.*?)```", re.S)


def blocks(name):
    """The Python of a page."""
    return PYTHON.findall((ROOT / name).read_text("utf-8"))


def run_block(text):
    """Runs Python of a page and returns its names."""
    names = {}
    exec(compile(text, "page", "exec"), names)
    return names


@pytest.fixture
def example(tmp_path):
    """Function that runs an example's `main` on this folder."""

    def run(name, *arguments):
        script = runpy.run_path(str(ROOT / "examples" / f"{name}.py"))
        return script["main"](*arguments)

    return run


def test_every_block_is_tried():
    found = {
        page.relative_to(ROOT).as_posix(): len(blocks(page))
        for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
        if blocks(page)
    }
    assert found == {
        "README.md": 1,
        "docs/data-sets.md": 1,
        "docs/deploying.md": 4,
        "docs/embeddings.md": 6,
        "docs/indexing.md": 1,
        "docs/measuring-codes.md": 1,
        "docs/results.md": 1,
        "docs/scale.md": 1,
        "docs/stores.md": 1,
    }


def test_every_example_is_tried():
    there = {path.stem for path in (ROOT / "examples").glob("*.py")}
    tried = set(
        re.findall(r'example\(\s*"(\w+)"', pathlib.Path(__file__).read_text())
    )
    assert there == tried


def test_codes_are_measured():
    (text,) = blocks("docs/measuring-codes.md")
    rng = np.random.default_rng(0)
    names = {
        "query_codes": rng.integers(0, 256, (5, 6), np.uint8),
        "database_codes": rng.integers(0, 256, (50, 6), np.uint8),
        "query_labels": rng.integers(0, 3, 5),
        "database_labels": rng.integers(0, 3, 50),
    }
    exec(compile(text, "page", "exec"), names)
    # R is 5,000, or the whole database where that is smaller.
    assert names["value"] == pytest.approx(names["report"].map, abs=1e-12)


def test_a_shallow_method_encodes():
    (text,) = blocks("docs/results.md")
    assert run_block(text)["codes"].shape == (200, 6)


def test_an_archive_is_scaled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (text,) = blocks("docs/data-sets.md")
    bands = run_block(text)["bands"]
    dataset = hn.datasets.load("npz:fields.npz")
    assert dataset.query.channels == 13
    (place,) = map(int, dataset.query.first(1).names)
    (found,) = hn.datasets.pixel_array(dataset.query.first(1), (16, 16))
    assert np.abs(found - bands[place] / 4095 * 255).max() <= 0.5


def test_an_index_changes(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (text,) = blocks("docs/indexing.md")
    run_block(text)
    assert capsys.readouterr().out.splitlines() == [
        "3 added, 0 refreshed, 0 kept, 0 refused",
        "three 0 None",
        "none 3 None",
    ]
    with hn.Index.open("words.index") as index:
        assert list(index) == ["none", "three"]


def test_codes_go_elsewhere(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (text,) = blocks("docs/stores.md")
    run_block(text)
    assert capsys.readouterr().out.splitlines() == [
        "3 added, 0 refreshed, 0 kept, 0 removed",
        "3 16 None",
        "[Near(name='three', distance=0), Near(name='none', distance=3)]",
        "['four', 'none', 'three'] [[0, 15], [0, 0], [0, 7]]",
    ]


@pytest.mark.slow
def test_embeddings_run(capsys):
    # Each goes on where the one before ends.
    names = run_block("\n".join(blocks("docs/embeddings.md")))
    assert names["bits"].shape == (200, 64)
    assert names["codes"].shape == (200, 8)
    score, hit = capsys.readouterr().out.splitlines()
    assert float(score) > 0.9
    assert hit.startswith("row ")
    new, topics = (names[name][1000:] for name in ("vectors", "topics"))
    # The last learned without labels.
    assert names["encoder"].score(new, topics) > 0.5


def test_client_is_python():
    # The last one has tests of its own among those of export.
    text, *_ = blocks("docs/deploying.md")
    # It needs a server, which the client's own tests have.
    assert "encode_files" in compile(text, "page", "exec").co_names


@pytest.mark.slow
def test_a_saved_model_is_converted_by_others(
    models, saved_models, images, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    _, text, *_ = blocks("docs/deploying.md")
    shutil.copytree(saved_models["48"], "runs/mine/export/saved_model/1")
    names = run_block(text)
    codes = names["layer"](images)["codes"]
    np.testing.assert_array_equal(codes, models["48"].encode(images))
    assert names["content"][4:8] == b"TFL3"


def test_an_onnx_file_is_written_and_run(models, images, tmp_path, monkeypatch):
    for module in ("tf2onnx", "onnxruntime"):
        pytest.importorskip(module, reason="needs the extra [onnx]")
    monkeypatch.chdir(tmp_path)
    for name, image in zip(("cat.jpg", "dog.png"), images, strict=False):
        Image.fromarray(image).save(name)
    _, _, text, _ = blocks("docs/deploying.md")
    names = {"model": models["48"], "images": images}
    exec(compile(text, "page", "exec"), names)
    assert names["moved"] == 0 and names["codes"].shape == (2, 6)
    np.testing.assert_array_equal(names["again"], models["48"].encode(images))
    assert json.loads(names["told"])["bits"] == 48


@pytest.mark.slow
def test_readme_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (text,) = blocks("README.md")
    names = run_block(text)
    assert names["database"].shape == (1597, 6)
    value = re.search(r"MAP@1000 +([\d.]+)", capsys.readouterr().out)
    assert value and float(value[1]) > 0.9
    assert [path.name for path in tmp_path.iterdir()] == ["encoder.tflite"]


def test_examples_without_a_network(example, capsys):
    report = example("measure_codes")
    assert f"MAP@1000 {report.map:.4f}," in capsys.readouterr().out


@pytest.mark.slow
def test_examples(example, tmp_path, capsys):
    assert example("keras_pipeline", tmp_path).map > 0.9
    assert (tmp_path / "encoder" / "1" / "saved_model.pb").is_file()
    assert (tmp_path / "encoder.tflite").is_file()

    found = example("vectors_and_pairs")
    assert found["labels: SDH"] > found["nothing: ITQ"] > 0.5
    assert found["labels: HashNet"] > found["nothing: ITQ"]
    assert found["pairs: HashNet"] > found["nothing: ITQ"]

    codes = example("serving", tmp_path / "served")
    for name in ("SavedModel", "LiteRT"):
        np.testing.assert_array_equal(codes[name], codes["Keras"])
    assert (tmp_path / "served" / "serving" / "compose.yaml").is_file()


@pytest.mark.slow
def test_example_of_photographs(example, tmp_path):
    import hashnet_tf as hn

    config = hn.runs.TrainingConfig(
        data="digits", backbone="small_cnn", image_size=16, epochs=2
    )
    run = example("photographs", config, tmp_path / "run")
    # Before the first step, and after each epoch.
    assert run.history[0]["step"] == 0
    assert len(run.history) == 1 + 2
    assert (run.path / "figures" / "search.png").is_file()


@pytest.fixture
def photographs(tmp_path):
    """A folder a class of 12 photographs each, coloured by class."""
    rng = np.random.default_rng(0)
    for name, colour in (("red", 0), ("green", 1), ("blue", 2)):
        folder = tmp_path / "DIR" / name
        folder.mkdir(parents=True)
        for i in range(12):
            pixels = rng.integers(0, 80, (40, 48, 3), np.uint8)
            pixels[..., colour] += 150
            Image.fromarray(pixels).save(folder / f"{i}.jpg")
    shutil.copy(tmp_path / "DIR" / "red" / "0.jpg", tmp_path / "PHOTO")
    return tmp_path


@pytest.mark.slow
def test_readme_commands_run(photographs, monkeypatch, capsys, tiny_backbone):
    # As they stand there, but small and without a download.
    small = {
        "train": [
            "--backbone=tiny",
            "--image_size=8",
            "--query_per_class=2",
            "--train_per_class=5",
            "--epochs=2",
            "--batch_size=15",
        ],
        "index": ["--backbone=pixels", "--image_size=8", "--bits=16"],
    }
    monkeypatch.chdir(photographs)
    shutil.copytree("DIR", "PICTURES")
    text = (ROOT / "README.md").read_text("utf-8")
    shown = re.findall(r"^ {4}(hashnet (?:.*\\\n)*.*)$", text, re.M)
    for command in shown:
        words = command.replace("\\\n", " ").split()
        # It answers until it is ended, and has tests of its own.
        if words[1] == "serve":
            continue
        if "--workdir=runs/mine" not in words or words[1] == "train":
            words += small[words[1]]
        assert main.run(main.parse(words)) == 0
    assert {path.name for path in photographs.glob("*.index")} == {
        "mine.index",
        "photos.index",
    }
    assert "rank  distance" in capsys.readouterr().out
    report = json.loads((photographs / "runs/mine/report.json").read_text())
    assert report["retrieval"]["bits"] == 48
