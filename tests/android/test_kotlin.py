"""The Kotlin of android/, compiled against stubs, on the Java machine."""

import contextlib
import json
import shutil
import struct

import numpy as np
import pytest
import runtimes.kotlin
from PIL import Image
from sklearn.datasets import load_sample_images

import hashnet_tf as hn
from hashnet_tf._framings import FRAMINGS
from hashnet_tf.datasets.pixels.pillow import pixel_batches, small_jpeg
from hashnet_tf.export import web
from hashnet_tf.export.web_codes import SetCodes

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
            f"{distance} {code_set.ids[row]} null"
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


@pytest.fixture(scope="module")
def encoders(models, tmp_path_factory):
    """Path of the LiteRT file of models["12"] for each framing."""
    folder = tmp_path_factory.mktemp("framed")
    paths = {}
    for framing in FRAMINGS:
        model = hn.HashNet(models["12"].backbone, 12, framing=framing)
        model.hash_layer.set_weights(models["12"].hash_layer.get_weights())
        path = folder / f"{framing}.tflite"
        paths[framing] = hn.export.to_litert(model, path)
    return paths


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Paths of PNGs of odd sizes, noise and photographs, some turned."""
    rng = np.random.default_rng(0)
    shapes = (1, 1), (5, 401), (17, 20), (18, 23), (131, 97)
    shown = [rng.integers(0, 256, (*shape, 3), np.uint8) for shape in shapes]
    for photo in load_sample_images().images:
        shown += [photo, photo[3:402, 11:310], photo[:, 200:277]]
    folder, paths = tmp_path_factory.mktemp("pictures"), []
    for number, pixels in enumerate(shown):
        exif = Image.Exif()
        exif[0x0112] = 1 + 5 * (number % 2)
        paths.append(folder / f"{number}.png")
        Image.fromarray(pixels).save(paths[-1], exif=exif)
    return paths


@pytest.mark.parametrize("framing", FRAMINGS)
def test_an_encoder_gives_the_bits_of_python(
    framing, kotlin, encoders, pictures, tmp_path
):
    encoder = hn.export.LiteRTEncoder(encoders[framing])
    out = tmp_path / "out"
    assert kotlin("encode", encoders[framing], out, *pictures) == "done"
    told = out.read_bytes()
    length = struct.unpack(">H", told[:2])[0] + 2
    assert told[2:length].decode() == f"16 20 {framing} {encoder.model_digest}"
    found = np.frombuffer(told, np.uint8, offset=length)
    found = found.reshape(len(pictures), -1)
    # Every pixel and every bit.
    pixels = np.concatenate(list(pixel_batches(pictures, (16, 20), framing)))
    np.testing.assert_array_equal(
        found[:, :-2], pixels.reshape(len(pictures), -1)
    )
    codes = encoder.encode_files(pictures)
    np.testing.assert_array_equal(found[:, -2:], codes)
    assert len(np.unique(codes, axis=0)) > 3


def test_framings_give_other_bits(encoders, pictures):
    codes = [
        hn.export.LiteRTEncoder(path).encode_files(pictures)
        for path in encoders.values()
    ]
    for place in range(len(codes)):
        assert (codes[place] != codes[place - 1]).any()


def test_a_quantised_encoder_tells_its_own_digest(
    kotlin, models, pictures, tmp_path
):
    path = hn.export.to_litert(models["12"], tmp_path / "f.tflite", "float16")
    encoder, out = hn.export.LiteRTEncoder(path), tmp_path / "out"
    assert kotlin("encode", path, out, pictures[0]) == "done"
    digest = encoder.model_digest.encode()
    assert digest != hn.runs.KerasEncoder(models["12"]).model_digest.encode()
    assert digest in out.read_bytes()


@pytest.mark.parametrize(
    "old, new, message",
    [
        (
            b'"framing": "whole"',
            b'"framing": "blurs"',
            "`framing` must be one of [whole, paper, modern]."
            " Received: framing=blurs",
        ),
        (
            b"hashnet.json",
            b"hashnot.json",
            "must hold metadata hashnet.json. Received: none",
        ),
        (b'{"bits": ', b'["bits": ', "must tell of itself in whole JSON."),
        (b"TFL3", b"TFL2", "must have TFL3 in its head."),
        (b"images", b"photos", "must turn images into codes and signs."),
    ],
)
def test_another_file_is_refused(
    old, new, message, kotlin, encoders, pictures, tmp_path
):
    content = encoders["whole"].read_bytes()
    assert old in content
    (path := tmp_path / "e.tflite").write_bytes(content.replace(old, new))
    answer = kotlin("encode", path, tmp_path / "out", pictures[0])
    assert answer.startswith("IllegalArgumentException: ") and message in answer


def test_what_is_found_has_thumbnails(kotlin, models, pictures, tmp_path):
    folder = pictures[0].parent
    code_set = hn.runs.encode_folder(models["12"], folder, tmp_path / "set")
    small = tmp_path / "set" / "thumbnails"
    web._write_thumbnails(small, SetCodes(code_set))
    queries, out = tmp_path / "queries", tmp_path / "found"
    queries.write_text(f"{bytes(code_set.codes[7]).hex()}\n")
    asked = "search", tmp_path / "set", queries, len(pictures), out
    assert kotlin(*asked) == "done"
    _, found = out.read_text("utf-8").split("\n")
    hits = [hit.split(" ") for hit in found.split("\t")]
    assert sorted(name for _, name, _ in hits) == sorted(code_set.ids)
    for _, name, thumbnail in hits:
        shown = (tmp_path / thumbnail).read_bytes()
        assert shown == small_jpeg(folder / name, web.SIDE)
    # One that is missing, or that is of another code set.
    (small / "3.jpg").unlink()
    assert kotlin(*asked) == (
        "IOException: There must be a thumbnail for each code."
        " Received: 10 of 11 codes"
    )
