import json
import re

import pytest

from hashnet_tf.datasets.sources._lists_json import ListsJson, read_lists_json

SAID = {
    "images": ".",
    "classes": ["日本", "dog"],
    "protocol": "Drawn.",
    "at": 10,
    "overlaps": ["query-database"],
}


@pytest.fixture
def said_in(tmp_path):
    """Function that writes text or values to lists.json and reads it."""

    def said(content):
        if not isinstance(content, (str, bytes)):
            content = json.dumps(content, ensure_ascii=False)
        if isinstance(content, str):
            content = content.encode()
        (tmp_path / "lists.json").write_bytes(content)
        return read_lists_json(tmp_path)

    return said


def test_reads_what_is_said(said_in):
    assert said_in(SAID) == ListsJson(**SAID)
    assert said_in(SAID).known() == SAID
    assert said_in({"data": "digits"}).known() == {"data": "digits"}
    assert said_in({}).known() == {}


def test_nothing_is_said_without_a_file(tmp_path):
    assert read_lists_json(tmp_path) == ListsJson()


@pytest.mark.parametrize(
    "content, message",
    [
        ("", "Expecting value"),
        ("{", "Expecting property name"),
        (b'{"protocol": "\xff"}', "codec can't decode byte"),
        ([SAID], "an object with keys of images, data, .* Received: [{"),
        ("3", "an object .* Received: 3"),
        ({"image": "."}, "keys of images, .* Received: {'image': '.'}"),
        ({"images": 3}, '"images" must be a text. Received: images=3'),
        ({"images": ""}, "Received: images=''"),
        ({"images": "gone"}, "an existing folder. Received: FOLDER/gone"),
        ({"images": ".", "data": "digits"}, "images='.', data='digits'"),
        ({"data": ["digits"]}, "Received: data=['digits']"),
        ({"classes": "ab"}, "a list of texts. Received: classes='ab'"),
        ({"classes": ["a", 1]}, "Received: classes=['a', 1]"),
        ({"protocol": False}, "Received: protocol=False"),
        ({"at": 0}, '"at" must be a positive int. Received: at=0'),
        ({"at": 1.5}, "Received: at=1.5"),
        ({"at": True}, "Received: at=True"),
        ({"overlaps": ["query"]}, "Received: overlaps=['query']"),
    ],
)
def test_refuses(said_in, tmp_path, content, message):
    message = message.replace("FOLDER", str(tmp_path))
    parts = [re.escape(part) for part in message.split(".*")]
    pattern = f"^{re.escape(str(tmp_path))}/lists.json: .*{'.*'.join(parts)}"
    with pytest.raises(ValueError, match=pattern):
        said_in(content)
