import numpy as np
import pytest

from hashnet_tf.retrieval import unpack, write_projector

CODES = np.array([[160, 128], [32, 0], [255, 128]], "uint8")


def test_files(tmp_path):
    names = ["a.jpg", "b\tc.jpg", "d.jpg"]
    path = write_projector(CODES, 9, [3, -1, 0], names, tmp_path / "logs")
    assert sorted(p.name for p in path.parent.iterdir()) == [
        "metadata.tsv",
        "projector_config.pbtxt",
        "tensors.tsv",
    ]
    signs = np.loadtxt(path.parent / "tensors.tsv", delimiter="\t")
    np.testing.assert_array_equal(signs, unpack(CODES, 9))
    metadata = (path.parent / "metadata.tsv").read_text()
    assert metadata == "name\tlabel\na.jpg\t3\nb c.jpg\t-1\nd.jpg\t0\n"


def test_tensorboard_reads_the_config(tmp_path):
    projector = pytest.importorskip("tensorboard.plugins.projector")
    text_format = pytest.importorskip("google.protobuf.text_format")
    path = write_projector(CODES, 9, [3, -1, 0], "abc", tmp_path)
    config = text_format.Parse(path.read_text(), projector.ProjectorConfig())
    (embedding,) = config.embeddings
    assert (tmp_path / embedding.tensor_path).is_file()
    assert (tmp_path / embedding.metadata_path).is_file()


def test_rows_of_labels_are_told_by_their_places(tmp_path):
    rows = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0]])
    write_projector(CODES, 9, rows, "abc", tmp_path)
    lines = (tmp_path / "metadata.tsv").read_text().splitlines()
    assert lines[1:] == ["a\t0,2", "b\t", "c\t1"]


def test_refuses(tmp_path):
    with pytest.raises(ValueError, match="3 codes, 2 labels, 3 names"):
        write_projector(CODES, 9, [1, 2], "abc", tmp_path / "new")
    assert not (tmp_path / "new").exists()
