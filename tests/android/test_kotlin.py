"""The Kotlin of android/, compiled against stubs, on the Java machine."""

import json
import os
import pathlib
import shutil
import struct
import subprocess

import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn

pytestmark = pytest.mark.slow

HERE = pathlib.Path(__file__).parent
# Where `make android` has put the compiler and Android's JSON.
TOOLS = os.environ.get("HASHNET_TF_KOTLIN")
COMPILER = "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler"


@pytest.fixture(scope="module")
def kotlin(android, tmp_path_factory):
    """Runs a job of KotlinJobs.kt; everything is compiled, warnings fail."""
    if not TOOLS:
        pytest.skip("`make android` fetches the compiler: no HASHNET_TF_KOTLIN")
    tools = pathlib.Path(TOOLS)
    parts = tools / "node_modules/kotlin-compiler/lib"
    (android_json,) = tools.glob("usr/share/java/com.android.json.jar")
    library = parts / "kotlin-stdlib.jar"
    folder = tmp_path_factory.mktemp("kotlin")
    java, stubs, classes = (folder / n for n in ("java", "stubs", "classes"))
    sources = sorted((android / "hamming").rglob("*.java"))
    subprocess.run(["javac", "-d", java, *sources], check=True)

    def compiled(out, *sources, needs=()):
        path = os.pathsep.join(map(str, [library, android_json, java, *needs]))
        ended = subprocess.run(
            ["java", "-cp", f"{parts}/*", COMPILER, "-Werror"]
            + ["-no-stdlib", "-no-reflect", "-jvm-target", "17"]
            + ["-cp", path, "-d", out, *sources],
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, ended.stderr
        return f"{path}{os.pathsep}{out}"

    compiled(stubs, android / "stubs")
    kotlin_sources = [android / "hashnet/src", android / "sample/src"]
    path = compiled(
        classes, *kotlin_sources, HERE / "KotlinJobs.kt", needs=[stubs]
    )
    machine = subprocess.Popen(
        ["java", "-cp", path, "KotlinJobsKt"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )

    def answer(*words):
        print(*words, sep="\t", file=machine.stdin, flush=True)
        return machine.stdout.readline().rstrip("\n")

    yield answer
    machine.stdin.close()
    machine.stdout.close()
    machine.wait()


def test_an_index_finds_what_python_finds(kotlin, code_set_folder, tmp_path):
    code_set = hn.runs.CodeSet.load(code_set_folder)
    queries, out = tmp_path / "queries", tmp_path / "found"
    asked = code_set.codes[::7]
    queries.write_text("".join(f"{bytes(q).hex()}\n" for q in asked))
    assert kotlin("search", code_set_folder, queries, 12, out) == "done"
    told, *found = out.read_text("utf-8").split("\n")
    assert told == f"{len(code_set.codes)} 12 {code_set.model_digest}"
    distances, rows = hn.retrieval.search(asked, code_set.codes, 12)
    assert found == [
        "\t".join(
            f"{distance} {code_set.ids[row]}"
            for distance, row in zip(*pair, strict=True)
        )
        for pair in zip(distances, rows, strict=True)
    ]


@pytest.mark.parametrize(
    "change, message",
    [
        ({"bit_order": "little"}, "highest place. Received: bit_order=little"),
        ({"decoder": 1}, "encode it again. Received: decoder=1"),
        # Of 12 bits there are ones behind the ninth.
        ({"bits": 9}, "last bit. Received: ones in row"),
        ({"ids": ["one"]}, "Received: 1 ids of 70 codes"),
        ({"bits": None}, "whole JSON"),
    ],
)
def test_another_code_set_is_refused(
    change, message, kotlin, code_set_folder, tmp_path
):
    folder = tmp_path / "set"
    shutil.copytree(code_set_folder, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    if "ids" in change:
        (folder / "ids.json").write_text(json.dumps(change["ids"]))
    else:
        manifest.update(change)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "queries").write_text("0000\n")
    answer = kotlin("search", folder, tmp_path / "queries", 1, tmp_path / "out")
    assert answer.startswith("IOException: ") and message in answer


def decoded(kotlin, path):
    out = path.with_suffix(".rgb")
    assert kotlin("decode", path, out) == "done"
    content = out.read_bytes()
    height, width = struct.unpack(">ii", content[:8])
    return np.frombuffer(content[8:], np.uint8).reshape(height, width, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_pictures_are_decoded_and_turned(mode, orientation, kotlin, tmp_path):
    rng = np.random.default_rng(orientation)
    pixels = rng.integers(0, 256, (5, 9, 4), np.uint8)
    if mode == "RGBA":
        # Colours that nobody sees count.
        pixels[::2, :, 3] = 0
    shown = {"RGB": pixels[..., :3], "RGBA": pixels, "L": pixels[..., 0]}
    path = tmp_path / "p.png"
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(shown[mode]).save(path, exif=exif)
    images = hn.datasets.FileImages(tmp_path, ["p.png"], None)
    found = decoded(kotlin, path)
    size = found.shape[:2]
    assert size == ((5, 9) if orientation < 5 else (9, 5))
    (expected,) = hn.datasets.pixel_array(images, size)
    np.testing.assert_array_equal(found, expected)


def test_what_is_no_picture_is_refused(kotlin, tmp_path):
    path = tmp_path / "p.png"
    assert "There must be a file" in kotlin("decode", path, tmp_path / "out")
    path.write_text("nothing")
    assert "must be a picture" in kotlin("decode", path, tmp_path / "out")
