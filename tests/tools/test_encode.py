import shutil

import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn
from hashnet_tf.runs import CodeSet


@pytest.fixture
def encode(hashnet, trained, tmp_path):
    run, _ = trained

    def run_encode(*words, out=tmp_path / "new" / "codes"):
        return hashnet(
            "encode", f"--workdir={run.path}", f"--out={out}", *words
        ), out

    return run_encode


def pixels_of(folder, names):
    """What the files hold, by PIL, as RGB."""
    images = [Image.open(folder / name).convert("RGB") for name in names]
    return np.stack([np.asarray(image) for image in images])


def test_a_folder(encode, photos, trained, tmp_path):
    ended, out = encode(f"--images={photos}")
    assert (ended.code, ended.err) == (0, "")
    code_set = CodeSet.load(out)
    assert code_set.ids == sorted(
        f"{'ab'[i % 2]}/{i:02}.png" for i in range(40)
    )
    model = trained[0].model
    codes = model.encode(pixels_of(photos, code_set.ids))
    np.testing.assert_array_equal(code_set.codes, codes)
    assert code_set.labels is None
    assert code_set.manifest["images"] == {"folder": str(photos)}
    assert code_set.manifest["protocol"] is None
    assert "40 codes of 12 bits" in ended.out
    assert f"--workdir={trained[0].path} --codes={out}" in ended.out


def test_names_are_kept_in_full_and_quoted(
    encode, photos, trained, tmp_path, monkeypatch
):
    monkeypatch.chdir(photos.parent)
    ended, out = encode(f"--images={photos.name}", out=tmp_path / "two words")
    assert CodeSet.load(out).manifest["images"] == {"folder": str(photos)}
    # The command that follows.
    workdir = f"--workdir={trained[0].path}"
    told = ended.out.splitlines()[-1]
    assert told == f"  hashnet search IMAGE {workdir} '--codes={out}'"


@pytest.mark.parametrize("part", ["train", "query"])
def test_a_part(part, encode, trained):
    run, _ = trained
    ended, out = encode(f"--part={part}")
    assert (ended.code, ended.err) == (0, "")
    source = run.config.data_source()
    dataset = hn.datasets.load(**source)
    images, code_set = getattr(dataset, part), CodeSet.load(out)
    assert code_set.ids == images.names
    np.testing.assert_array_equal(code_set.labels, images.labels)
    pixels = hn.datasets.pixel_array(images, (8, 8))
    np.testing.assert_array_equal(code_set.codes, run.model.encode(pixels))
    assert code_set.manifest["images"] == {**source, "part": part}
    assert code_set.manifest["protocol"] == dataset.protocol


@pytest.mark.slow
def test_what_evaluate_has_encoded_is_not_made_again(hashnet, measured):
    run, _ = measured
    out = run.codes_path("database")
    before = (out / "codes.npy").stat().st_mtime_ns
    ended = hashnet(
        "encode", f"--workdir={run.path}", "--part=database", f"--out={out}"
    )
    assert ended.code == 0
    assert (out / "codes.npy").stat().st_mtime_ns == before


@pytest.mark.slow
def test_files_that_are_no_images(encode, photos, fails, trained, tmp_path):
    folder = tmp_path / "photos"
    shutil.copytree(photos, folder)
    (folder / "a" / "00.png").write_text("no image")
    line = fails(
        "encode",
        f"--workdir={trained[0].path}",
        f"--images={folder}",
        f"--out={tmp_path / 'codes'}",
    )
    assert "1 of 40 images cannot be decoded" in line
    bad = f"{folder / 'a' / '00.png'} (not an image)"
    assert line.endswith(f"Received: {bad}")
    assert not (tmp_path / "codes").exists()
    ended, out = encode(f"--images={folder}", "--skip_undecodable")
    assert ended.code == 0
    assert f"left out: {bad}\n" in ended.out
    told = "40 found: 39 images used, 1 refused by the decoder"
    assert f"Files: {told}\n" in ended.out
    assert CodeSet.load(out).manifest["files"] == {
        "found": 40,
        "used": 39,
        "refused": {"a/00.png": "not an image"},
        "passed_over": {},
    }
    assert "1 undecodable images are left out\n" in ended.out
    assert len(CodeSet.load(out).ids) == 39


def test_bad_input(fails, trained, photos, tmp_path):
    workdir = f"--workdir={trained[0].path}"
    out = f"--out={tmp_path / 'codes'}"
    missing, empty = tmp_path / "missing", tmp_path / "empty"
    empty.mkdir()
    line = fails("encode", workdir, out, f"--images={missing}")
    assert line.endswith(f"Received: {missing}")
    line = fails("encode", workdir, out, f"--images={empty}")
    assert line.endswith(f"Received: {empty} with none")
    line = fails("encode", f"--workdir={missing}", out, "--part=query")
    assert line.endswith(f"Received: no {missing / 'config.json'}")
    line = fails("encode", workdir, f"--out={photos}", "--part=query")
    assert line.endswith(f"Received: folder={photos}")
    assert sorted(path.name for path in photos.iterdir()) == ["a", "b"]
    assert not (tmp_path / "codes").exists()
