"""Vespa: documents with a tensor of the bytes of a code."""

import collections.abc
import concurrent.futures
import itertools
import typing
import urllib.parse

import numpy as np

from hashnet_tf.index.stores.store import (
    About,
    Batch,
    Near,
    Store,
    key_of,
    load,
)
from hashnet_tf.retrieval.codes import Codes

TYPE = "hashnet_codes"
# Of the ids of the documents.
NAMESPACE = "hashnet"
# Id of the document that holds the note; those of codes are longer.
NOTE = "about"
# What one search gives at most, as Vespa comes (`maxHits`).
MOST = 400
# Documents that are under way at once: each is a request of its own.
AT_ONCE = 8


@typing.final
class VespaStore(Store):
    """Codes in documents of Vespa, `tensor<int8>` with the metric hamming.

    The schema is deployed beforehand, with `name`, `note` and `code`, of
    ceil(bits / 8) cells, and the rank profile `hamming`: docs/stores.md has it.
    It is for these documents alone. Vespa reads the bytes of a code as signed.

    Exact: it is asked without `approximate`, on all nodes. Of those that are
    tied at the last place Vespa chooses. `k` is 399 at most. Names are without
    control characters but tab and the ends of lines. The id of a document is
    the SHA-256 of its name; bits and encoder are in a document of their own,
    with a code of zeros, which is left out of what is found. A call of `add`
    that is killed leaves a part of it.

    **Not run against a server here**: the requests are tested against a
    stand-in that takes what is documented for Vespa 8,
    https://docs.vespa.ai/en/reference/api/document-v1.html,
    https://docs.vespa.ai/en/reference/api/query.html and
    https://docs.vespa.ai/en/querying/nearest-neighbor-search.html.

    Args:
        place: Str, "http://user:password@host:8080", and behind a "#" the
            document type, `hashnet_codes` where none is given.
        bits: As in `Store`.
        encoder: As in `Store`.

    Example:

    ```python
    with open_store("vespa:http://db:8080#photos", bits=64) as store:
        store.add(names, codes)
        store.search(codes[:1], k=10)
    ```
    """

    BATCH = 1_000
    IS_LOCAL = False

    def _connect(self) -> None:
        requests = typing.cast(typing.Any, load("requests", "vespa"))
        url, _, kind = self._place.partition("#")
        self._type = kind or TYPE
        self._url = url.rstrip("/")
        self._documents = f"/document/v1/{NAMESPACE}/{self._type}/docid"
        self._session = requests.Session()
        # It asks to come again where too much is under way.
        retry = requests.adapters.Retry(
            5,
            status_forcelist=(429, 503),
            allowed_methods=None,
            backoff_factor=0.2,
            raise_on_status=False,
        )
        self._session.mount(
            self._url,
            requests.adapters.HTTPAdapter(
                pool_maxsize=AT_ONCE, max_retries=retry
            ),
        )

    def _ask(
        self, method: str, path: str, accepted: int = 200, **how: typing.Any
    ) -> dict[str, typing.Any]:
        # The server itself gives up after 180 s.
        answer = self._session.request(
            method, self._url + path, timeout=200, **how
        )
        if answer.status_code not in (200, accepted):
            raise OSError(
                f"{self.told}: {method} {path}: {answer.status_code}"
                f" {answer.text[:500]}"
            )
        return answer.json()

    def _query(self, query: dict[str, typing.Any]) -> dict[str, typing.Any]:
        told = self._ask("POST", "/search/", json={"timeout": "60s", **query})
        root = told["root"]
        # What is late is left out of an answer that looks like any other.
        if "errors" in root or not root["coverage"]["full"]:
            raise OSError(
                f"{self.told}: not all was searched:"
                f" {root.get('errors', root.get('coverage'))}"
            )
        return root

    def _put(self, key: str, fields: dict[str, typing.Any]) -> None:
        path = f"{self._documents}/{key}"
        self._ask("POST", path, json={"fields": fields})

    def _count(self) -> int:
        root = self._query(
            {
                "yql": f"select name from {self._type} where true",
                "hits": 0,
                "ranking": "unranked",
            }
        )
        return root["fields"]["totalCount"]

    def _noted(self) -> str | None:
        path = f"{self._documents}/{NOTE}"
        fields = self._ask("GET", path, accepted=404).get("fields")
        if fields is not None:
            return fields.get("note", "")
        return "" if self._count() else None

    def _begin(self, about: About) -> None:
        # By its code a schema of another length is refused here already.
        code = [0] * -(-about.bits // 8)
        self._put(NOTE, {"note": about.text(), "code": code})

    def _each(
        self,
        function: collections.abc.Callable[..., object],
        *values: collections.abc.Iterable[typing.Any],
    ) -> None:
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            for _ in pool.map(function, *values):
                pass

    def _add(self, names: list[str], codes: Codes) -> None:
        def put(name: str, code: list[int]) -> None:
            self._put(key_of(name), {"name": name, "code": code})

        self._each(put, names, codes.view(np.int8).tolist())

    def _remove(self, names: list[str]) -> None:
        def remove(name: str) -> None:
            self._ask("DELETE", f"{self._documents}/{key_of(name)}")

        self._each(remove, names)

    def _search(
        self, codes: Codes, k: int
    ) -> collections.abc.Iterable[list[Near]]:
        if k >= MOST:
            raise ValueError(f"Vespa gives {MOST - 1} at most. Received: k={k}")
        # One more, for the note may be among them.
        nearest = (
            f"{{targetHits:{k + 1}, approximate:false}}nearestNeighbor(code, q)"
        )
        for code in codes.view(np.int8).tolist():
            root = self._query(
                {
                    "yql": f"select name from {self._type} where {nearest}",
                    "hits": k + 1,
                    "ranking": "hamming",
                    "input.query(q)": code,
                    # By default a node may be asked for fewer.
                    "dispatch.topKProbability": 1.0,
                }
            )
            # By the rank profile the score is 1 / (1 + distance).
            yield [
                Near(hit["fields"]["name"], round(1 / hit["relevance"] - 1))
                for hit in root.get("children", [])
                if "name" in hit["fields"]
            ][:k]

    def _visited(
        self,
    ) -> collections.abc.Iterator[tuple[str, list[int]]]:
        query = {
            "wantedDocumentCount": self.BATCH,
            "fieldSet": f"{self._type}:name,code",
            "format.tensors": "short-value",
        }
        while True:
            path = f"{self._documents}?{urllib.parse.urlencode(query)}"
            told = self._ask("GET", path)
            for document in told["documents"]:
                fields = document["fields"]
                if "name" in fields:
                    yield fields["name"], fields["code"]
            if "continuation" not in told:
                return
            query["continuation"] = told["continuation"]

    def _batches(self) -> collections.abc.Iterator[Batch]:
        found = self._visited()
        # A visit gives as many at once as Vespa likes.
        while some := list(itertools.islice(found, self.BATCH)):
            codes = np.array([code for _, code in some], np.int8)
            yield [name for name, _ in some], codes.view(np.uint8)

    def __len__(self) -> int:
        # But for the note.
        return self._count() - 1

    def close(self) -> None:
        """Closes the connections."""
        self._session.close()
