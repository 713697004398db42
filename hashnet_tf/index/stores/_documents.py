"""Engines of documents: what Elasticsearch and OpenSearch have in common."""

import abc
import collections.abc
import itertools
import typing

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

INDEX = "hashnet_codes"
# Of the note in the mapping of the index.
KEY = "hashnet_tf"
# What one search gives at most, as the engines come (`max_result_window`).
MOST = 10_000


class DocumentStore(Store):
    """A document for each code: `name`, `code`, and the code in hex, `hex`.

    The vector is not read back, since the engines may keep it out of what they
    return: `hex` is, which is not indexed. The id of a document is the SHA-256
    of its name. A call of `add` that is killed leaves a part of it.
    """

    BATCH = 1_000
    IS_LOCAL = False
    # Of the client's package, and the class in it.
    PACKAGE: typing.ClassVar[str]
    CLIENT: typing.ClassVar[str]

    @property
    @abc.abstractmethod
    def _settings(self) -> dict[str, typing.Any]:
        """Dict, the settings of a new index."""

    @abc.abstractmethod
    def _field(self, dimensions: int) -> dict[str, typing.Any]:
        """Returns the mapping of `code`, of so many bits."""

    @abc.abstractmethod
    def _script(self, code: list[int]) -> dict[str, typing.Any]:
        """Returns the script by which a document is scored."""

    @abc.abstractmethod
    def _distance(self, score: float) -> int:
        """Returns the distance that a score means."""

    def _connect(self) -> None:
        module = load(self.PACKAGE, self.CLIENT.lower())
        self._helpers = typing.cast(
            typing.Any, load(f"{self.PACKAGE}.helpers", self.CLIENT.lower())
        )
        url, _, index = self._place.partition("#")
        self._index = index or INDEX
        self._client = getattr(module, self.CLIENT)(url)

    def _noted(self) -> str | None:
        if not self._client.indices.exists(index=self._index):
            return None
        found = self._client.indices.get_mapping(index=self._index)
        meta = found[self._index]["mappings"].get("_meta", {})
        return meta.get(KEY, "")

    def _begin(self, about: About) -> None:
        kept = {"type": "keyword", "index": False, "doc_values": False}
        properties = {
            "name": {"type": "keyword"},
            "hex": kept,
            "code": self._field(8 * -(-about.bits // 8)),
        }
        self._client.indices.create(
            index=self._index,
            body={
                "settings": self._settings,
                "mappings": {
                    "_meta": {KEY: about.text()},
                    "dynamic": "strict",
                    "properties": properties,
                },
            },
        )

    def _bulk(
        self, actions: collections.abc.Iterable[dict[str, typing.Any]]
    ) -> None:
        # What is done is seen by the next search.
        self._helpers.bulk(
            self._client, actions, refresh=True, ignore_status=(404,)
        )

    def _action(self, kind: str, name: str) -> dict[str, typing.Any]:
        return {
            "_op_type": kind,
            "_index": self._index,
            "_id": key_of(name),
        }

    def _add(self, names: list[str], codes: Codes) -> None:
        self._bulk(
            self._action("index", name)
            | {
                "name": name,
                "hex": code.tobytes().hex(),
                "code": code.view(np.int8).tolist(),
            }
            for name, code in zip(names, codes, strict=True)
        )

    def _remove(self, names: list[str]) -> None:
        self._bulk(self._action("delete", name) for name in names)

    def _search(
        self, codes: Codes, k: int
    ) -> collections.abc.Iterable[list[Near]]:
        if k > MOST:
            raise ValueError(
                f"{self.CLIENT} gives {MOST:,} at most. Received: k={k}"
            )
        for code in codes.view(np.int8).tolist():
            found = self._client.search(
                index=self._index,
                body={
                    "size": k,
                    "_source": ["name"],
                    "query": {
                        "script_score": {
                            "query": {"match_all": {}},
                            "script": self._script(code),
                        }
                    },
                    "sort": [{"_score": "desc"}, {"name": "asc"}],
                },
            )
            yield [
                Near(hit["_source"]["name"], self._distance(hit["_score"]))
                for hit in found["hits"]["hits"]
            ]

    def _batches(self) -> collections.abc.Iterator[Batch]:
        hits = self._helpers.scan(
            self._client,
            index=self._index,
            query={"_source": ["name", "hex"], "query": {"match_all": {}}},
        )
        while some := list(itertools.islice(hits, self.BATCH)):
            joined = bytes.fromhex("".join(h["_source"]["hex"] for h in some))
            codes = np.frombuffer(joined, np.uint8).reshape(len(some), -1)
            yield [hit["_source"]["name"] for hit in some], codes

    def __len__(self) -> int:
        return self._client.count(index=self._index)["count"]

    def close(self) -> None:
        """Closes the client."""
        self._client.close()
