import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn

BEGUN = ("--backbone=small_cnn", "--image_size=16", "--bits=16")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    import keras

    keras.utils.set_random_seed(0)
    path = tmp_path_factory.mktemp("weights") / "small_cnn.weights.h5"
    hn.models.backbone("small_cnn", (16, 16, 3)).save_weights(path)
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory, weights, hashnet):
    """A folder of thirty pictures, its index, and how that was made."""
    root = tmp_path_factory.mktemp("made")
    rng = np.random.default_rng(0)
    for kind in ("reds", "blues", "greens"):
        (root / "photos" / kind).mkdir(parents=True)
        for number in range(10):
            tiles = rng.integers(0, 80, (6, 6, 3), "uint8")
            tiles[..., ("reds", "greens", "blues").index(kind)] += 170
            image = Image.fromarray(tiles).resize((30, 24), 0)
            image.save(root / "photos" / kind / f"{number}.png")
    (root / "photos" / "notes.txt").touch()
    (root / "photos" / "bad.jpg").write_text("no image")
    flags = (*BEGUN, f"--weights={weights}")
    ended = hashnet("index", "add", root / "photos", at(root), *flags)
    return root, ended


def at(root):
    return f"--index={root / 'a.index'}"


def test_two_commands_from_a_folder_to_what_is_alike(made, hashnet, tmp_path):
    root, ended = made
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0] == ("Making an encoder: small_cnn at 16 pixels, 16 bits")
    assert "32 found: 31 images used, 1 passed over (.txt 1)" in lines
    assert "30 added, 0 refreshed, 0 kept, 1 refused, 0 gone" in lines
    assert "bad.jpg: An image must be a JPEG" in ended.out
    assert "16 bits are learned from 30 pictures" in lines
    asked = root / "photos" / "blues" / "4.png"
    figure = tmp_path / "found.png"
    ended = hashnet(
        "index", "search", asked, at(root), "--k=12", f"--figure={figure}"
    )
    assert (ended.code, ended.err) == (0, "")
    head, *rows, last = ended.out.splitlines()
    assert head.split() == ["rank", "distance", "cosine", "label", "image"]
    assert rows[0].split() == ["1", "0", "1.000", "blues", str(asked)]
    assert len(rows) == 12
    assert [row.split()[3] for row in rows[:10]].count("blues") >= 9
    assert last == f"Drawn in {figure}"
    with Image.open(figure) as image:
        assert image.size[0] > image.size[1]


def test_z_ranks_too(made, hashnet):
    root, _ = made
    asked = root / "photos" / "blues" / "4.png"
    ended = hashnet("index", "search", asked, at(root), "--k=9", "--by=z")
    assert (ended.code, ended.err) == (0, "")
    head, *rows = ended.out.splitlines()
    assert head.split() == ["rank", "distance", "by", "z", "label", "image"]
    with hn.Index.open(root / "a.index") as index:
        hits = index.search(asked, k=9, by="z")
    assert [row.split() for row in rows] == [
        [str(i), str(h.distance), f"{h.asymmetric:.3f}", h.label, h.name]
        for i, h in enumerate(hits, start=1)
    ]
    assert hits[0].distance == 0 == hits[0].asymmetric
    refused = hashnet("index", "search", asked, at(root), "--by=cosine")
    assert refused.code == 2 and "features" in refused.err


def test_a_folder_asks_with_each_of_its_pictures(made, hashnet):
    root, _ = made
    ended = hashnet(
        "index", "search", root / "photos" / "reds", at(root), "--k=1"
    )
    names = ended.out.splitlines()[::3]
    assert names == [
        str(root / "photos" / "reds" / f"{i}.png") for i in range(10)
    ]


def test_what_a_second_pass_does(made, hashnet, tmp_path):
    root, _ = made
    copy = tmp_path / "a.index"
    assert hashnet("index", "copy", at(root), copy).code == 0
    index, more = f"--index={copy}", tmp_path / "more"
    more.mkdir()
    for number in range(2):
        tiles = np.random.default_rng(number).integers(0, 256, (9, 9, 3))
        image = Image.fromarray(tiles.astype("uint8")).resize((90, 90), 0)
        image.save(more / f"{number}.png")
        image.resize((60, 60)).save(more / f"copy{number}.jpg")
    ended = hashnet("index", "add", root / "photos", more, index)
    assert "4 added, 0 refreshed, 30 kept, 1 refused, 0 gone" in ended.out
    ended = hashnet("index", "duplicates", index, "--quiet")
    for number in range(2):
        pair = {str(more / f"{number}.png"), str(more / f"copy{number}.jpg")}
        assert pair in [set(g.split()) for g in ended.out.split("\n\n")]
    assert "nothing was deleted" in ended.out
    (more / "0.png").unlink()
    ended = hashnet("index", "add", more, index, "--prune")
    assert "0 added, 0 refreshed, 3 kept, 0 refused, 1 gone" in ended.out
    ended = hashnet("index", "remove", more, index)
    assert "3 removed, 30 are left" in ended.out
    ended = hashnet("index", "stat", index)
    assert "items     30" in ended.out and "  blues 10" in ended.out
    assert "16 bits are learned from 30" in hashnet("index", "refit", index).out
    out = tmp_path / "encoder.tflite"
    assert hashnet("index", "encoder", index, out).code == 0
    assert out.read_bytes()[4:8] == b"TFL3"


def test_refuses(made, hashnet, fails, tmp_path):
    root, _ = made
    there, photos = at(root), root / "photos"
    assert "is there and keeps its encoder" in fails(
        "index", "add", photos, there, "--bits=8"
    )
    new = f"--index={tmp_path / 'new.index'}"
    (tmp_path / "empty").mkdir()
    assert "Pictures are needed" in fails(
        "index", "add", tmp_path / "empty", new
    )
    assert "must be there. Received: no" in fails(
        "index", "add", tmp_path / "gone", new
    )
    assert "Either --model" in fails(
        "index", "add", photos, new, "--model=a.tflite", "--bits=8"
    )
    assert "There must be an index" in fails("index", "stat", new)
    assert "none of" in fails("index", "remove", tmp_path / "gone", there)
    assert not (tmp_path / "new.index").exists()


def test_search_needs_no_tensorflow(made):
    root, _ = made
    code = (
        "import sys; from hashnet_tf.tools import main; arguments ="
        " main.parse(['hashnet', *sys.argv[1:]]); main.run(arguments);"
        " print({'tensorflow', 'keras', 'sklearn'} & set(sys.modules))"
    )
    asked = pathlib.Path(root, "photos", "reds", "0.png")
    words = [sys.executable, "-c", code, "index", "search", asked, at(root)]
    ended = subprocess.run(
        list(map(str, words)), capture_output=True, text=True, check=True
    )
    assert ended.stdout.splitlines()[-1] == "set()"


# A copy of the command that is killed behind its second batch of ten.
KILLED = """
import os, signal, sys
from hashnet_tf.index.stores.parquet import ParquetStore
from hashnet_tf.tools import main
ParquetStore.BATCH = 10
add, sent = ParquetStore._add, []
def counted(store, names, codes):
    add(store, names, codes)
    sent.append(names)
    if len(sent) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
ParquetStore._add = counted
main.run(main.parse(["hashnet", *sys.argv[1:]]))
"""


def test_copies_into_an_engine(made, hashnet, tmp_path):
    root, _ = made
    words = [
        "index",
        "copy",
        at(root),
        f"--to=parquet:{tmp_path / 'a.parquet'}",
    ]
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, *words], capture_output=True
    )
    assert ended.returncode == -9, ended.stderr
    ended = hashnet(*words)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        "10 added, 0 refreshed, 20 kept, 0 removed",
        "30 codes of 16 bits were read back and are those of the index",
    ]
    assert "0 added, 0 refreshed, 30 kept" in hashnet(*words).out
    with (
        hn.Index.open(root / "a.index") as index,
        hn.index.stores.open_store(words[-1].removeprefix("--to=")) as store,
    ):
        assert store.encoder == index.stat()["encoder"] is not None
        code = np.frombuffer(index.item(next(iter(index))).code, np.uint8)
        found = index.search(code, k=30)
        assert sorted(store.search(code[None], k=30)[0]) == sorted(
            hn.index.stores.Near(hit.name, hit.distance) for hit in found
        )


def test_refuses_to_copy(made, fails, tmp_path, monkeypatch):
    root, _ = made
    copy = "index", "copy", at(root)
    assert "either a file or --to" in fails(*copy)
    assert "either a file or --to" in fails(*copy, "a", "--to=b")
    assert "near to it: duckdb" in fails(*copy, "--to=duckbd:a")
    assert "A store must be" in fails(*copy, "duckbd:a")
    monkeypatch.setitem(sys.modules, "duckdb", None)
    to = f"--to=duckdb:{tmp_path / 'a'}"
    assert "pip install 'hashnet_tf[duckdb]'" in fails(*copy, to)


def test_copies_into_a_file(made, hashnet, tmp_path, monkeypatch):
    root, _ = made
    monkeypatch.chdir(tmp_path)
    for words in (["a.index"], ["--to=b.index"], ["./duckdb:c"]):
        ended = hashnet("index", "copy", at(root), *words)
        assert ended.code == 0, ended
    for name in ("a.index", "b.index", "duckdb:c"):
        with hn.Index.open(tmp_path / name) as index:
            assert len(index) == 30
