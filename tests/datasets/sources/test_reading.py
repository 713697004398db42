import sys

import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf.datasets.sources import SOURCES, Pool, Source, source_words

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
