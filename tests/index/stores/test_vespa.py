"""What is Vespa's own: a schema of others, answers that are not whole."""

import pytest
import requests

from hashnet_tf.index.stores import open_store


def documents(address):
    """URL of the documents of an address."""
    url, _, kind = address.removeprefix("vespa:").partition("#")
    return f"{url}/document/v1/hashnet/{kind}/docid"


def test_the_bytes_of_a_code_are_read_as_signed(address, some):
    place, codes = address("vespa"), some(3, 16)
    with open_store(place, bits=16) as store:
        store.add(["a", "b", "c"], codes)
    told = requests.get(
        documents(place),
        {
            "wantedDocumentCount": 10,
            "fieldSet": f"{place.partition('#')[2]}:name,code",
            "format.tensors": "short-value",
        },
        timeout=10,
    ).json()
    found = {
        document["fields"].get("name"): document["fields"]["code"]
        for document in told["documents"]
    }
    assert found.pop(None) == [0, 0]
    for name, code in zip("abc", codes.tolist(), strict=True):
        assert found[name] == [v - 256 if v > 127 else v for v in code]


def test_the_note_is_never_found(address, some):
    with open_store(address("vespa"), bits=16) as store:
        # Its code is of zeros: nothing is nearer to a query of zeros.
        zeros = some(1, 16) & 0
        assert store.search(zeros, k=3) == [[]]
        store.add(["a", "b", "c"], some(3, 16))
        for k in (1, 2, 3, 9):
            (found,) = store.search(zeros, k=k)
            assert len(found) == min(k, 3)
            assert {near.name for near in found} <= {"a", "b", "c"}


def test_refuses_a_type_of_others(address):
    place = address("vespa")
    fields = {"name": "theirs", "code": [1, -1]}
    answer = requests.post(
        f"{documents(place)}/1", json={"fields": fields}, timeout=10
    )
    assert answer.ok
    with pytest.raises(ValueError, match="that this package began"):
        open_store(place, bits=16)


def test_refuses_a_schema_of_another_length(address):
    place = address("vespa")
    fields = {"name": "theirs", "code": [1, -1, 0]}
    for method in ("POST", "DELETE"):
        answer = requests.request(
            method, f"{documents(place)}/1", json={"fields": fields}, timeout=10
        )
        assert answer.ok
    with pytest.raises(OSError, match="400 .*another number of cells"):
        open_store(place, bits=16)
    with open_store(place, bits=24) as store:
        assert len(store) == 0


def test_an_answer_that_is_not_whole_is_an_error(
    address, some, stand_ins, monkeypatch
):
    with open_store(address("vespa"), bits=16) as store:
        store.add(["a"], some(1, 16))
        monkeypatch.setattr(stand_ins.Vespa, "is_full", False)
        with pytest.raises(OSError, match="not all was searched: .*False"):
            store.search(some(1, 16), k=1)


def test_names_that_vespa_refuses_are_told(address, some):
    with open_store(address("vespa"), bits=16) as store:
        with pytest.raises(OSError, match="400 .*illegal code point"):
            store.add(["a\x07"], some(1, 16))


def test_refuses_more_than_one_answer_holds(address, some):
    with open_store(address("vespa"), bits=16) as store:
        store.add([f"n{i}" for i in range(401)], some(401, 16))
        assert len(store.search(some(1, 16), k=399)[0]) == 399
        with pytest.raises(ValueError, match="399 at most. Received: k=400"):
            store.search(some(1, 16), k=400)
