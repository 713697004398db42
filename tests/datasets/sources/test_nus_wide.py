import numpy as np
import pytest

from hashnet_tf.datasets.pixels.undecodable import find_undecodable
from hashnet_tf.datasets.sources.nus_wide import read_nus_wide


@pytest.fixture
def root(stand_ins, tmp_path):
    return stand_ins.write_nus_wide(tmp_path / "root")


def labels_of(root, concept):
    return root / "Groundtruth" / "AllLabels" / f"Labels_{concept}.txt"


def rows_of(pool):
    """Line on which each image is listed, from 0."""
    return [int(name.split("/")[1][:4]) - 1 for name in pool.images.names]


def test_labels_are_those_of_the_listed_line(stand_ins, nus_wide_folder):
    pool = read_nus_wide(str(nus_wide_folder))
    assert pool.class_names == stand_ins.NUS_WIDE
    assert pool.class_names == sorted(pool.class_names)
    assert pool.in_test is None
    missing = stand_ins.NUS_WIDE_MISSING
    assert rows_of(pool) == [i for i in range(40) if i not in missing]
    assert pool.notes == ("3 of 40 listed images are missing",)
    assert pool.images.labels.shape == (37, 81)
    for i, row in zip(rows_of(pool), pool.images.labels, strict=True):
        assert set(np.flatnonzero(row)) == stand_ins.nus_wide_columns(i)
    # Each ninth of 40, of which none is missing.
    assert pool.images.unlabelled.sum() == 5
    assert find_undecodable(pool.images) == []


def test_other_places_and_line_ends(root):
    whole = read_nus_wide(str(root))
    (root / "Flickr").rename(root / "images")
    concepts = root / "ConceptsList" / "Concepts81.txt"
    concepts.rename(root / "Concepts81.txt")
    for file in root.rglob("*.txt"):
        file.write_bytes(file.read_bytes().replace(b"\r\n", b"\n").strip())
    listed = root / "ImageList" / "Imagelist.txt"
    listed.write_bytes(listed.read_bytes().replace(b"\\", b"/"))
    pool = read_nus_wide(str(root))
    assert pool.images.names == whole.images.names
    assert (pool.images.labels == whole.images.labels).all()
    assert pool.images.root == root / "images"
    assert pool.class_names == whole.class_names


def test_nothing_missing_is_no_note(root, stand_ins):
    lines = (root / "ImageList" / "Imagelist.txt").read_text().split()
    for i in stand_ins.NUS_WIDE_MISSING:
        path = root / "Flickr" / lines[i].replace("\\", "/")
        path.write_bytes(b"")
    pool = read_nus_wide(str(root))
    assert rows_of(pool) == list(range(40)) and pool.notes == ()


def test_a_whole_topic_may_be_missing(root):
    for path in (root / "Flickr" / "actor").iterdir():
        path.unlink()
    (root / "Flickr" / "actor").rmdir()
    pool = read_nus_wide(str(root))
    assert not any(name.startswith("actor") for name in pool.images.names)
    # The 13 of the topic, and the 3 that are of others.
    assert pool.notes == ("16 of 40 listed images are missing",)


def test_refuses_all_images_missing(root):
    for path in root.rglob("*.jpg"):
        path.unlink()
    message = "of the 40 listed .* Received: no .*/Flickr/zebra/0001_.*jpg$"
    with pytest.raises(ValueError, match=message):
        read_nus_wide(str(root))


@pytest.mark.parametrize(
    "path, received",
    [
        ("", "no folder 'ROOT'"),
        ("ConceptsList", "none of ROOT/ConceptsList, ROOT with it"),
        ("ImageList", "no file 'ROOT/ImageList/Imagelist.txt'"),
        ("Flickr", "none of ROOT/Flickr, ROOT/images with it"),
        (
            "Groundtruth/AllLabels/Labels_zebra.txt",
            "no file 'ROOT/Groundtruth/AllLabels/Labels_zebra.txt'",
        ),
    ],
)
def test_says_what_is_missing(root, path, received):
    (root / path).rename(root.with_name("elsewhere"))
    received = received.replace("ROOT", str(root))
    with pytest.raises(
        ValueError, match=f"nus_wide needs .* Received: {received}$"
    ):
        read_nus_wide(str(root))


@pytest.mark.parametrize("lines", [80, 82])
def test_refuses_another_number_of_concepts(root, lines):
    file = root / "ConceptsList" / "Concepts81.txt"
    names = file.read_text().split()
    file.write_text("\n".join((names + ["zoo"])[:lines]))
    with pytest.raises(ValueError, match=f"{file}: 81 .* Received: {lines} "):
        read_nus_wide(str(root))
    file.write_text("\n".join(names[:80] + ["airport"]))
    with pytest.raises(ValueError, match="Received: 81 lines, 80 of them"):
        read_nus_wide(str(root))


@pytest.mark.parametrize("change", [lambda x: x[:-1], lambda x: x + ["0"]])
def test_refuses_files_of_other_lengths(root, change):
    file = labels_of(root, "sunset")
    lines = change(file.read_text().split())
    file.write_text("\n".join(lines))
    message = f"{file}: one line .* Received: {len(lines)}$"
    with pytest.raises(ValueError, match=message):
        read_nus_wide(str(root))


@pytest.mark.parametrize("wrong", ["2", "-1", "yes", "0 no"])
def test_names_the_line_that_is_no_label(root, wrong):
    file = labels_of(root, "fox")
    lines = file.read_text().split()
    lines[20] = wrong
    file.write_text("\n".join(lines))
    message = f"{file}:21: .* Received: b'{wrong}'$"
    with pytest.raises(ValueError, match=message):
        read_nus_wide(str(root))


def test_refuses_names_that_are_no_utf8(root):
    file = root / "ImageList" / "Imagelist.txt"
    file.write_bytes(file.read_bytes().replace(b"actor", b"caf\xe9", 1))
    with pytest.raises(ValueError, match=f"{file}: must be UTF-8. Received: "):
        read_nus_wide(str(root))
