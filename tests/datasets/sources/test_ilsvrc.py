import re
import shutil

import numpy as np
import pytest

from hashnet_tf.datasets.pixels.undecodable import find_undecodable
from hashnet_tf.datasets.sources.ilsvrc import read_ilsvrc


@pytest.fixture
def tree(stand_ins, tmp_path):
    """Function that writes a stand-in of the tree it names."""
    return lambda tree="": stand_ins.write_ilsvrc(tmp_path / "root", tree)


def annotation(root, number):
    name = f"ILSVRC2012_val_{number:08}.xml"
    return root / "Annotations" / "CLS-LOC" / "val" / name


@pytest.mark.parametrize("kind", ["", ".", "ILSVRC"])
def test_every_tree_reads_as_it_was_written(tree, stand_ins, kind):
    root = tree(kind)
    pool = read_ilsvrc(str(root))
    classes = sorted(stand_ins.WNIDS)
    assert pool.class_names == classes and pool.notes == ()
    images = root / kind / "Data" / "CLS-LOC" if kind else root
    assert sorted(pool.images.names) == sorted(
        path.relative_to(images).as_posix() for path in images.rglob("*.JPEG")
    )
    assert pool.images.missing() == find_undecodable(pool.images) == []
    wnids = [classes[label] for label in pool.images.labels]
    for name, wnid, in_test in zip(
        pool.images.names, wnids, pool.in_test, strict=True
    ):
        assert in_test == name.startswith("val/")
        if in_test and kind:
            # The number was made from the class's place.
            number = int(name[-13:-5]) - 1
            assert 2 * stand_ins.WNIDS.index(wnid) % 5 == number % 5
        else:
            assert name.split("/")[1] == wnid
    assert np.bincount(pool.images.labels).tolist() == [11] * 5
    again = read_ilsvrc(str(root)).images
    assert again.names == pool.images.names
    assert again.labels.tolist() == pool.images.labels.tolist()


def test_no_image_is_opened(tree):
    root = tree(".")
    for path in root.rglob("*.JPEG"):
        path.write_bytes(b"")
    assert len(read_ilsvrc(str(root)).images) == 55


@pytest.mark.parametrize("kind", ["", "."])
def test_some_classes_alone(tree, stand_ins, kind):
    root = tree(kind)
    images = root / kind / "Data" / "CLS-LOC" if kind else root
    for wnid in stand_ins.WNIDS[:2]:
        shutil.rmtree(images / "train" / wnid)
    if not kind:
        shutil.rmtree(images / "val" / stand_ins.WNIDS[2])
    pool = read_ilsvrc(str(root))
    assert pool.class_names == sorted(stand_ins.WNIDS[2:])
    left_out = "are of classes without training images and left out"
    if kind:
        assert pool.notes == (f"6 of 15 validation images {left_out}",)
        assert pool.in_test.sum() == 9
    else:
        assert pool.notes == (
            f"6 of 12 validation images {left_out}",
            "1 of 3 classes have no validation images",
        )
        assert pool.in_test.sum() == 6
    assert (~pool.in_test).sum() == 24


def test_hidden_entries_are_left_alone(tree, stand_ins):
    root = tree()
    folder = root / "train" / stand_ins.WNIDS[0]
    (folder / "._1.JPEG").write_bytes(b"\0\5\26\7")
    (folder / "notes.txt").write_bytes(b"")
    (root / "train" / ".cache").mkdir()
    assert len(read_ilsvrc(str(root)).images) == 55


def without(*names):
    def change(root):
        for name in names:
            shutil.rmtree(root / name)

    return change


def emptied(name):
    def change(root):
        shutil.rmtree(root / name, ignore_errors=True)
        (root / name).mkdir()

    return change


@pytest.mark.parametrize(
    "kind, change, received",
    [
        ("", lambda root: root.rename(root.with_name("x")), "no folder 'ROOT'"),
        ("", without("train"), "none of ROOT, ROOT/Data/CLS-LOC, "),
        ("", without("val"), "no folder 'ROOT/val'"),
        ("", emptied("train"), "ROOT/train with no WNID"),
        (
            "",
            emptied("train/n01440764"),
            "ROOT/train/n01440764 with no image",
        ),
        ("", emptied("val/n01440764"), "ROOT/val/n01440764 with no image"),
        ("", emptied("train/tench"), "ROOT/train/tench"),
        ("", emptied("val/tench"), "ROOT/val/tench"),
        ("", emptied("val"), "ROOT/val with no image of the 5 classes"),
        (
            "",
            lambda root: (root / "val" / "x.JPEG").write_bytes(b""),
            "ROOT/val with both, as n01440764 and x.JPEG",
        ),
        (
            ".",
            without("Annotations"),
            "no folder 'ROOT/Annotations/CLS-LOC/val'",
        ),
        (
            ".",
            lambda root: annotation(root, 1).unlink(),
            "no file 'ROOT/Annotations/CLS-LOC/val/ILSVRC2012_val_00000001.xml",
        ),
    ],
)
def test_says_what_is_missing(tree, kind, change, received):
    root = tree(kind)
    change(root)
    message = re.escape(received.replace("ROOT", str(root)))
    with pytest.raises(
        ValueError, match=f"ilsvrc needs .* Received: {message}"
    ):
        read_ilsvrc(str(root))


def test_refuses_no_place():
    with pytest.raises(ValueError, match="Received: no folder ''$"):
        read_ilsvrc("")


def test_names_the_damaged_annotation(tree, stand_ins):
    root = tree(".")
    file = annotation(root, 4)
    whole = file.read_text()
    file.write_text(whole.replace("</size>", "", 1))
    with pytest.raises(ValueError, match=rf"{file}:\d+: .* Received: "):
        read_ilsvrc(str(root))
    for wnids in ([], ["n01440764", "n01443537"]):
        file.write_text(stand_ins.ilsvrc_xml(file.stem, wnids))
        message = f"{file}: .* Received: {re.escape(repr(wnids))}$"
        with pytest.raises(ValueError, match=message):
            read_ilsvrc(str(root))
    file.write_text(whole)
    assert len(read_ilsvrc(str(root)).images) == 55


def test_accounts_for_all_that_it_met(tree, stand_ins):
    root = tree()
    wnid, stranger = sorted(stand_ins.WNIDS)[0], "n00000001"
    (root / "train" / "loose.JPEG").touch()
    (root / "train" / wnid / "notes.txt").touch()
    (root / "train" / wnid / "deep").mkdir()
    (root / "val" / ".DS_Store").touch()
    (root / "val" / stranger).mkdir()
    for name in ("a.JPEG", "b.JPEG"):
        (root / "val" / stranger / name).touch()
    account = read_ilsvrc(str(root)).account
    assert account.used == 55
    assert account.passed_over == {
        ".txt": 1,
        "deep/": 1,
        "images beside the class folders": 1,
        "hidden files": 1,
        "images of classes without training images": 2,
    }
