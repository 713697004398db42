"""Milvus: a collection with a vector of bits."""

import collections.abc
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

COLLECTION = "hashnet_codes"
# What one search gives at most.
MOST = 16_384
# Bytes of a text, as Milvus counts its length.
LONGEST = 65_535


@typing.final
class MilvusStore(Store):
    """Codes in a collection of Milvus, BINARY_VECTOR with the metric HAMMING.

    Exact: the index is BIN_FLAT, which compares all. Of those that are tied at
    the last place Milvus chooses. `k` is 16,384 at most, and a name has 65,535
    bytes at most. The dimension is the next multiple of 8, with zeros behind
    the last bit. The id of an entity is the SHA-256 of its name; bits and
    encoder are the description of the collection, which is of the consistency
    "Strong", so that what is done is seen by the next call. A call of `add`
    that is killed may leave a part of it.

    **Not run against a server here**, but against Milvus Lite 2.5: the core of
    Milvus behind the same protocol, without its cluster. Milvus Lite 3 is
    another engine and has no vectors of bits.

    Args:
        place: Str, "http://user:password@host:19530", and behind a "#" the
            collection, `hashnet_codes` where none is given, of letters, digits
            and underscores.
        bits: As in `Store`.
        encoder: As in `Store`.

    Example:

    ```python
    with open_store("milvus:http://db:19530#photos", bits=64) as store:
        store.add(names, codes)
        store.search(codes[:1], k=10)
    ```
    """

    BATCH = 1_000
    IS_LOCAL = False

    def _connect(self) -> None:
        milvus = typing.cast(typing.Any, load("pymilvus", "milvus"))
        self._types = milvus.DataType
        url, _, collection = self._place.partition("#")
        self._collection = collection or COLLECTION
        self._client = milvus.MilvusClient(url)

    def _noted(self) -> str | None:
        if not self._client.has_collection(self._collection):
            return None
        told = self._client.describe_collection(self._collection)
        note = told["description"]
        if note:
            # It may have been released, and then nothing is found in it.
            self._client.load_collection(self._collection)
        return note

    def _begin(self, about: About) -> None:
        types = self._types
        schema = self._client.create_schema(
            auto_id=False,
            enable_dynamic_field=False,
            description=about.text(),
        )
        schema.add_field("id", types.VARCHAR, is_primary=True, max_length=64)
        schema.add_field("name", types.VARCHAR, max_length=LONGEST)
        schema.add_field(
            "code", types.BINARY_VECTOR, dim=8 * -(-about.bits // 8)
        )
        index = self._client.prepare_index_params()
        index.add_index("code", index_type="BIN_FLAT", metric_type="HAMMING")
        self._client.create_collection(
            self._collection,
            schema=schema,
            index_params=index,
            consistency_level="Strong",
        )

    def _ids(self, names: list[str]) -> list[str]:
        return [key_of(name) for name in names]

    def _add(self, names: list[str], codes: Codes) -> None:
        self._client.upsert(
            self._collection,
            [
                {"id": key, "name": name, "code": code.tobytes()}
                for key, name, code in zip(
                    self._ids(names), names, codes, strict=True
                )
            ],
        )

    def _remove(self, names: list[str]) -> None:
        self._client.delete(self._collection, ids=self._ids(names))

    def _search(
        self, codes: Codes, k: int
    ) -> collections.abc.Iterable[list[Near]]:
        if k > MOST:
            raise ValueError(f"Milvus gives {MOST:,} at most. Received: k={k}")
        for code in codes:
            (found,) = self._client.search(
                self._collection,
                data=[code.tobytes()],
                anns_field="code",
                search_params={"metric_type": "HAMMING"},
                limit=k,
                output_fields=["name"],
            )
            yield [
                Near(hit["entity"]["name"], round(hit["distance"]))
                for hit in found
            ]

    def _batches(self) -> collections.abc.Iterator[Batch]:
        found = self._client.query_iterator(
            self._collection,
            batch_size=self.BATCH,
            output_fields=["name", "code"],
        )
        try:
            while some := found.next():
                joined = b"".join(b"".join(each["code"]) for each in some)
                codes = np.frombuffer(joined, np.uint8)
                yield (
                    [each["name"] for each in some],
                    codes.reshape(len(some), self.width),
                )
        finally:
            found.close()

    def __len__(self) -> int:
        (told,) = self._client.query(
            self._collection, output_fields=["count(*)"]
        )
        return told["count(*)"]

    def close(self) -> None:
        """Closes the client."""
        self._client.close()
