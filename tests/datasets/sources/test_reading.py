import re
import sys

import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf.datasets.sources import SOURCES, Pool, Source, source_words
from hashnet_tf.datasets.sources.reading import check_place, placed

LAYOUTS = ["coco", "folder", "idx", "ilsvrc", "mirflickr", "nus_wide"]


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_reads_its_stand_in(name, request):
    folder = request.getfixturevalue(f"{name}_folder")
    pool = SOURCES[name].read(str(folder))
    assert isinstance(pool, Pool)
    assert pool.in_test is None or len(pool.in_test) == len(pool.images)
    again = SOURCES[name].read(str(folder)).images
    assert again.names == pool.images.names
    assert again.fingerprint() == pool.images.fingerprint()


def test_what_is_no_word_of_data_is_a_layout_of_a_protocol():
    layouts = {p.origin.layout for p in hn.datasets.protocols().values()}
    assert layouts <= set(LAYOUTS)
    for name, source in SOURCES.items():
        assert name == source.name
        assert source.is_word or name in layouts
        if not source.is_word and name not in hn.datasets.protocols():
            with pytest.raises(ValueError, match="`data` must be digits, "):
                hn.datasets.load(f"{name}:DIR")


TOY = """
import numpy as np
from hashnet_tf.datasets import ArrayImages
from hashnet_tf.datasets.sources import Pool

def read_stripes(place):
    images = np.zeros((60, 8, 8, 3), np.uint8)
    images[::2, :, ::2] = int(place)
    return Pool(ArrayImages(images, np.arange(60) % 2), None, ["up", "flat"])
"""


def test_a_new_source_is_a_file_and_a_line(tmp_path, monkeypatch):
    (tmp_path / "stripes.py").write_text(TOY)
    monkeypatch.syspath_prepend(tmp_path)
    source = Source("stripes", "GREY", "stripes", "stripes:read_stripes")
    monkeypatch.setitem(SOURCES, "stripes", source)
    try:
        dataset = hn.datasets.load("stripes:7", query_per_class=5)
    finally:
        sys.modules.pop("stripes", None)
    assert dataset.class_names == ["up", "flat"]
    assert np.bincount(dataset.query.labels).tolist() == [5, 5]
    assert "stripes:GREY" in source_words()
    with pytest.raises(ValueError, match="stripes:GREY"):
        hn.datasets.load("other")


def test_a_place_that_may_not_be_looked_at_is_told(tmp_path):
    place = tmp_path / "round" / "x"
    (tmp_path / "round").symlink_to("round")
    told = f"Received: folder:{place} (Too many levels of symbolic links)"
    for refuse in (check_place, hn.datasets.load):
        with pytest.raises(ValueError, match=re.escape(told)):
            refuse(f"folder:{place}")


@pytest.mark.parametrize(
    "data, full",
    [
        ("digits", "digits"),
        ("tfds:mnist", "tfds:mnist"),
        ("cifar10-54k", "cifar10-54k"),
        ("cifar10-54k:a/../b", "cifar10-54k:HERE/b"),
        ("folder:b c", "folder:HERE/b c"),
        ("npz:a:b", "npz:HERE/a:b"),
        ("lists:/there", "lists:/there"),
        ("folder:", "folder:"),
        ("nothing:x", "nothing:x"),
    ],
)
def test_a_place_in_full(data, full, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # A folder of the name of a set of TFDS is none of its places.
    (tmp_path / "mnist").mkdir()
    assert placed(data) == full.replace("HERE", str(tmp_path))


def test_another_place():
    assert placed("folder:cats", "/new") == "folder:/new"
    assert placed("coco-lists:cats", "/new") == "coco-lists:/new"
    for data in ("digits", "tfds:mnist", "cifar10-54k"):
        with pytest.raises(ValueError, match=f"data='{data}', '/new'"):
            placed(data, "/new")
