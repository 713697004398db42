import concurrent.futures
import io
import itertools
import pathlib
import re

import httpx
import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn
from hashnet_tf.serving import questions

PNG = {"Content-Type": "image/png"}


def asked(index, content, tmp_path, **options):
    """What the index itself finds for the bytes of a picture."""
    path = tmp_path / "asked"
    path.write_bytes(content)
    return index.search(path, **options)


def as_hits(found):
    return [tuple(x[field] for field in hn.index.Hit._fields) for x in found]


def items_of(client, **values):
    return client.get("/items", params=values).raise_for_status().json()


def an_item(client, name):
    (item,) = [
        item
        for item in items_of(client, limit=1000)["items"]
        if pathlib.Path(item["name"]).name == name
    ]
    return item


@pytest.mark.parametrize("rerank", [0, 5, 300])
def test_search_finds_what_the_index_does(
    client, photos, picture, tmp_path, rerank
):
    content = picture("greens")
    answer = client.post(
        f"/search?k=7&rerank={rerank}", content=content, headers=PNG
    )
    assert answer.status_code == 200
    with hn.Index.open(photos) as index:
        hits = asked(index, content, tmp_path, k=7, rerank=rerank)
        ids = {e.name: e.id for e in index.page(0, 100)[1]}
    found = answer.json()["hits"]
    assert as_hits(found) == [tuple(hit) for hit in hits]
    assert [x["id"] for x in found] == [ids[hit.name] for hit in hits]
    assert {hit.label for hit in hits[:5]} == {"greens"}


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "BMP", "PNG"])
def test_each_format_is_taken(client, picture, kind):
    for name in (f"image/{kind.lower()}", "application/octet-stream"):
        answer = client.post(
            "/search?k=9",
            content=picture("blues", format=kind),
            headers={"Content-Type": name},
        )
        labels = [hit["label"] for hit in answer.json()["hits"]]
        assert labels.count("blues") + labels.count(None) == 9


def test_codes(client, photos, picture, encoder, tmp_path):
    (tmp_path / "a.png").write_bytes(picture("reds"))
    answer = client.post("/codes", content=picture("reds"), headers=PNG)
    (code,) = encoder.encode_files([tmp_path / "a.png"])
    assert answer.json() == {
        "code": code.tobytes().hex(),
        "bits": 16,
        "encoder": encoder.model_digest,
    }


def test_like(client, photos):
    item = items_of(client)["items"][3]
    found = client.get(f"/like/{item['id']}?k=6").json()["hits"]
    with hn.Index.open(photos) as index:
        hits = index.like(item["name"], k=6)
    assert as_hits(found) == [tuple(hit) for hit in hits]
    assert item["id"] not in [x["id"] for x in found]


def test_items_by_class_and_page(client):
    assert items_of(client)["total"] == 38
    reds = items_of(client, label="reds", offset=5, limit=4)
    assert reds["total"] == 12 and len(reds["items"]) == 4
    assert {item["label"] for item in reds["items"]} == {"reds"}
    every = items_of(client, label="reds")["items"]
    assert reds["items"] == every[5:9]
    assert items_of(client, label="' OR 1=1 --") == {"total": 0, "items": []}
    assert items_of(client, offset=2**53)["items"] == []
    labels = client.get("/labels").json()["labels"]
    assert {label["label"]: label["items"] for label in labels} == {
        **{"blues": 12, "greens": 12, "reds": 12},
        "holidays by the sea, in the summer before the last one": 1,
    }


@pytest.mark.parametrize("radius", [0, 1, 3, 16])
def test_items_by_code(client, radius):
    every = items_of(client, limit=1000)["items"]
    code = every[4]["code"]
    # By the definition, bit by bit.
    distances = [
        (int(item["code"], 16) ^ int(code, 16)).bit_count() for item in every
    ]
    order = np.argsort(distances, kind="stable")
    near = [(every[i]["id"], distances[i]) for i in order]
    near = [pair for pair in near if pair[1] <= radius]
    page = items_of(client, code=code, radius=radius, offset=0, limit=1000)
    assert [(x["id"], x["distance"]) for x in page["items"]] == near
    assert page["total"] == len(near)
    some = items_of(client, code=code, radius=radius, offset=1, limit=3)
    assert some["items"] == page["items"][1:4]


def test_duplicates(client, photos):
    told = client.get("/duplicates").json()
    with hn.Index.open(photos) as index:
        groups = index.duplicates()
    assert [[x["name"] for x in group] for group in told["groups"]] == groups
    names = [{pathlib.Path(n).name for n in group} for group in groups]
    assert {"0.png", "copy.png"} in names
    assert told["total"] == len(groups)
    assert told["sizes"] == [len(group) for group in groups]
    page = client.get("/duplicates?radius=128&offset=0&limit=1").json()
    assert len(page["groups"]) == 1
    assert client.get("/duplicates?offset=9").json()["groups"] == []


def test_of_a_large_group_some_are_told(client, monkeypatch):
    whole = client.get("/duplicates?radius=128").json()
    ((first, *_), (size, *_)) = whole["groups"], whole["sizes"]
    assert len(first) == size > 5
    monkeypatch.setattr(questions, "TOLD", 5)
    cut = client.get("/duplicates?radius=128").json()
    assert cut["sizes"] == whole["sizes"] and cut["total"] == whole["total"]
    assert cut["groups"] == [group[:5] for group in whole["groups"]]


def test_healthz_and_metrics(client_of, photos, encoder):
    client = client_of(photos)
    assert client.get("/healthz").json() == {
        "items": 38,
        "bits": 16,
        "encoder": encoder.model_digest,
        "images": True,
        "vectors": False,
    }
    client.get("/like/7000")
    client.get("/what/ever")
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    lines = answer.text.splitlines()
    assert "hashnet_items 38.0" in lines
    for path, status in (
        ("/healthz", 200),
        ("/like/{id}", 404),
        ("other", 404),
    ):
        line = f'hashnet_requests_total{{path="{path}",status="{status}"}} 1.0'
        assert line in lines
    assert "/what/ever" not in answer.text


def test_it_sees_what_another_process_changes(
    client_of, encoder, picture, tmp_path
):
    (tmp_path / "one.png").write_bytes(picture("reds", 1))
    (tmp_path / "two.png").write_bytes(picture("reds", 2))
    with hn.Index.open(tmp_path / "a.index", encoder=encoder) as index:
        index.add_files([tmp_path / "one.png"])
        client = client_of(tmp_path / "a.index")
        query = {"content": picture("reds", 3), "headers": PNG}
        assert len(client.post("/search", **query).json()["hits"]) == 1
        assert client.get("/duplicates?radius=128").json()["total"] == 0
        index.add_files([tmp_path / "two.png"])
        hits = client.post("/search", **query).json()["hits"]
        assert len(hits) == 2
        assert client.get("/duplicates?radius=128").json()["total"] == 1
        index.remove([str(tmp_path / "one.png")])
        gone = [h["id"] for h in hits if h["name"].endswith("one.png")]
        assert client.get(f"/like/{gone[0]}").status_code == 404
        assert client.get(f"/thumbnails/{gone[0]}").status_code == 404
        assert client.get("/healthz").json()["items"] == 1


def test_openapi_tells_each_path(client):
    told = client.get("/openapi.json").json()
    assert set(told["paths"]) == {
        *("/search", "/codes", "/like/{id}", "/items", "/labels"),
        *("/duplicates", "/thumbnails/{id}", "/healthz", "/metrics"),
    }
    body = told["paths"]["/search"]["post"]["requestBody"]["content"]
    assert body["image/jpeg"]["schema"]["format"] == "binary"
    # No page that loads scripts of others.
    assert client.get("/docs").status_code == 404
    assert client.get("/redoc").status_code == 404


def test_an_index_of_codes_alone(client_of, codes_only, picture):
    client = client_of(codes_only)
    answer = client.get("/healthz").json()
    assert (answer["images"], answer["encoder"]) == (False, None)
    for path in ("/search", "/codes"):
        answer = client.post(path, content=picture("reds"), headers=PNG)
        assert answer.status_code == 409
        assert "needs its encoder" in answer.json()["error"]
    items = items_of(client)["items"]
    found = client.get(f"/like/{items[0]['id']}").json()["hits"]
    assert [hit["distance"] for hit in found] == [3, 16]
    # A name is no path, and what is no image is not shown.
    for item in items:
        assert client.get(f"/thumbnails/{item['id']}").status_code == 404
    assert client.get("/duplicates").json() == {
        "total": 0,
        "groups": [],
        "sizes": [],
    }


def test_eight_at_once_get_what_one_gets(address, picture):
    def posted(path, content):
        return ("post", path, content)

    queries = [
        posted(f"/{what}{given}", picture(kind, seed))
        for kind, seed in itertools.product(("reds", "blues"), range(500, 504))
        for what, given in (("search", "?k=20"), ("codes", ""))
    ]
    queries += [("get", f"/like/{i}?k=20", None) for i in range(1, 9)]
    queries += [("get", p, None) for p in ("/items", "/duplicates", "/labels")]
    queries += [("get", f"/thumbnails/{i}", None) for i in range(1, 9)]

    def answer(client, query):
        method, path, content = query
        options = {"content": content, "headers": PNG} if content else {}
        return client.request(method, address + path, **options).content

    with httpx.Client() as client:
        single = [answer(client, query) for query in queries]
    assert len(set(single)) > 25

    def all_answers(first):
        # Each asks in another order.
        order = [(first * 5 + i) % len(queries) for i in range(len(queries))]
        with httpx.Client(timeout=60) as client:
            found = {i: answer(client, queries[i]) for i in order}
        return [found[i] for i in range(len(queries))]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for found in pool.map(all_answers, range(8)):
            assert found == single


def test_thumbnails_are_small_jpegs_of_items_alone(client, photos):
    item = an_item(client, "copy.png")
    answer = client.get(f"/thumbnails/{item['id']}")
    assert answer.headers["content-type"] == "image/jpeg"
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.size == (80, 64)
    gone = an_item(client, "gone.png")
    answer = client.get(f"/thumbnails/{gone['id']}")
    assert answer.status_code == 404
    assert re.fullmatch(
        r"An item must be an image file .*gone\.png", answer.json()["error"]
    )


def test_it_closes_the_index(service_of, photos, tmp_path):
    copy = tmp_path / "copy.index"
    with hn.Index.open(photos) as index:
        index.copy(copy)
    with service_of(copy) as client:
        assert client.get("/healthz").status_code == 200
    assert [path.name for path in tmp_path.iterdir()] == ["copy.index"]
