import os

import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf.index import Changes, files


@pytest.fixture
def photos(tmp_path, picture):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}.jpg").write_bytes(picture(number))
    return folder


@pytest.fixture
def opened(tmp_path, reader):
    """An index with an encoder that counts."""
    encoder = reader()
    with hn.Index.open(tmp_path / "a.index", encoder=encoder) as index:
        yield index, encoder


def paths(folder):
    return sorted(folder.iterdir())


def test_what_is_unchanged_is_not_encoded_again(opened, photos, picture):
    index, encoder = opened
    assert index.add_files(paths(photos)) == Changes(added=5)
    assert list(index) == [str(path) for path in paths(photos)]
    assert len(encoder.read) == 5
    assert index.add_files(paths(photos)) == Changes(kept=5)
    (photos / "9.jpg").write_bytes(picture(9))
    assert index.add_files(paths(photos)) == Changes(added=1, kept=5)
    assert encoder.read[5:] == [9]
    hit, *_ = index.search(photos / "3.jpg", k=1)
    assert (hit.name, hit.distance) == (str(photos / "3.jpg"), 0)
    hit, *_ = index.search(np.full((4, 4, 3), 2, np.uint8))
    assert (hit.name, hit.distance) == (str(photos / "2.jpg"), 0)
    with pytest.raises(FileNotFoundError):
        index.search(photos / "gone.jpg")


def test_a_file_counts_by_its_content_not_its_time(opened, photos, picture):
    index, encoder = opened
    index.add_files(paths(photos))
    os.utime(photos / "1.jpg", (1, 1))
    assert index.add_files(paths(photos)) == Changes(kept=5)
    # By another name, or moved.
    (photos / "1.jpg").rename(photos / "moved.jpg")
    (photos / "copy.jpg").write_bytes((photos / "2.jpg").read_bytes())
    assert index.add_files(paths(photos)) == Changes(added=2, kept=4)
    assert len(encoder.read) == 5
    (photos / "0.jpg").write_bytes(picture(64))
    assert index.add_files(paths(photos)) == Changes(refreshed=1, kept=5)
    assert encoder.read[5:] == [64]


def test_only_a_reading_sees_a_change_that_hides(opened, photos, picture):
    index, encoder = opened
    index.add_files(paths(photos))
    path = photos / "0.jpg"
    status = path.stat()
    path.write_bytes(picture(65))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert index.add_files(paths(photos)) == Changes(kept=5)
    changes = index.add_files(paths(photos), verify=True)
    assert changes == Changes(refreshed=1, kept=4)


def test_two_of_one_content_are_encoded_once(opened, photos):
    index, encoder = opened
    (photos / "twin.jpg").write_bytes((photos / "0.jpg").read_bytes())
    assert index.add_files(paths(photos)) == Changes(added=6)
    assert len(encoder.read) == 5
    hits = index.search(photos / "0.jpg", k=2)
    assert [hit.distance for hit in hits] == [0, 0]


def test_what_is_no_image_is_refused_and_all_others_taken(opened, photos):
    index, _ = opened
    for name in ("bad.jpg", "3.jpg"):
        (photos / name).write_bytes(b"no image")
    gone = photos / "gone.jpg"
    changes = index.add_files([*paths(photos), gone])
    assert (changes.added, changes.kept) == (4, 0)
    assert set(changes.refused) == {
        str(photos / name) for name in ("bad.jpg", "3.jpg", "gone.jpg")
    }
    assert "that are none" in changes.refused[str(photos / "bad.jpg")]
    assert "No such file" in changes.refused[str(gone)]
    assert len(index) == 4
    # Of one that was good its old code stays, and it is told each time.
    (photos / "0.jpg").write_bytes(b"no more")
    changes = index.add_files(paths(photos))
    assert changes.kept == 3 and str(photos / "0.jpg") in changes.refused
    assert len(index) == 4


def test_labels_stay_until_others_are_given(opened, photos):
    index, encoder = opened
    some = paths(photos)[:2]
    index.add_files(some, ["cat", None])
    assert index.add_files(some) == Changes(kept=2)
    assert index.stat()["labels"] == {"cat": 1}
    assert index.add_files(some, [None, "dog"]) == Changes(refreshed=1, kept=1)
    assert index.stat()["labels"] == {"cat": 1, "dog": 1}
    assert len(encoder.read) == 2
    with pytest.raises(ValueError, match="2 names and 1 labels"):
        index.add_files(some, ["cat"])


def test_goes_on_where_it_was_killed(opened, photos, monkeypatch):
    index, encoder = opened
    monkeypatch.setattr(files, "BATCH", 2)
    encode = encoder.encode

    def killed(images):
        if len(encoder.read) == 4:
            raise KeyboardInterrupt
        return encode(images)

    encoder.encode = killed
    with pytest.raises(KeyboardInterrupt):
        index.add_files(paths(photos))
    assert len(index) == 4
    encoder.encode = encode
    assert index.add_files(paths(photos)) == Changes(added=1, kept=4)
    assert sorted(encoder.read) == list(range(5))


def test_prunes_what_has_gone_of_a_folder(opened, photos, tmp_path, picture):
    index, _ = opened
    beside = tmp_path / "photos2"
    beside.mkdir()
    (beside / "0.jpg").write_bytes(picture(80))
    index.add_files([*paths(photos), *paths(beside)])
    index.add(["by hand"], np.array([[1, 1]], np.uint8))
    (photos / "2.jpg").unlink()
    (beside / "0.jpg").unlink()
    assert index.prune(photos) == [str(photos / "2.jpg")]
    assert len(index) == 6 and "by hand" in index
    beside.rmdir()
    with pytest.raises(NotADirectoryError, match="that is there"):
        index.prune(beside)
    assert str(beside / "0.jpg") in index


def test_needs_an_encoder(index, photos):
    with pytest.raises(ValueError, match="To add files an index needs"):
        index.add_files(paths(photos))
