"""Commands on a run whose images have moved, or come to harm, since."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn
from hashnet_tf._files import write_json


@pytest.fixture(scope="module")
def base(hashnet, config_of, tmp_path_factory):
    """A folder with a run, measured, and with its data in `data`."""
    top = tmp_path_factory.mktemp("moved")
    rng = np.random.default_rng(0)
    for label in ("cat", "dog"):
        for i in range(12):
            path = top / "data" / label / f"{i:02}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = rng.integers(0, 256, (8, 8, 3), np.uint8)
            Image.fromarray(pixels).save(path)
    config = config_of(
        data="folder:data",
        batch_size=8,
        query_per_class=2,
        train_per_class=None,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(top)
        # The command would draw besides.
        hn.runs.train(config, "run")
        ended = hashnet("evaluate", "--workdir=run")
        assert ended.code == 0, ended
    return top


@pytest.fixture
def top(base, tmp_path):
    """A copy of it, elsewhere: the data are where the run says no more."""
    shutil.copytree(base, tmp_path / "top")
    config = tmp_path / "top" / "run" / "config.json"
    there = json.loads(config.read_text())
    assert there["data"] == f"folder:{base / 'data'}"
    there["data"] = f"folder:{tmp_path / 'top' / 'data'}"
    write_json(config, there, seal=True)
    return tmp_path / "top"


def write_manifest(path, manifest):
    """Writes another manifest, without a digest as in version 0.1."""
    del manifest["manifest_digest"]
    path.write_text(json.dumps(manifest))


def test_a_run_is_read_from_any_folder(hashnet, base, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ended = hashnet("evaluate", f"--workdir={base / 'run'}")
    assert ended.code == 0
    assert "Encoding" not in ended.out


def test_the_same_command_finds_its_run(hashnet, base, monkeypatch):
    monkeypatch.chdir(base)
    config = base / "run" / "config.json"
    there = json.loads(config.read_text())
    # As version 0.1 wrote it.
    old = {**there, "data": "folder:data"}
    settings = hn.runs.TrainingConfig.from_dict(old)
    for written in (old, there):
        write_json(config, written, seal=True)
        hn.runs.train(settings, base / "run")


def test_data_that_have_moved(hashnet, fails, top):
    (top / "data").rename(top / "new")
    run = f"--workdir={top / 'run'}"
    line = fails("evaluate", run)
    assert f"Received: folder:{top / 'data'}." in line
    assert "--data_at" in line
    ended = hashnet("evaluate", run, f"--data_at={top / 'new'}")
    assert ended.code == 0
    out = top / "codes"
    words = ["encode", run, f"--data_at={top / 'new'}", "--part=train"]
    assert hashnet(*words, f"--out={out}").code == 0
    # What is there now is not what was trained on.
    (top / "new" / "cat" / "00.png").unlink()
    line = fails("evaluate", run, f"--data_at={top / 'new'}")
    assert "with other names or labels" in line


def test_a_place_is_told_in_full(fails, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = fails("train", "--workdir=r", "--data=folder:data")
    assert line.endswith(f"Received: folder:{tmp_path / 'data'}")
    line = fails("datasets", "describe", "folder:data")
    told = f"folder:data, looked for at {tmp_path / 'data'}"
    assert line.endswith(f"Received: {told}")


def test_data_without_a_place_cannot_move(fails, measured, tmp_path):
    run, _ = measured
    words = [f"--workdir={run.path}", f"--data_at={tmp_path}"]
    line = fails("evaluate", *words)
    assert line.endswith(f"data='digits', {str(tmp_path)!r} in place of it")


def test_a_search_without_the_pictures(hashnet, top):
    image = shutil.copy(top / "data" / "cat" / "00.png", top / "asked.png")
    source = {"data": f"folder:{top / 'data'}", "part": "database"}
    manifest = top / "run" / "codes" / "database" / "manifest.json"
    there = json.loads(manifest.read_text())
    there["images"] |= source
    write_manifest(manifest, there)
    words = ["search", image, f"--workdir={top / 'run'}", "--k=20"]
    words.append(f"--figure={top / 'found.png'}")

    def assert_not_drawn():
        ended = hashnet(*words)
        assert (ended.code, ended.err) == (0, "")
        *table, last = ended.out.splitlines()
        assert len(table) == 21
        told = "Not drawn. The images of a code set must be where"
        assert last.startswith(told)
        assert str(top / "data") in last

    name = hn.runs.CodeSet.load(manifest.parent).ids[0]
    (top / "data" / name).unlink()
    assert_not_drawn()
    (top / "data").rename(top / "new")
    assert_not_drawn()


@pytest.mark.parametrize(
    "command",
    [
        "evaluate",
        pytest.param("encode", marks=pytest.mark.slow),
        pytest.param("export", marks=pytest.mark.slow),
        "search",
    ],
)
def test_an_image_that_came_to_harm_is_named(command, fails, top):
    run = hn.runs.Run(top / "run")
    query = run.dataset.query.names[0]
    asked = shutil.copy(top / "data" / query, top / "asked.png")
    codes = hn.runs.CodeSet.load(run.codes_path("database"))
    bad = query if command in ("evaluate", "export") else codes.ids[7]
    (top / "data" / bad).write_text("x")
    manifest = run.codes_path("database") / "manifest.json"
    there = json.loads(manifest.read_text())
    there["images"]["data"] = run.config.data
    write_manifest(manifest, there)
    words = {
        "evaluate": ["evaluate"],
        "encode": ["encode", "--part=database", f"--out={top / 'codes'}"],
        "export": ["export", "--format=litert"],
        # All that there are, so the bad one too.
        "search": ["search", asked, f"--k={len(codes.ids)}", "--figure=a.png"],
    }[command]
    line = fails(*words, f"--workdir={run.path}")
    assert line.endswith(f"{top / 'data' / bad} (not an image)")


@pytest.mark.slow
def test_an_export_names_a_bad_image_of_the_database(fails, top):
    run = hn.runs.Run(top / "run")
    bad = run.dataset.database.names[3]
    (top / "data" / bad).write_text("x")
    line = fails("export", f"--workdir={run.path}", "--format=litert")
    assert line.endswith(f"{top / 'data' / bad} (not an image)")
