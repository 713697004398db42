"""The commands on images of 13 channels, one behind the other."""

import json

import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn

CHANNELS, SIZE, N = 13, 16, 160
RNG = np.random.default_rng(0)
LABELS = np.arange(N) % 4
# Of another size than the network's, so that they are framed; of each class
# another channel is light, which no mean over the channels would tell.
SCENES = RNG.integers(0, 90, (N, 20, 24, CHANNELS), dtype=np.uint8)
SCENES[np.arange(N), ..., 3 * LABELS] += 120


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("channels")
    np.savez(folder / "scenes.npz", images=SCENES, labels=LABELS)
    np.savez(folder / "asked.npz", images=SCENES[:2])
    Image.fromarray(SCENES[0, ..., :3]).save(folder / "photo.png")
    return folder


@pytest.fixture(scope="module")
def flags(folder):
    return [
        f"--data=npz:{folder / 'scenes.npz'}",
        "--backbone=small_cnn",
        f"--image_size={SIZE}",
        "--framing=modern",
        "--batch_size=32",
        "--epochs=5",
        "--bits=12",
        "--learning_rate=0.003",
    ]


@pytest.fixture(scope="module")
def trained(hashnet, flags, folder):
    """The run, and what training and measuring printed."""
    run, told = folder / "run", []
    for words in (
        ("train", f"--workdir={run}", *flags),
        ("evaluate", f"--workdir={run}", "--at=20"),
    ):
        ended = hashnet(*words)
        assert ended.code == 0, ended
        told.append(ended.out)
    return run, *told


@pytest.fixture(scope="module")
def exported(hashnet, trained):
    """What exporting printed."""
    run, *_ = trained
    ended = hashnet("export", f"--workdir={run}", "--serving=scenes")
    assert ended.code == 0, ended
    return ended.out


@pytest.fixture
def by(request, trained):
    """Flags of what encodes: the run, and perhaps an artefact of it."""
    run, *_ = trained
    words = [f"--workdir={run}"]
    if request.param != "run":
        request.getfixturevalue("exported")
        words.append(f"--model={run / 'export' / request.param}")
    return words


def test_it_is_trained_and_measured(trained):
    run, told, measured = trained
    assert "Note: images of 20 x 24 with 13 channels." in told
    opened = hn.runs.Run(run)
    assert opened.model.backbone.input_shape == (None, SIZE, SIZE, CHANNELS)
    # By chance a quarter.
    assert opened.report["retrieval"]["map"] > 0.6, measured
    # It has no looks.
    assert "queries.png" not in measured
    assert not (run / "figures" / "queries.png").exists()


@pytest.mark.slow
def test_no_bit_moves_in_what_is_exported(trained, exported):
    run, *_ = trained
    opened = hn.runs.Run(run)
    pixels = hn.datasets.pixel_array(
        opened.dataset.database, (SIZE, SIZE), "modern"
    )
    expected = opened.model.encode(pixels)
    np.testing.assert_array_equal(
        hn.runs.CodeSet.load(run / "codes" / "database").codes, expected
    )
    for name in ("saved_model/1", "encoder.tflite"):
        (line,) = [row for row in exported.splitlines() if row.startswith(name)]
        assert " 0 of " in line
        encoder = hn.export.load_encoder(run / "export" / name)
        assert encoder.image_size == (SIZE, SIZE)
        assert encoder.framing == "modern"
        np.testing.assert_array_equal(encoder.encode(pixels), expected)
    readme = (run / "export" / "serving" / "README.md").read_text()
    assert "| `images` | float32 | [n, 16, 16, 13] |" in readme
    assert "encode_bytes" not in readme
    extra = run / "export" / "saved_model" / "1" / "assets.extra"
    described = json.loads((extra / "hashnet.json").read_text())
    assert described["framing"] == "modern"
    assert "image_bytes" not in described


BY = pytest.mark.parametrize(
    "by",
    [
        "run",
        pytest.param("encoder.tflite", marks=pytest.mark.slow),
        pytest.param("saved_model/1", marks=pytest.mark.slow),
    ],
    indirect=True,
)


@BY
def test_a_file_is_encoded_and_asked(by, hashnet, folder, tmp_path):
    out = tmp_path / "codes"
    images = f"--images={folder / 'scenes.npz'}"
    ended = hashnet("encode", *by, images, f"--out={out}")
    assert ended.code == 0, ended
    codes = hn.runs.CodeSet.load(out)
    assert codes.labels.tolist() == LABELS.tolist()
    # As of a part of the run's own, whose items these are.
    ended = hashnet("encode", *by, "--part=query", f"--out={tmp_path / 'q'}")
    assert ended.code == 0, ended
    query = hn.runs.CodeSet.load(tmp_path / "q")
    places = [int(name) for name in query.ids]
    np.testing.assert_array_equal(query.codes, codes.codes[places])
    ended = hashnet(
        "search", folder / "asked.npz", *by, f"--codes={out}", "--k=3"
    )
    assert ended.code == 0, ended
    lines = ended.out.splitlines()
    assert lines[0] == "Query 0:" and lines[5] == "Query 1:"
    for first in (lines[2], lines[7]):
        assert first.split()[:2] == ["1", "0"]


@BY
def test_what_is_no_such_image_is_refused(by, fails, trained, folder, tmp_path):
    run, *_ = trained
    codes = f"--codes={run / 'codes' / 'database'}"
    for line in (
        fails("search", folder / "photo.png", *by, codes),
        fails("encode", *by, f"--images={folder}", f"--out={tmp_path / 'c'}"),
    ):
        assert "[n, 16, 16, 13]" in line
        assert line.endswith(".dtype=uint8, RGB as of every image file")
    assert not (tmp_path / "c").exists()


def test_what_cannot_be_drawn_is_refused(fails, trained, folder, tmp_path):
    run, *_ = trained
    line = fails(
        "search",
        folder / "asked.npz",
        f"--workdir={run}",
        f"--figure={tmp_path / 'a.png'}",
    )
    assert line.endswith("Received: images of 13 channels")


@pytest.mark.parametrize(
    "more, told",
    [
        (
            ["--backbone=MobileNetV2", "--weights=imagenet", "--image_size=96"],
            "The input must have 3 channels",
        ),
        (["--backbone=alexnet", "--image_size=67"], "of red, green and blue"),
    ],
)
def test_a_network_of_rgb_is_refused(more, told, fails, flags, tmp_path):
    line = fails("train", f"--workdir={tmp_path / 'run'}", *flags, *more)
    assert told in line
    assert f"Received: image_shape=({more[-1][-2:]}" in line
    assert not (tmp_path / "run").exists()


def test_signatures_of_rgb_are_refused(fails, trained):
    run, *_ = trained
    line = fails(
        "export",
        f"--workdir={run}",
        "--format=saved_model",
        "--image_dtype=float32",
    )
    assert line.endswith("Received: image_dtype='float32'")
