import numpy as np
import pytest

from hashnet_tf.datasets.pixels.undecodable import find_undecodable
from hashnet_tf.datasets.sources.mirflickr import read_mirflickr


@pytest.fixture
def root(stand_ins, tmp_path):
    return stand_ins.write_mirflickr(tmp_path / "root")


def test_labels_are_the_concepts_shown(stand_ins, mirflickr_folder):
    pool = read_mirflickr(str(mirflickr_folder))
    concepts = stand_ins.MIRFLICKR
    relevant = [f"{name}_r1" for name in stand_ins.MIRFLICKR_RELEVANT]
    assert pool.class_names == sorted(concepts + relevant)
    assert len(pool.class_names) == 38
    assert pool.in_test is None and pool.notes == ()
    assert pool.images.names == [f"im{number}.jpg" for number in range(1, 41)]
    for number, row in enumerate(pool.images.labels, start=1):
        shown = stand_ins.mirflickr_concepts(number)
        expected = shown | {
            name
            for name in relevant
            if number % 2 and name.removesuffix("_r1") in shown
        }
        assert {pool.class_names[k] for k in np.flatnonzero(row)} == expected
    assert np.flatnonzero(pool.images.unlabelled).tolist() == [9, 19, 29, 39]
    assert find_undecodable(pool.images) == []


@pytest.mark.parametrize("images", ["images", ""])
@pytest.mark.parametrize("annotations", ["annotations", ""])
def test_other_places(root, images, annotations):
    whole = read_mirflickr(str(root))
    for old, new in (
        ("mirflickr", images),
        ("mirflickr25k_annotations_v080", annotations),
    ):
        (root / new).mkdir(exist_ok=True)
        for path in (root / old).iterdir():
            path.rename(root / new / path.name)
        (root / old).rmdir()
    pool = read_mirflickr(str(root))
    assert pool.images.root == root / images
    assert pool.images.names == whole.images.names
    assert (pool.images.labels == whole.images.labels).all()


def test_missing_images_are_left_out_and_counted(root):
    whole = read_mirflickr(str(root))
    # Image 20 is not annotated: nothing says that it should be there.
    for number in (7, 20, 31):
        (root / "mirflickr" / f"im{number}.jpg").unlink()
    for name in ("im0.jpg", "im07.jpg", "image8.jpg"):
        (root / "mirflickr" / name).write_bytes(b"")
    pool = read_mirflickr(str(root))
    assert pool.notes == ("2 of 36 listed images are missing",)
    kept = np.delete(np.arange(40), [6, 19, 30])
    assert pool.images.names == [f"im{i + 1}.jpg" for i in kept]
    assert (pool.images.labels == whole.images.labels[kept]).all()


def test_refuses_images_that_no_annotation_names(root):
    for number in range(1, 41):
        if number % 10:
            (root / "mirflickr" / f"im{number}.jpg").unlink()
    with pytest.raises(ValueError, match="of the 36 listed .* Received: no "):
        read_mirflickr(str(root))


@pytest.mark.parametrize(
    "path, received",
    [
        ("", "no folder 'ROOT'"),
        ("mirflickr", "none of ROOT/mirflickr, ROOT/images, ROOT with it"),
        (
            "mirflickr25k_annotations_v080",
            "none of ROOT/annotations, ROOT/mirflickr25k_annotations_v080,"
            " ROOT with it",
        ),
        (
            "mirflickr25k_annotations_v080/tree_r1.txt",
            "no file 'ROOT/mirflickr25k_annotations_v080/tree_r1.txt'",
        ),
    ],
)
def test_says_what_is_missing(root, path, received):
    (root / path).rename(root.with_name("elsewhere"))
    received = received.replace("ROOT", str(root))
    with pytest.raises(
        ValueError, match=f"mirflickr needs .* Received: {received}$"
    ):
        read_mirflickr(str(root))


@pytest.mark.parametrize("wrong", ["im3.jpg", "-4", "3 4", "1.5"])
def test_names_the_line_that_is_no_number(root, wrong):
    file = root / "mirflickr25k_annotations_v080" / "sea.txt"
    file.write_bytes(b"3\r\n\r\n" + wrong.encode() + b"\r\n5\r\n")
    with pytest.raises(ValueError, match=f"{file}:3: .*Received: b'{wrong}'$"):
        read_mirflickr(str(root))


def test_accounts_for_all_that_it_met(root):
    for name in ("im41.jpeg", "photo.jpg", "notes.txt"):
        (root / "mirflickr" / name).touch()
    account = read_mirflickr(str(root)).account
    assert account.used == 40
    assert account.passed_over == {
        ".txt": 1,
        "doc/": 1,
        "images of other names": 2,
    }
