import errno

import numpy as np
import pytest
from google.protobuf import text_format
from PIL import Image
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

from hashnet_tf.retrieval import pack, projector
from hashnet_tf.retrieval.projector import write_projector

SIGNS = np.random.default_rng(0).choice([-1, 1], size=(5, 11))
CODES = pack(SIGNS)
LABELS = np.array([3, -1, 0, 3, 12])
IMAGES = np.random.default_rng(1).integers(0, 256, (5, 4, 6, 3), np.uint8)
FILES = ["metadata.tsv", "projector_config.pbtxt", "tensors.tsv"]


def lines(path):
    text = path.read_bytes().decode()
    assert text.endswith("\n") and "\r" not in text
    return [line.split("\t") for line in text[:-1].split("\n")]


def config(folder):
    text = (folder / "projector_config.pbtxt").read_text()
    (embedding,) = text_format.Parse(text, ProjectorConfig()).embeddings
    return embedding


def test_writes_signs_labels_and_where_they_are(tmp_path):
    folder = tmp_path / "new" / "codes"
    assert write_projector(CODES, 11, LABELS, str(folder)) == folder
    assert sorted(path.name for path in folder.iterdir()) == FILES
    written = lines(folder / "tensors.tsv")
    assert written == [[f"{sign}" for sign in row] for row in SIGNS]
    assert lines(folder / "metadata.tsv") == [
        ["name", "label"],
        ["0", "3"],
        ["1", ""],
        ["2", "0"],
        ["3", "3"],
        ["4", "12"],
    ]
    embedding = config(folder)
    assert embedding.tensor_name == "codes"
    assert embedding.tensor_path == "tensors.tsv"
    assert embedding.metadata_path == "metadata.tsv"
    assert not embedding.HasField("sprite")


def test_names_and_labels_of_a_matrix(tmp_path):
    labels = [[0, 1, 1], [0, 0, 0], [1, 0, 0], [1, 1, 1], [0, 0, 1]]
    names = ["a b.png", "é", '"q"', "x,y", "5"]
    write_projector(CODES, 11, labels, tmp_path, names=names)
    assert lines(tmp_path / "metadata.tsv")[1:] == [
        ["a b.png", "1,2"],
        ["é", ""],
        ['"q"', "0"],
        ["x,y", "0,1,2"],
        ["5", "2"],
    ]


@pytest.mark.parametrize("n, rows, columns", [(5, 2, 3), (4, 2, 2), (1, 1, 1)])
def test_images_lie_row_by_row_in_one_grid(tmp_path, n, rows, columns):
    write_projector(CODES[:n], 11, LABELS[:n], tmp_path, images=IMAGES[:n])
    assert (tmp_path / "sprite.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    with Image.open(tmp_path / "sprite.png") as image:
        pixels = np.asarray(image)
    assert pixels.shape == (rows * 4, columns * 6, 3)
    for i in range(rows * columns):
        y, x = i // columns * 4, i % columns * 6
        expected = IMAGES[i] if i < n else np.full((4, 6, 3), 255)
        np.testing.assert_array_equal(pixels[y : y + 4, x : x + 6], expected)
    sprite = config(tmp_path).sprite
    assert sprite.image_path == "sprite.png"
    # Width before height.
    assert list(sprite.single_image_dim) == [6, 4]


def test_the_grid_may_be_as_large_as_it_is_taken(tmp_path):
    images = np.zeros((2, 4, 4096, 3), np.uint8)
    write_projector(CODES[:2], 11, LABELS[:2], tmp_path, images=images)
    with Image.open(tmp_path / "sprite.png") as image:
        assert image.size == (8192, 4)


def test_writes_again_and_leaves_other_files(tmp_path):
    (tmp_path / "events").write_text("mine")
    write_projector(CODES, 11, LABELS, tmp_path, images=IMAGES)
    write_projector(CODES[:2], 11, LABELS[:2], tmp_path)
    assert len(lines(tmp_path / "tensors.tsv")) == 2
    assert not config(tmp_path).HasField("sprite")
    assert (tmp_path / "events").read_text() == "mine"


def test_a_failed_write_leaves_what_was_there(tmp_path, monkeypatch):
    write_projector(CODES, 11, LABELS, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}

    def full(images):
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(projector, "_grid", full)
    with pytest.raises(OSError, match="no space"):
        write_projector(CODES[:2], 11, [5, 6], tmp_path, images=IMAGES[:2])
    assert {p: p.read_bytes() for p in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"codes": CODES[:0]}, r"codes.shape=\(0, 2\)"),
        ({"codes": SIGNS}, "codes.dtype=int64"),
        ({"bits": 17}, r"codes.shape=\(5, 2\)"),
        ({"labels": LABELS[:4]}, r"labels.shape=\(4,\)"),
        ({"labels": LABELS / 2}, "labels.dtype=float64"),
        ({"names": ["a"]}, "1 names"),
        ({"names": ["a", "b", "c\td", "e", "f"]}, r"name='c\\td'"),
        ({"names": ["a", "b", "c", "d", "e\n"]}, r"name='e\\n'"),
        ({"images": IMAGES[:4]}, "images.dtype=uint8"),
        ({"images": IMAGES / 255}, "images.dtype=float64"),
        ({"images": IMAGES[..., 0]}, "images.dtype=uint8"),
        ({"images": IMAGES[..., :1]}, "images.dtype=uint8"),
        ({"images": IMAGES[:, :0]}, "images.dtype=uint8"),
        ({"images": np.zeros((5, 1, 2731, 3), np.uint8)}, "a side of 8193"),
        ({"images": np.zeros((5, 4097, 1, 3), np.uint8)}, "a side of 8194"),
    ],
)
def test_refuses(tmp_path, wrong, message):
    arguments = {"codes": CODES, "bits": 11, "labels": LABELS, **wrong}
    with pytest.raises(ValueError, match=f"Received: .*{message}$"):
        write_projector(folder=tmp_path / "new", **arguments)
    assert not list(tmp_path.iterdir())
