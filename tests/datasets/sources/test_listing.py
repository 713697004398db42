import os

import pytest

from hashnet_tf.datasets.sources._paths import image_names, present
from hashnet_tf.datasets.sources.folder import folder_names


@pytest.fixture
def root(tmp_path):
    for name in ("b/2.jpg", "b/10.JPEG", "b/a.txt", "b/._2.jpg", "c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    for name in ("a", ".hidden"):
        (tmp_path / name).mkdir()
    return tmp_path


def test_names_are_sorted_and_visible(root):
    assert folder_names(root) == ["a", "b"]
    assert image_names(root) == ["c.png"]
    assert image_names(root / "b") == ["10.JPEG", "2.jpg"]
    assert image_names(root / "a") == []


def test_present(root):
    paths = ["b/2.jpg", "b/3.jpg", "c.png", "gone/1.jpg", "b/a.txt"]
    there, notes = present(root, paths)
    assert there.tolist() == [True, False, True, False, False]
    assert notes == ("3 of 5 listed images are missing",)
    there, notes = present(root, ["c.png"])
    assert there.tolist() == [True] and notes == ()


@pytest.mark.parametrize("paths", [[], ["gone.jpg", "b/3.jpg"]])
def test_present_needs_one(root, paths):
    message = f"of the {len(paths)} listed .* Received: no {root}"
    with pytest.raises(ValueError, match=message):
        present(root, paths)


@pytest.mark.parametrize(
    "path", ["/etc/1.jpg", "/c.png", "../1.jpg", "b/../../1.jpg"]
)
def test_refuses_a_path_that_leads_out(root, path):
    with pytest.raises(ValueError, match=f"inside {root}. Received: {path}$"):
        present(root, ["c.png", path])


def test_a_folder_is_listed_once_and_no_file_is_asked_for(root, monkeypatch):
    asked = []
    listdir = os.listdir

    def counted(folder):
        asked.append(str(folder))
        return listdir(folder)

    monkeypatch.setattr(os, "listdir", counted)
    monkeypatch.setattr(os.path, "isfile", lambda path: pytest.fail(str(path)))
    present(root, ["b/2.jpg", "c.png", "b/3.jpg", "b/10.JPEG", "c.png"])
    assert sorted(asked) == sorted([str(root / "b"), f"{root}"])


def test_refuses_a_name_that_is_no_utf8(root):
    os.rename(root / "c.png", os.fsencode(root) + b"/caf\xe9.png")
    with pytest.raises(ValueError, match=r"Received: '.*/caf\\udce9.png'$"):
        image_names(root)
