import os
import pathlib
import pickle
import shutil

import numpy as np
import pytest
import tensorflow as tf

from hashnet_tf.datasets import FileImages

NAMES = ["b/two.png", "a/one.jpg", "three  blanks.png", "é/日本.png"]


@pytest.fixture
def folder(tmp_path, write_image):
    for value, name in enumerate(NAMES):
        write_image(tmp_path / "root" / name, 50 * value)
    return tmp_path / "root"


def test_streams_the_bytes_in_order(folder):
    images = FileImages(folder, NAMES, [0, 1, 2, 3])
    found = list(images.encoded().as_numpy_iterator())
    assert [int(position) for position, _ in found] == [0, 1, 2, 3]
    for (_, encoded), name in zip(found, NAMES, strict=True):
        assert encoded == (folder / name).read_bytes()


def test_subset_keeps_its_order_and_origins(folder):
    origins = [f"list.txt:{n}" for n in (1, 2, 4, 5)]
    images = FileImages(folder, NAMES, [0, 1, 2, 3], origins).subset([3, 1])
    assert images.names == [NAMES[3], NAMES[1]]
    assert images.labels.tolist() == [3, 1]
    assert images.where(0) == f"list.txt:5: {folder / NAMES[3]}"
    (_, first), _ = images.encoded().as_numpy_iterator()
    assert first == (folder / NAMES[3]).read_bytes()


def test_where_without_origins_is_the_file(folder):
    images = FileImages(folder, NAMES, [0] * 4)
    assert images.where(2) == str(folder / NAMES[2])
    assert images.subset([2]).where(0) == str(folder / NAMES[2])


def test_missing(folder):
    (folder / "folder.jpg").mkdir()
    names = ["no.jpg", *NAMES, "folder.jpg", "b/no.jpg"]
    assert FileImages(folder, names, [0] * 7).missing() == [0, 5, 6]


def test_identities_follow_links(folder):
    (folder / "link").symlink_to(folder / "b")
    names = ["link/two.png", "./b//two.png", "a/one.jpg", "gone.jpg"]
    assert FileImages(folder, names, [0] * 4).identities() == [
        str(folder / "b" / "two.png"),
        str(folder / "b" / "two.png"),
        str(folder / "a" / "one.jpg"),
        str(folder / "gone.jpg"),
    ]


def test_identities_are_the_real_paths(folder, tmp_path, monkeypatch):
    (folder / "a" / "link.jpg").symlink_to("one.jpg")
    (folder / "a" / "up.jpg").symlink_to("../b/two.png")
    (folder / "a" / "far").symlink_to(folder / "b")
    (folder / "a" / "again").symlink_to("far")
    (folder / "broken").symlink_to("nowhere/at all")
    (folder / "loop").symlink_to("loop")
    (tmp_path / "root link").symlink_to(folder)
    names = [
        *NAMES,
        "a/link.jpg",
        "a/up.jpg",
        "a/far/two.png",
        "a/again/two.png",
        "a/again/../a/one.jpg",
        "b/",
        "a/far/",
        "a/far/.",
        "a/far/..",
        ".",
        "broken",
        "broken/x.png",
        "loop",
        "loop/x.png",
        str(folder / "a" / "far" / "two.png"),
    ]
    monkeypatch.chdir(tmp_path)
    for root in (
        folder,
        tmp_path / "root link",
        "root link",
        ".",
        "root/a/far",
    ):
        images = FileImages(root, names, [0] * len(names))
        expected = [
            str((pathlib.Path.cwd() / root / name).resolve())
            if "loop" not in name
            else os.path.realpath(f"{root}/{name}")
            for name in names
        ]
        assert images.identities() == expected


def test_reads_in_a_given_order(folder):
    images = FileImages(folder, NAMES, [0] * 4)
    order = tf.data.Dataset.from_tensor_slices(np.array([2, 0, 2, 3]))
    found = list(images.encoded(order).as_numpy_iterator())
    assert [int(i) for i, _ in found] == [2, 0, 2, 3]
    for position, encoded in found:
        assert encoded == (folder / NAMES[position]).read_bytes()


def test_shuffles_by_the_seed_and_anew_each_time(folder):
    images = FileImages(folder, NAMES, [0] * 4)
    stream, again = images.shuffled(1), images.shuffled(1)
    epochs = [[int(i) for i, _ in stream] for _ in range(6)]
    assert [[int(i) for i, _ in again] for _ in range(6)] == epochs
    assert all(sorted(epoch) == [0, 1, 2, 3] for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 2
    for position, encoded in images.shuffled(1):
        expected = (folder / NAMES[int(position)]).read_bytes()
        assert encoded.numpy() == expected


def test_keeps_names_alone_and_reads_again_each_time(folder):
    size = 10**6
    (folder / NAMES[0]).write_bytes(bytes(size))
    images = FileImages(folder, NAMES, [0] * 4)
    stream = images.encoded()
    assert len(list(stream)) == 4
    assert len(pickle.dumps(images)) < size / 100
    (folder / NAMES[0]).unlink()
    with pytest.raises(tf.errors.NotFoundError):
        list(stream)


def test_a_set_of_many_files_is_made_without_a_look_at_one():
    names = [f"{i}.jpg" for i in range(100_000)]
    images = FileImages("nowhere", names, np.arange(100_000))
    assert len(images.subset(np.arange(50_000)).encoded()) == 50_000


def test_no_files_stream_nothing():
    images = FileImages("nowhere", [], np.zeros(0, np.int32))
    assert list(images.encoded()) == []


def test_fingerprint_changes_with_an_image_a_name_or_the_order(folder):
    def digest(names, root=folder):
        return FileImages(root, names, [0] * len(names)).fingerprint()

    before = digest(NAMES)
    assert digest(NAMES) == before
    assert FileImages(folder, NAMES, [9] * 4).fingerprint() == before
    seen = {before, digest(NAMES[::-1]), digest(NAMES[:3])}
    # The same bytes under another name, written at the same moment.
    shutil.copy2(folder / NAMES[0], folder / "copy.png")
    seen.add(digest(["copy.png", *NAMES[1:]]))
    assert len(seen) == 4
    file = folder / NAMES[2]
    times = file.stat().st_atime_ns, file.stat().st_mtime_ns
    content = file.read_bytes()
    file.write_bytes(content + b"x")
    os.utime(file, ns=times)
    seen.add(digest(NAMES))
    file.write_bytes(content[:-1] + b"x")
    os.utime(file, ns=(times[0], times[1] + 1))
    seen.add(digest(NAMES))
    assert len(seen) == 6
    # Written anew, of the old size and time, nobody knows what it holds.
    file.write_bytes(content)
    os.utime(file, ns=times)
    now = digest(NAMES)
    assert now not in seen
    moved = folder.rename(folder.with_name("moved"))
    assert digest(NAMES, moved) == now


def test_another_picture_of_the_same_size_and_time(folder, write_image):
    sets = {}
    for value, name in enumerate(["one", "other"]):
        file = write_image(folder.parent / name / "a.bmp", value)
        os.utime(file, ns=(10**18, 10**18))
        sets[name] = FileImages(file.parent, ["a.bmp"], [0])
    one, other = (images.fingerprint() for images in sets.values())
    states = {images.fingerprints()[0] for images in sets.values()}
    assert one != other and len(states) == 2
    # Also where the folders change their places, which touches no file.
    (folder.parent / "one").rename(folder.parent / "third")
    (folder.parent / "other").rename(folder.parent / "one")
    assert sets["one"].fingerprint() == other
    again = write_image(folder.parent / "one" / "a.bmp", 9)
    os.utime(again, ns=(10**18, 10**18))
    assert sets["one"].fingerprint() not in (one, other)


def test_fingerprints_tell_which_image_changed(folder):
    images = FileImages(folder, NAMES, [0] * 4)
    before = images.fingerprints()
    assert len(set(before)) == 4
    some = FileImages(str(folder), NAMES, [9] * 4).subset([2, 0])
    assert some.fingerprints() == [before[2], before[0]]
    status = (folder / NAMES[1]).stat()
    times = status.st_atime_ns, status.st_mtime_ns
    os.utime(folder / NAMES[1], ns=(times[0], times[1] + 1))
    after = images.fingerprints()
    assert [i for i in range(4) if after[i] != before[i]] == [1]
    with (folder / NAMES[1]).open("ab") as file:
        file.write(b"x")
    os.utime(folder / NAMES[1], ns=times)
    assert len({before[1], after[1], images.fingerprints()[1]}) == 3


def test_fingerprints_of_another_folder_are_others(folder):
    other = folder.with_name("other")
    shutil.copytree(folder, other)
    one, same, copied = (
        FileImages(root, NAMES, [0] * 4).fingerprints()
        for root in (folder, other.parent / "." / "root", other)
    )
    assert one == same
    assert not set(one) & set(copied)
