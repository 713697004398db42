import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf.runs import open_images


@pytest.mark.parametrize("part", ["train", "query", "database"])
def test_a_part_of_a_data_set(part, config_of):
    source = config_of(seed=3).data_source()
    images = open_images({**source, "part": part})
    expected = getattr(hn.datasets.load(**source), part)
    assert images.names == expected.names
    np.testing.assert_array_equal(images.images, expected.images)


def test_a_folder_to_any_depth(make_folder, tmp_path):
    folder = make_folder()
    (folder / "a" / "note.txt").write_text("no image")
    source = {"folder": str(folder)}
    images = open_images(source)
    assert images.names == [f"{c}/{i:02}.png" for c in "abc" for i in range(12)]
    assert images.labels.tolist() == [-1] * 36
    assert images.unlabelled.all()
    assert source == {"folder": str(folder)}


def test_no_image_is_read(make_folder):
    folder = make_folder()
    (folder / "a" / "00.png").write_text("no image")
    assert len(open_images({"folder": folder})) == 36


def test_refuses(tmp_path):
    missing = tmp_path / "missing"
    with pytest.raises(ValueError, match=f"Received: {missing}$"):
        open_images({"folder": missing})
    (tmp_path / "note.txt").write_text("no image")
    with pytest.raises(ValueError, match=f"Received: {tmp_path} with none$"):
        open_images({"folder": tmp_path})
    with pytest.raises(ValueError, match="Received: data='other'$"):
        open_images({"data": "other", "part": "query"})
