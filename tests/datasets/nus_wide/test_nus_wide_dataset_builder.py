import logging
import subprocess
import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds

import hashnet_tf as hn
from hashnet_tf.datasets.layouts import LAYOUTS
from hashnet_tf.datasets.nus_wide import Builder
from hashnet_tf.datasets.tfds import read_tfds
from hashnet_tf.datasets.tfds_unprepared import how_to_prepare


@pytest.fixture
def prepare(tmp_path, monkeypatch):
    """Function that prepares a folder in a new data folder of TFDS."""
    from tensorflow_datasets.core import constants

    monkeypatch.setattr(constants, "DATA_DIR", str(tmp_path))

    def prepare(folder):
        Builder().download_and_prepare(
            download_config=tfds.download.DownloadConfig(manual_dir=folder)
        )

    return prepare


def test_is_not_there_before_it_is_prepared(prepare, no_network):
    with pytest.raises(ValueError) as error:
        hn.datasets.load("tfds:nus_wide")
    text = str(error.value)
    assert how_to_prepare("nus_wide") in text
    assert text.endswith("Received: tfds:nus_wide")


def test_loads_what_the_folder_holds(prepare, nus_wide_folder, caplog):
    with caplog.at_level(logging.WARNING):
        prepare(nus_wide_folder)
    assert "nus_wide: 3 of 40 listed images are missing" in caplog.text
    pool = read_tfds("nus_wide")
    direct = LAYOUTS["nus_wide"](str(nus_wide_folder))
    assert pool.class_names == direct.class_names and pool.in_test is None
    assert len(pool.images) == len(direct.images) == 37
    assert (pool.images.labels == direct.images.labels).all()
    for (i, ours), (j, theirs) in zip(
        pool.images.encoded(), direct.images.encoded(), strict=True
    ):
        # The files as they lie, in the same order.
        assert i == j and ours == theirs


def test_keeps_the_names_of_the_files(prepare, nus_wide_folder):
    prepare(nus_wide_folder)
    rows = tfds.load("nus_wide", split="train", shuffle_files=False)
    direct = LAYOUTS["nus_wide"](str(nus_wide_folder)).images
    names = [row["image/filename"].numpy().decode() for row in rows]
    assert names == direct.names
    for row, labels in zip(rows, direct.labels, strict=True):
        assert row["labels"].numpy().tolist() == np.flatnonzero(labels).tolist()


def test_says_what_to_place_where(prepare, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(AssertionError, match="manual_dir/ImageList/Imagelist"):
        prepare(tmp_path / "empty")
    (tmp_path / "empty" / "Flickr").mkdir()
    with pytest.raises(ValueError, match="nus_wide needs .* Received: none of"):
        prepare(tmp_path / "empty")


def test_describes_itself(tmp_path):
    info = Builder(data_dir=tmp_path).info
    assert info.name == Builder.name == "nus_wide"
    assert info.homepage in info.as_proto.redistribution_info.license
    assert info.homepage in Builder.MANUAL_DOWNLOAD_INSTRUCTIONS
    assert "ACM International Conference" in info.citation


def test_the_line_of_the_message_runs(tmp_path, nus_wide_folder):
    line = how_to_prepare("nus_wide").rsplit('python -c "')[-1].split('"')[0]
    environment = {
        "PATH": "",
        "HOME": str(tmp_path),
        "TFDS_DATA_DIR": str(tmp_path),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    manual = tmp_path / "downloads" / "manual"
    manual.parent.mkdir()
    manual.symlink_to(nus_wide_folder)
    subprocess.run(
        [sys.executable, "-c", line], check=True, env=environment, cwd=tmp_path
    )
    assert (tmp_path / "nus_wide" / "1.0.0" / "dataset_info.json").is_file()
