"""What is Milvus' own: collections of others, released ones, large k."""

import pytest

from hashnet_tf.index.stores import open_store


@pytest.fixture
def place(address):
    return address("milvus")


def test_refuses_a_collection_of_others(place):
    import pymilvus

    url, _, collection = place.removeprefix("milvus:").partition("#")
    client = pymilvus.MilvusClient(url)
    client.create_collection(collection, dimension=8)
    with pytest.raises(ValueError, match="that this package began"):
        open_store(place, bits=16)
    assert client.has_collection(collection)
    client.close()


def test_refuses_more_than_one_answer_holds(place, some):
    with open_store(place, bits=64) as store:
        names = [f"n{i}" for i in range(16_385)]
        store.add(names, some(16_385, 64))
        assert len(store.search(some(1, 64), k=16_384)[0]) == 16_384
        with pytest.raises(ValueError, match="16,384 at most.*k=16385"):
            store.search(some(1, 64), k=20_000)


def test_a_collection_that_was_released_is_searched(place, some):
    import pymilvus

    codes = some(3, 16)
    with open_store(place, bits=16) as store:
        store.add(["a", "b", "c"], codes)
    url, _, collection = place.removeprefix("milvus:").partition("#")
    client = pymilvus.MilvusClient(url)
    client.release_collection(collection)
    with open_store(place) as store:
        assert len(store) == len(store.search(codes[:1], k=3)[0]) == 3
    client.close()
