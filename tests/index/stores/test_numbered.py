"""Engines in a folder: what is on disk, and what a kill leaves there."""

import pytest

from hashnet_tf.index.stores import Near, _numbered, open_store


@pytest.fixture(params=["faiss", "usearch"])
def place(request, address):
    return address(request.param)


def files(place):
    folder = _numbered.pathlib.Path(place.partition(":")[2])
    return {path.name for path in folder.iterdir()}


def test_the_state_and_the_one_before_are_on_disk(place, some):
    ending = place.partition(":")[0]
    with open_store(place, bits=16) as store:
        assert files(place) == {
            f"codes.0.{ending}",
            "names.0.json",
            "manifest.json",
            "digests.json",
        }
        for number in range(3):
            store.add([f"n{number}"], some(1, 16))
    assert files(place) == {
        *(f"codes.{state}.{ending}" for state in (2, 3)),
        *(f"names.{state}.json" for state in (2, 3)),
        "manifest.json",
        "digests.json",
    }


@pytest.mark.parametrize("what", ["write_json", "file_digest"])
def test_a_change_that_ends_in_the_middle_is_none(
    place, some, monkeypatch, what
):
    def killed(*_, **__):
        raise KeyboardInterrupt

    codes = some(3, 16)
    with open_store(place, bits=16) as store:
        store.add(["a"], codes[:1])
        with monkeypatch.context() as patch:
            patch.setattr(_numbered, what, killed)
            with pytest.raises(KeyboardInterrupt):
                store.add(["b"], codes[1:2])
        for one in (store, open_store(place)):
            assert len(one) == 1
            assert one.search(codes[:1], k=3) == [[Near("a", 0)]]
        store.add(["c"], codes[2:])
    with open_store(place) as store:
        assert {n for names, _ in store.batches() for n in names} == {"a", "c"}


@pytest.mark.parametrize("kind", ["codes", "names", "manifest"])
def test_what_is_damaged_is_told(place, some, kind):
    with open_store(place, bits=16) as store:
        store.add(["a"], some(1, 16))
    folder = _numbered.pathlib.Path(place.partition(":")[2])
    (path,) = [*folder.glob(f"{kind}.1.*"), *folder.glob(f"{kind}.json")]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    with pytest.raises(ValueError, match="Received"):
        with open_store(place) as store:
            store.search(some(1, 16), k=1)
