"""FAISS: a flat binary index in a file that FAISS' other programs read."""

import typing

import numpy as np

from hashnet_tf.index.stores._numbered import Ids, NumberedStore
from hashnet_tf.index.stores.store import load
from hashnet_tf.retrieval.codes import Codes


@typing.final
class FaissStore(NumberedStore):
    """Codes in an `IndexBinaryIDMap` over an `IndexBinaryFlat`, in a folder.

    Exact. Of those that are tied at the last place FAISS chooses. Codes of
    other than whole bytes have zeros behind their last bit in FAISS' file, so
    its `d` is the next multiple of 8.

    ```python
    index = faiss.read_index_binary("photos.faiss/codes.3.faiss")
    distances, ids = index.search(codes, 10)
    ```

    The names of the ids are in `names.3.json` beside it.

    Args:
        place: Str, path of the folder.
        bits: As in `Store`.
        encoder: As in `Store`.

    Example:

    >>> import pathlib, tempfile, numpy as np
    >>> from hashnet_tf.index.stores import open_store
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with open_store(f"faiss:{folder}/codes", bits=8) as store:
    ...         store.add(["a", "b"], np.array([[0], [7]], "uint8"))
    ...         print(store.search(np.array([[3]], "uint8"), k=1)[0])
    ...     print(*sorted(p.name for p in pathlib.Path(folder).glob("*/*.1.*")))
    [Near(name='b', distance=1)]
    codes.1.faiss names.1.json
    """

    ENDING = "faiss"

    def _connect(self) -> None:
        self._faiss = typing.cast(typing.Any, load("faiss", "faiss"))
        super()._connect()

    def _new(self, width: int) -> typing.Any:
        flat = self._faiss.IndexBinaryFlat(8 * width)
        index = self._faiss.IndexBinaryIDMap(flat)
        # Kept by a name: FAISS holds it by its address alone.
        index.held = flat
        return index

    def _read(self, path: str) -> typing.Any:
        return self._faiss.read_index_binary(path)

    def _write(self, engine: typing.Any, path: str) -> None:
        self._faiss.write_index_binary(engine, path)

    def _put(self, engine: typing.Any, ids: Ids, codes: Codes) -> None:
        engine.add_with_ids(codes, ids)

    def _drop(self, engine: typing.Any, ids: Ids) -> None:
        engine.remove_ids(ids)

    def _nearest(
        self, engine: typing.Any, codes: Codes, k: int
    ) -> tuple[typing.Any, typing.Any]:
        return engine.search(codes, k)

    def _codes(self, engine: typing.Any, ids: Ids) -> Codes:
        there = self._faiss.vector_to_array(engine.id_map)
        flat = self._faiss.downcast_IndexBinary(engine.index)
        codes = self._faiss.vector_to_array(flat.xb).reshape(len(there), -1)
        order = np.argsort(there)
        return codes[order[np.searchsorted(there, ids, sorter=order)]]
