import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashnet_tf.datasets.sources._paths import foreign_prefix, lies_inside


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
