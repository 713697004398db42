import json
import re

import numpy as np
import pytest

from hashnet_tf.datasets.pixels.undecodable import find_undecodable
from hashnet_tf.datasets.sources import coco
from hashnet_tf.datasets.sources.coco import read_coco


@pytest.fixture
def root(stand_ins, tmp_path):
    return stand_ins.write_coco(tmp_path / "root")


def instances(root, part):
    return root / "annotations" / f"instances_{part}.json"


def edit(root, change, part="train2014"):
    """Changes what a part's JSON holds."""
    content = json.loads(instances(root, part).read_text())
    change(content)
    instances(root, part).write_text(json.dumps(content))


def test_labels_are_the_categories_shown(stand_ins, coco_folder):
    pool = read_coco(str(coco_folder))
    names = list(stand_ins.COCO.values())
    assert pool.class_names == names and len(names) == 80
    assert pool.images.labels.shape == (30, 80) and pool.notes == ()
    for name, row in zip(pool.images.names, pool.images.labels, strict=True):
        shown = stand_ins.coco_categories(int(name[-16:-4]))
        assert {names[k] for k in np.flatnonzero(row)} == {
            stand_ins.COCO[category] for category in shown
        }
    assert pool.images.unlabelled.sum() == 6
    assert pool.images.names == sorted(pool.images.names)
    assert pool.in_test.tolist() == [
        name.startswith("val2014/") for name in pool.images.names
    ]
    assert find_undecodable(pool.images) == []


def test_the_order_in_the_file_counts_for_nothing(root):
    before = read_coco(str(root))

    def turn(content):
        for rows in ("images", "annotations", "categories"):
            content[rows].reverse()

    edit(root, turn)
    after = read_coco(str(root))
    assert after.images.names == before.images.names
    assert after.class_names == before.class_names
    assert (after.images.labels == before.images.labels).all()


def test_missing_images_are_left_out_and_counted(root):
    whole = read_coco(str(root))
    gone = [whole.images.names[i] for i in (0, 7, 29)]
    for name in gone:
        (root / name).unlink()
    # Beside the list nothing counts.
    (root / "val2014" / "COCO_val2014_000000999999.jpg").write_bytes(b"")
    pool = read_coco(str(root))
    assert pool.notes == ("3 of 30 listed images are missing",)
    kept = [name not in gone for name in whole.images.names]
    assert pool.images.names == np.array(whole.images.names)[kept].tolist()
    assert (pool.images.labels == whole.images.labels[kept]).all()
    assert (pool.in_test == whole.in_test[kept]).all()


def test_outlines_are_let_go_while_they_are_read(coco_folder):
    content = coco._json(instances(coco_folder, "train2014"))
    assert content["annotations"]
    assert not any("segmentation" in row for row in content["annotations"])


def test_refuses_all_images_missing(root):
    for path in root.rglob("*.jpg"):
        path.unlink()
    with pytest.raises(ValueError, match=f"of the 30 .* Received: no {root}"):
        read_coco(str(root))


def test_refuses_what_is_no_folder(tmp_path):
    message = "coco needs .* Received: no folder '.*gone'$"
    with pytest.raises(ValueError, match=message):
        read_coco(str(tmp_path / "gone"))


@pytest.mark.parametrize(
    "path, received",
    [
        (
            "annotations/instances_train2014.json",
            "no file 'ROOT/annotations/instances_train2014.json'",
        ),
        (
            "annotations/instances_val2014.json",
            "no file 'ROOT/annotations/instances_val2014.json'",
        ),
        ("val2014", "no folder 'ROOT/val2014'"),
    ],
)
def test_says_what_is_missing(root, path, received):
    (root / path).rename(root / "elsewhere")
    message = f"coco needs .* Received: {received.replace('ROOT', str(root))}$"
    with pytest.raises(ValueError, match=message):
        read_coco(str(root))


@pytest.mark.parametrize(
    "content, message",
    [
        (b'{"images": [],\n"annotations": [}', ":2: must be JSON. Received: "),
        (b"", ":1: must be JSON. Received: "),
        (b'{"info": "\xe9"}', ": must be UTF-8. Received: "),
        (b"[]", ": instances need categories .* Received: "),
        (b"{}", r": instances need .* Received: KeyError\('categories'\)$"),
        (
            b'{"categories": [{"id": 1, "name": "a"}], "images": [],'
            b' "annotations": [{"id": 1, "image_id": 1}]}',
            r": instances need .* Received: KeyError\('category_id'\)$",
        ),
    ],
)
def test_names_the_damaged_file(root, content, message):
    file = instances(root, "val2014")
    file.write_bytes(content)
    with pytest.raises(ValueError, match=f"{file}{message}"):
        read_coco(str(root))


@pytest.mark.parametrize(
    "key, value", [("image_id", 99999), ("category_id", 12)]
)
def test_names_the_annotation_of_what_is_not_listed(root, key, value):
    edit(root, lambda content: content["annotations"][3].update({key: value}))
    message = (
        f"{instances(root, 'train2014')}: annotation 900100000003 .* Received:"
        f".* {key}={value}"
    )
    with pytest.raises(ValueError, match=message):
        read_coco(str(root))


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["categories"].append({"id": 91, "name": "a"}),
        lambda content: content["categories"][0].update(name="man"),
    ],
)
def test_refuses_parts_of_other_categories(root, change):
    edit(root, change, "val2014")
    message = re.escape(str(instances(root, "val2014")))
    with pytest.raises(ValueError, match=f"the same. Received: .*{message}$"):
        read_coco(str(root))
