"""Qdrant: a collection of a server, or of a folder without one."""

import collections.abc
import os
import re
import typing
import uuid

import numpy as np

from hashnet_tf.index.stores.store import About, Batch, Near, Store, load
from hashnet_tf.retrieval.codes import Codes

COLLECTION = "hashnet_codes"
# Of the note in the metadata of the collection.
KEY = "hashnet_tf"


@typing.final
class QdrantStore(Store):
    """Codes in a collection of Qdrant: a vector of zeros and ones for each.

    Qdrant has no vectors of bits: between vectors of zeros and ones the
    Manhattan distance is Hamming's, at a byte a bit. Exact: it is asked for an
    exact search. Of those that are tied at the last place Qdrant chooses. The
    id of a point is a UUID of its name, which is in the payload, `name`.

    Run here in the client's local mode, in a folder: for some thousands of
    codes, by one process at a time, and a call of `add` that is killed leaves a
    part of it. **Not run against a server here**: it gets the same calls.

    Args:
        place: Str, "http://host:6333", or the path of a folder, and behind a
            "#" the collection, `hashnet_codes` where none is given. A key is
            taken from QDRANT_API_KEY.
        bits: As in `Store`.
        encoder: As in `Store`.

    Example:

    ```python
    with open_store("qdrant:http://db:6333#photos", bits=64) as store:
        store.add(names, codes)
        store.search(codes[:1], k=10)
    ```
    """

    # A vector is sent as text.
    BATCH = 1_000
    IS_LOCAL = False

    def _connect(self) -> None:
        client = typing.cast(typing.Any, load("qdrant_client", "qdrant"))
        self._models = client.models
        place, _, collection = self._place.partition("#")
        self._collection = collection or COLLECTION
        self._exact: typing.Any = None
        if re.match("https?://", place):
            key = os.environ.get("QDRANT_API_KEY")
            self._client = client.QdrantClient(url=place, api_key=key)
            # What has no graph is exact, and warns of being asked for it.
            self._exact = client.models.SearchParams(exact=True)
        else:
            self._client = client.QdrantClient(path=place)

    def _noted(self) -> str | None:
        if not self._client.collection_exists(self._collection):
            return None
        told = self._client.get_collection(self._collection)
        return (told.config.metadata or {}).get(KEY, "")

    def _begin(self, about: About) -> None:
        models = self._models
        self._client.create_collection(
            self._collection,
            vectors_config=models.VectorParams(
                size=about.bits,
                distance=models.Distance.MANHATTAN,
                datatype=models.Datatype.UINT8,
            ),
            metadata={KEY: about.text()},
        )

    def _ids(self, names: list[str]) -> list[str]:
        return [str(uuid.uuid5(uuid.NAMESPACE_URL, name)) for name in names]

    def _vectors(self, codes: Codes) -> list[list[int]]:
        return np.unpackbits(codes, axis=1, count=self.bits).tolist()

    def _add(self, names: list[str], codes: Codes) -> None:
        self._client.upsert(
            self._collection,
            self._models.Batch(
                ids=self._ids(names),
                vectors=self._vectors(codes),
                payloads=[{"name": name} for name in names],
            ),
            wait=True,
        )

    def _remove(self, names: list[str]) -> None:
        points = self._models.PointIdsList(points=self._ids(names))
        self._client.delete(self._collection, points, wait=True)

    def _search(
        self, codes: Codes, k: int
    ) -> collections.abc.Iterable[list[Near]]:
        for vector in self._vectors(codes):
            found = self._client.query_points(
                self._collection,
                query=vector,
                limit=k,
                with_payload=True,
                search_params=self._exact,
            )
            yield [
                Near(point.payload["name"], round(point.score))
                for point in found.points
            ]

    def _batches(self) -> collections.abc.Iterator[Batch]:
        offset = None
        while True:
            points, offset = self._client.scroll(
                self._collection,
                limit=self.BATCH,
                offset=offset,
                with_vectors=True,
            )
            ones = np.array([point.vector for point in points], np.uint8)
            codes = np.packbits(ones.reshape(-1, self.bits), axis=1)
            yield [point.payload["name"] for point in points], codes
            if offset is None:
                return

    def __len__(self) -> int:
        return self._client.count(self._collection, exact=True).count

    def close(self) -> None:
        """Closes the client."""
        self._client.close()
