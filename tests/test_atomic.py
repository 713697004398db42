import json

import pytest

from hashnet_tf._files import write_json, written_beside


class Killed(Exception):
    pass


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_when_it_is_whole(tmp_path):
    path = tmp_path / "new" / "parents" / "a.weights.h5"
    with written_beside(str(path)) as beside:
        beside.write_text("new")
        assert not path.exists()
        # By the ending, libraries choose the format; in the same folder, a
        # rename is one step.
        assert beside.name.endswith("a.weights.h5")
        assert beside.parent == path.parent
    assert path.read_text() == "new"
    assert names(path.parent) == ["a.weights.h5"]


def test_the_old_file_stays_until_the_new_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with written_beside(path) as beside:
        beside.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("old", ["old", None])
def test_a_failure_leaves_what_was_there(old, tmp_path):
    path = tmp_path / "a.txt"
    if old is not None:
        path.write_text(old)
    with pytest.raises(Killed), written_beside(path) as beside:
        beside.write_text("half")
        raise Killed
    assert names(tmp_path) == ([] if old is None else ["a.txt"])
    assert old is None or path.read_text() == old


def test_a_folder(tmp_path):
    path = tmp_path / "model" / "1"
    with written_beside(path) as beside:
        (beside / "variables").mkdir(parents=True)
        (beside / "variables" / "data").write_text("new")
        assert not path.exists()
    assert (path / "variables" / "data").read_text() == "new"
    assert names(path.parent) == ["1"]


def test_a_failure_removes_half_a_folder(tmp_path):
    with pytest.raises(Killed), written_beside(tmp_path / "1") as beside:
        beside.mkdir()
        (beside / "data").write_text("half")
        raise Killed
    assert names(tmp_path) == []


def test_a_folder_that_holds_something_is_not_replaced(tmp_path):
    path = tmp_path / "1"
    path.mkdir()
    (path / "mine").write_text("old")
    with pytest.raises(OSError), written_beside(path) as beside:
        beside.mkdir()
    with pytest.raises(OSError), written_beside(path) as beside:
        beside.write_text("new")
    assert names(tmp_path) == ["1"]
    assert (path / "mine").read_text() == "old"


def test_write_json(tmp_path):
    path = tmp_path / "new" / "a.json"
    value = {"b": [1, None, 0.5], "a": "größer ≥"}
    write_json(path, value)
    text = path.read_text(encoding="utf-8")
    assert json.loads(text) == value
    # For eyes too: a line each, in the order given, letters as they are.
    assert text.splitlines()[1:2] == ['  "b": [']
    assert "größer ≥" in text
    assert text.endswith("}\n")


def test_what_is_no_json_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, 1)
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})
    assert path.read_text() == "1\n"
    assert names(tmp_path) == ["a.json"]
