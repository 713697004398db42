import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashnet_tf.datasets.sources._paths import (
    foreign_prefix,
    lies_inside,
    present,
)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("root") / "images"
    for name in ("a.png", "b/a.png", "b/c/d.png"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    (root.parent / "secret.png").touch()
    return root


@pytest.mark.parametrize(
    "path, prefix",
    [
        ("a.png", ""),
        ("./b/a.png", ""),
        ("gone.png", ""),
        # The shortest beginning, though a.png is there too.
        ("/home/x/b/a.png", "/home/x/"),
        ("c/b/c/d.png", "c/"),
        ("../../b/c/d.png", "../../"),
        # With one slash left it would lead elsewhere.
        ("..//b/a.png", "..//"),
        ("x/../a.png", "x/../"),
        ("../secret.png", ""),
        ("/b", ""),
        ("b/", ""),
        ("/" + "x" * 300 + "/a.png", "/" + "x" * 300 + "/"),
        ("nul\0/a.png", "nul\0/"),
    ],
)
def test_prefix(root, path, prefix):
    assert foreign_prefix(root, path) == prefix


def test_a_path_below_the_folder_that_is_written_in_full(root):
    assert foreign_prefix(root, f"{root}/b/a.png") == f"{root}/"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["a.png", "b", "c", "..", ".", "", "x"])))
def test_what_is_left_is_a_file_below_the_folder(root, parts):
    path = "/".join(parts)
    prefix = foreign_prefix(root, path)
    assert path.startswith(prefix)
    if not prefix:
        return
    rest = path.removeprefix(prefix)
    assert lies_inside(rest)
    found = os.path.realpath(root / rest)
    assert os.path.isfile(found)
    assert os.path.commonpath([found, os.path.realpath(root)]) == str(
        os.path.realpath(root)
    )


@pytest.mark.parametrize(
    "path, inside",
    [
        ("a", True),
        ("./a", True),
        ("a..b/c", True),
        ("", True),
        ("..", False),
        ("a/..", False),
        ("/a", False),
    ],
)
def test_lies_inside(path, inside):
    assert lies_inside(path) == inside


@pytest.fixture
def listed(tmp_path):
    for name in ("b/2.jpg", "b/10.JPEG", "b/a.txt", "b/._2.jpg", "c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def test_present(listed):
    paths = ["b/2.jpg", "b/3.jpg", "c.png", "gone/1.jpg", "b/a.txt"]
    there, notes = present(listed, paths)
    assert there.tolist() == [True, False, True, False, False]
    assert notes == ("3 of 5 listed images are missing",)
    there, notes = present(listed, ["c.png"])
    assert there.tolist() == [True] and notes == ()


@pytest.mark.parametrize("paths", [[], ["gone.jpg", "b/3.jpg"]])
def test_present_needs_one(listed, paths):
    message = f"of the {len(paths)} listed .* Received: no {listed}"
    with pytest.raises(ValueError, match=message):
        present(listed, paths)


@pytest.mark.parametrize(
    "path", ["/etc/1.jpg", "/c.png", "../1.jpg", "b/../../1.jpg"]
)
def test_refuses_a_path_that_leads_out(listed, path):
    with pytest.raises(ValueError, match=f"inside {listed}. Received: {path}$"):
        present(listed, ["c.png", path])


def test_a_folder_is_listed_once_and_no_file_is_asked_for(listed, monkeypatch):
    asked = []
    scandir = os.scandir

    def counted(folder):
        asked.append(str(folder))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", counted)
    monkeypatch.setattr(os.path, "isfile", lambda path: pytest.fail(str(path)))
    present(listed, ["b/2.jpg", "c.png", "b/3.jpg", "b/10.JPEG", "c.png"])
    assert sorted(asked) == sorted([str(listed / "b"), f"{listed}"])
