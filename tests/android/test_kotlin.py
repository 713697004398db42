"""The Kotlin of android/, compiled against stubs, on the Java machine."""

import contextlib
import json
import shutil
import struct

import numpy as np
import pytest
import runtimes.kotlin
from PIL import Image

import hashnet_tf as hn

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def machine():
    """The Java machine with everything compiled, of which warnings fail."""
    with contextlib.ExitStack() as stack:
        try:
            opened = stack.enter_context(runtimes.kotlin.opened())
        except runtimes.Missing as error:
            pytest.skip(f"needs {error}")
        yield opened


@pytest.fixture
def kotlin(machine):
    """Runs a job of KotlinJobs.kt."""
    return machine.answer


def test_an_index_finds_what_python_finds(machine, code_set_folder):
    code_set = hn.runs.CodeSet.load(code_set_folder)
    asked = code_set.codes[::7]
    told, found = machine.search(code_set_folder, asked, 12)
    assert told == f"{len(code_set.codes)} 12 {code_set.model_digest}"
    distances, rows = hn.retrieval.search(asked, code_set.codes, 12)
    assert found == [
        [
            f"{distance} {code_set.ids[row]}"
            for distance, row in zip(*pair, strict=True)
        ]
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
