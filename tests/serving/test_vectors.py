"""An index of vectors that is served."""

import numpy as np
import pytest

import hashnet_tf as hn

JSON = {"Content-Type": "application/json"}
ROWS = np.random.default_rng(0).normal(size=(60, 6))


@pytest.fixture(scope="module")
def client(words, service_of):
    with service_of(words) as client:
        yield client


def test_a_vector_is_searched_with(client, words):
    vector = ROWS[7].tolist()
    answer = client.post("/search?k=5", json={"vector": vector})
    assert answer.status_code == 200
    with hn.Index.open(words) as index:
        hits = index.search(ROWS[7], k=5)
        code = index.encoder.encode(ROWS[7:8])[0].tobytes().hex()
    found = answer.json()["hits"]
    assert [x["name"] for x in found] == [hit.name for hit in hits]
    assert found[0]["name"] == "word 7" and found[0]["distance"] == 0
    told = client.post("/codes", json={"vector": vector}).json()
    assert told["code"] == code and told["bits"] == 16


def test_z_ranks_too(client, words):
    vector = ROWS[7].tolist()
    answer = client.post("/search?k=5&by=z", json={"vector": vector})
    assert answer.status_code == 200
    with hn.Index.open(words) as index:
        hits = index.search(ROWS[7], k=5, by="z")
    assert [
        (x["name"], x["similarity"], x["asymmetric"])
        for x in answer.json()["hits"]
    ] == [(hit.name, None, hit.asymmetric) for hit in hits]


def test_it_says_what_it_takes(client):
    told = client.get("/healthz").json()
    assert (told["images"], told["vectors"]) == (False, True)
    described = client.get("/openapi.json").json()
    content = described["paths"]["/search"]["post"]["requestBody"]["content"]
    assert content["application/json"]["schema"]["required"] == ["vector"]
    (item, *_) = client.get("/items?limit=1").json()["items"]
    like = client.get(f"/like/{item['id']}?k=3")
    assert len(like.json()["hits"]) == 3
    assert client.get(f"/thumbnails/{item['id']}").status_code == 404


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[1, 2]",
        b'{"vector": []}',
        b'{"vector": "1 2 3 4 5 6"}',
        b'{"vector": [1, 2, 3, 4, 5, "6"]}',
        b'{"vector": [1, 2, 3, 4, 5, null]}',
        b'{"vector": [1, 2, 3, 4, 5, NaN]}',
        b'{"vector": [1, 2, 3, 4, 5, 1e999]}',
        b'{"vector": [1, 2, 3, 4, 5, 1e39]}',
        b'{"vector": [[1, 2, 3, 4, 5, 6]]}',
        b'{"vector": [[1], [2, 3]]}',
        b'{"vector": [1, 2, 3]}',
        b'{"vectors": [1, 2, 3, 4, 5, 6]}',
        b"[" * 100_000,
        b'{"vector": [' + b"9" * 5000 + b", 2, 3, 4, 5, 6]}",
    ],
)
def test_what_is_no_such_vector_is_refused(client, content):
    answer = client.post("/search", content=content, headers=JSON)
    assert answer.status_code in (409, 422)
    assert "Received" in answer.json()["error"]
    assert client.get("/healthz").status_code == 200


def test_a_picture_is_refused(client, picture):
    headers = {"Content-Type": "image/png"}
    answer = client.post("/search", content=picture("reds"), headers=headers)
    assert answer.status_code == 415
    assert "application/json" in answer.json()["error"]
