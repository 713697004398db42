"""USearch: a graph of neighbours (HNSW) in a file that many languages read."""

import typing

import numpy as np

from hashnet_tf.index.stores._numbered import Ids, NumberedStore
from hashnet_tf.index.stores.store import load
from hashnet_tf.retrieval.codes import Codes

# Candidates that a walk keeps.
FEWEST = 64


@typing.final
class UsearchStore(NumberedStore):
    """Codes in a graph of USearch (`metric=Hamming, dtype="b1"`), in a folder.

    Not exact: a walk through the graph misses some of the nearest, of codes
    that are alike more than of random ones (docs/stores.md tells how many). The
    distances of those that it finds are exact. Codes of other than whole bytes
    have zeros behind their last bit.

    Args:
        place: Str, path of the folder.
        bits: As in `Store`.
        encoder: As in `Store`.

    Example:

    ```python
    with open_store("usearch:photos.usearch", bits=64) as store:
        store.add(names, codes)
        store.search(codes[:1], k=10)
    ```
    """

    ENDING = "usearch"

    def _connect(self) -> None:
        self._usearch = typing.cast(
            typing.Any, load("usearch.index", "usearch")
        )
        super()._connect()

    def _new(self, width: int) -> typing.Any:
        return self._usearch.Index(
            ndim=8 * width,
            metric=self._usearch.MetricKind.Hamming,
            dtype="b1",
        )

    def _read(self, path: str) -> typing.Any:
        return self._usearch.Index.restore(path)

    def _write(self, engine: typing.Any, path: str) -> None:
        engine.save(path)

    def _put(self, engine: typing.Any, ids: Ids, codes: Codes) -> None:
        engine.add(ids.astype(np.uint64), codes)

    def _drop(self, engine: typing.Any, ids: Ids) -> None:
        engine.remove(ids.astype(np.uint64))

    def _nearest(
        self, engine: typing.Any, codes: Codes, k: int
    ) -> tuple[typing.Any, typing.Any]:
        # A walk that keeps fewer candidates than k finds fewer than k.
        engine.expansion_search = max(2 * k, FEWEST)
        distances = np.zeros((len(codes), k), np.int64)
        ids = np.full((len(codes), k), -1, np.int64)
        for row, code in enumerate(codes):
            found = engine.search(code, k)
            distances[row, : len(found)] = found.distances
            ids[row, : len(found)] = found.keys
        return distances, ids

    def _codes(self, engine: typing.Any, ids: Ids) -> Codes:
        return np.array(engine.get(ids.astype(np.uint64)), np.uint8)
