import pytest

import hashnet_tf as hn
from hashnet_tf.datasets.sources import SOURCES
from hashnet_tf.datasets.sources.reading import check_place

DRAWING = [
    name
    for name, protocol in hn.datasets.protocols().items()
    if protocol.drawing is not None
]


@pytest.mark.parametrize(
    "data",
    [
        "other",
        "other:missing",
        *(
            f"{source.name}:missing"
            for source in SOURCES.values()
            if source.is_word and source.place in ("DIR", "FILE")
        ),
        *(f"{name}:missing" for name in DRAWING),
    ],
)
def test_says_what_loading_says(data):
    with pytest.raises(ValueError) as early:
        check_place(data)
    with pytest.raises(ValueError) as late:
        hn.datasets.load(data)
    assert str(early.value) == str(late.value)


@pytest.mark.parametrize("kind", ["folder", "lists", "npz", DRAWING[0]])
def test_a_place_of_the_other_kind(kind, tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    place, other = (file, tmp_path) if kind == "npz" else (tmp_path, file)
    check_place(f"{kind}:{place}")
    with pytest.raises(ValueError, match=f"{kind}:{other}$"):
        check_place(f"{kind}:{other}")


@pytest.mark.parametrize("data", ["digits", "tfds:cifar10", *DRAWING])
def test_what_is_not_on_disk_is_left_to_loading(data):
    check_place(data)
