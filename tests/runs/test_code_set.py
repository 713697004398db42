import json
import os

import numpy as np
import pytest

from hashnet_tf.runs import CodeSet
from hashnet_tf.runs.code_set import (
    array_digest,
    manifest_digest,
    value_digest,
)

LABELS = np.array([3, -1, 0])
MANIFEST = {
    "bits": 12,
    "bit_order": "big",
    "model_digest": "m",
    "images_digest": "i",
    "labels_digest": array_digest(LABELS),
    "protocol": None,
    "images": None,
}


@pytest.fixture
def folder(tmp_path):
    codes = np.array([[1, 16], [2, 32], [255, 240]], dtype=np.uint8)
    np.save(tmp_path / "codes.npy", codes)
    np.save(tmp_path / "labels.npy", LABELS)
    (tmp_path / "ids.json").write_text('["a", "b", "c"]')
    (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST))
    return tmp_path


def test_load(folder):
    code_set = CodeSet.load(str(folder))
    assert code_set.codes.tolist() == [[1, 16], [2, 32], [255, 240]]
    assert isinstance(code_set.codes, np.memmap)
    assert code_set.ids == ["a", "b", "c"]
    assert code_set.labels.tolist() == [3, -1, 0]
    assert code_set.manifest == MANIFEST
    assert code_set.bits == 12


def test_labels_may_be_missing(folder):
    (folder / "labels.npy").unlink()
    # Only where there were none.
    with pytest.raises(ValueError, match="labels of another digest"):
        CodeSet.load(folder)
    manifest = {**MANIFEST, "labels_digest": None}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert CodeSet.load(folder).labels is None


def test_a_changed_code_is_refused(folder):
    codes = np.load(folder / "codes.npy")
    manifest = {**MANIFEST, "codes_digest": array_digest(codes)}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert CodeSet.load(folder).codes.tolist() == codes.tolist()
    codes[1, 0] ^= 4
    np.save(folder / "codes.npy", codes)
    with pytest.raises(ValueError, match="codes of another digest"):
        CodeSet.load(folder)


def test_names_of_classes(folder):
    # Version 0.1 wrote none.
    assert CodeSet.load(folder).class_names is None
    assert [CodeSet.load(folder).label(i) for i in range(3)] == ["3", "", "0"]
    (folder / "class_names.json").write_text('["ant", "bee"]')
    code_set = CodeSet.load(folder)
    assert code_set.class_names == ["ant", "bee"]
    # A class beyond the names is told by its number.
    assert [code_set.label(i) for i in range(3)] == ["3", "", "ant"]


def test_none_is_there(tmp_path):
    with pytest.raises(ValueError, match="must be made first.* Received: no "):
        CodeSet.load(tmp_path / "none")


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda f: cut(f / "codes.npy"), "mmap|smaller|bytes"),
        (lambda f: (f / "codes.npy").write_bytes(b""), "EOF|empty|data"),
        (lambda f: (f / "codes.npy").unlink(), "FileNotFoundError"),
        (lambda f: np.save(f / "codes.npy", np.zeros((3, 2))), "dtype=float64"),
        (lambda f: np.save(f / "codes.npy", np.zeros((3, 1), "u1")), "wide"),
        (lambda f: np.save(f / "codes.npy", np.ones((3, 2), "u1")), "bit 12"),
        (lambda f: (f / "ids.json").write_text('["a"]'), r"lengths \{1, 3\}"),
        (lambda f: (f / "ids.json").write_text("3"), "TypeError"),
        (lambda f: (f / "ids.json").write_text("["), "JSONDecodeError"),
        (lambda f: (f / "ids.json").unlink(), "FileNotFoundError"),
        (lambda f: np.save(f / "labels.npy", np.zeros(2)), r"lengths \{2, 3\}"),
        (lambda f: cut(f / "labels.npy"), "ValueError"),
        (lambda f: (f / "manifest.json").write_text("{"), "JSONDecodeError"),
        (lambda f: (f / "manifest.json").write_text("[1]"), "TypeError"),
        (lambda f: (f / "manifest.json").write_text("{}"), "KeyError"),
        (
            lambda f: (f / "manifest.json").write_text(
                json.dumps({**MANIFEST, "bit_order": "little"})
            ),
            "bit order little",
        ),
    ],
)
def test_a_damaged_one(damage, message, folder):
    damage(folder)
    with pytest.raises(ValueError, match=f"Received: .*({message})") as error:
        CodeSet.load(folder)
    assert str(folder) in str(error.value)


@pytest.mark.parametrize("name", ["codes", "labels"])
def test_a_damaged_header_is_told(name, folder):
    path = folder / f"{name}.npy"
    content = bytearray(path.read_bytes())
    for place in range(10, 60):
        path.write_bytes(content[:place] + b"9" + content[place + 1 :])
        with pytest.raises(ValueError, match=f"in {folder} must be whole"):
            CodeSet.load(folder)


@pytest.mark.parametrize("name", ["ids", "class_names", "manifest"])
def test_a_changed_name_is_refused(name, folder):
    (folder / "class_names.json").write_text('["a", "b", "c", "d"]')
    codes = np.load(folder / "codes.npy")
    manifest = {
        **MANIFEST,
        "codes_digest": array_digest(codes),
        "ids_digest": value_digest(["a", "b", "c"]),
        "class_names_digest": value_digest(["a", "b", "c", "d"]),
    }
    manifest["manifest_digest"] = manifest_digest(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert CodeSet.load(folder).class_names == ["a", "b", "c", "d"]
    path = folder / f"{name}.json"
    # Whichever letter it is.
    path.write_text(path.read_text().replace('"b"', '"x"').replace('m"', 'x"'))
    with pytest.raises(ValueError, match=f"{name} of another digest"):
        CodeSet.load(folder)


OWN = np.array([[1], [2], [255]], "uint8")


def test_ones_own_codes(tmp_path):
    one = CodeSet.of(
        OWN, ["a/b", "ü", "c"], [2, -1, 0], class_names=["x", "y", "z"]
    )
    one.save(tmp_path / "new" / "codes")
    there = CodeSet.load(tmp_path / "new" / "codes")
    np.testing.assert_array_equal(there.codes, OWN)
    assert (there.ids, there.bits) == (["a/b", "ü", "c"], 8)
    assert [there.label(i) for i in range(3)] == ["z", "", "x"]
    assert os.listdir(tmp_path / "new") == ["codes"]
    # Of one encoder, whose name is not given.
    there.check_digest(CodeSet.of(OWN).model_digest)
    with pytest.raises(ValueError, match="of one encoder"):
        there.check_digest(CodeSet.of(OWN, model_digest="mine").model_digest)


def test_a_code_set_is_replaced_and_nothing_else(tmp_path):
    CodeSet.of(OWN).save(tmp_path / "codes")
    CodeSet.of(OWN[:2] << 5, bits=3).save(tmp_path / "codes")
    assert CodeSet.load(tmp_path / "codes").bits == 3
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="new, empty or hold a code set"):
        CodeSet.of(OWN).save(tmp_path / "other")
    assert os.listdir(tmp_path / "other") == ["notes.txt"]


def test_what_a_killed_save_left_does_not_matter(tmp_path, monkeypatch):
    CodeSet.of(OWN).save(tmp_path / "codes")

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("hashnet_tf.runs.code_set.put_in_place", killed)
        with pytest.raises(KeyboardInterrupt):
            CodeSet.of(OWN[:1]).save(tmp_path / "codes")
    assert len(CodeSet.load(tmp_path / "codes").ids) == 3
    CodeSet.of(OWN[:1]).save(tmp_path / "codes")
    assert len(CodeSet.load(tmp_path / "codes").ids) == 1
    assert [n for n in os.listdir(tmp_path) if n.endswith(".new")] == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"codes": OWN.astype(int)}, "dtype=int64"),
        ({"codes": OWN, "bits": 9}, "wide"),
        ({"codes": OWN, "ids": ["a", "b"]}, "2 ids, 2 that differ, of 3"),
        ({"codes": OWN, "ids": ["a", "b", "a"]}, "3 ids, 2 that differ"),
        ({"codes": OWN, "labels": [0, 1]}, "labels"),
        ({"codes": OWN, "labels": [0.5, 1, 2]}, "labels"),
    ],
)
def test_what_is_no_code_set_is_refused(given, told):
    with pytest.raises(ValueError, match=told):
        CodeSet.of(**given)
