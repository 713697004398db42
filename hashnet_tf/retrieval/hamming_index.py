"""An index of packed codes: add, remove, search, save, load."""

import hashlib
import json
import os
import pathlib
from typing import Any

import numpy as np
import numpy.typing as npt

from hashnet_tf._files import written_beside
from hashnet_tf.retrieval.codes import (
    BIT_ORDER,
    Codes,
    check_codes,
    check_count,
)
from hashnet_tf.retrieval.neighbors import range_search, search

FORMAT = 1
KINDS = ("exact", "flat", "ivf", "multihash", "hnsw")
LARGEST_ID = 2**63 - 1
# Of a walk through the graph of "hnsw".
FEWEST_CANDIDATES = 64


class HammingIndex:
    """Codes with ids, searched by Hamming distance.

    `kind="exact"` compares with every code, in numpy. The others are binary
    indexes of FAISS (`pip install 'hashnet_tf[faiss]'`) behind the same
    methods: "flat" is exact and some times faster; "ivf" looks only into the
    nearest of sqrt(n) clusters, "multihash" only at codes that agree nearly in
    one of their parts, "hnsw" walks a graph of neighbours. How much these miss
    is what `recall` measures. Ids and codes are kept here, and FAISS' part is
    built of them at the first search after a change.

    Args:
        bits: Int >= 1, length K of the codes.
        kind: "exact", "flat", "ivf", "multihash" or "hnsw".

    Attributes:
        codes: uint8 `[n, ceil(bits / 8)]`, in the order of their adding.
        ids: int64 `[n]`.

    Raises:
        ValueError: If `bits` or `kind` is none of these.
        ImportError: If `kind` needs FAISS and it is not installed.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval import HammingIndex
    >>> index = HammingIndex(bits=8)
    >>> index.add(np.array([[255], [1], [0]], dtype="uint8"), ids=[7, 5, 9])
    >>> distances, ids = index.search(np.array([[0]], dtype="uint8"), k=2)
    >>> distances.tolist(), ids.tolist()
    ([[0, 1]], [[9, 5]])
    """

    def __init__(self, bits: int, kind: str = "exact") -> None:
        self.bits: int = check_count(bits, "bits")
        if kind not in KINDS:
            raise ValueError(
                f"`kind` must be one of {', '.join(KINDS)}."
                f" Received: kind={kind!r}"
            )
        self.kind: str = kind
        self.codes: Codes = np.zeros((0, -(-self.bits // 8)), np.uint8)
        self.ids: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self._built: Any = None
        if kind != "exact":
            load_faiss("This kind of index")

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, codes: Codes, ids: npt.ArrayLike | None = None) -> None:
        """Adds codes behind those that are there.

        Args:
            codes: uint8 `[m, ceil(bits / 8)]`.
            ids: m integers from 0 to 2^63 - 1, of which none is there yet;
                None goes on from the largest that is there, beginning with
                0, so that the ids of removed codes may come again.

        Raises:
            ValueError: If the codes are malformed, the ids no integers or not
                as many, or one is there already or twice. Nothing is added
                then.
        """
        codes = check_codes(codes, self.bits)
        if ids is None:
            first = int(self.ids.max(initial=-1)) + 1
            if first + len(codes) - 1 > LARGEST_ID:
                raise ValueError(
                    "Ids must be given where the largest leaves no room behind"
                    f" it. Received: {len(codes)} codes, largest id {first - 1}"
                )
            # Behind the largest there is room for no codes, which is no error.
            ids = np.arange(len(codes)) + min(first, LARGEST_ID)
        ids = _check_ids(ids)
        if len(ids) != len(codes):
            raise ValueError(
                "Each code needs an id."
                f" Received: {len(codes)} codes and {len(ids)} ids"
            )
        again = self._again(ids)
        if len(again):
            raise ValueError(
                "Each id must be new and given once."
                f" Received: ids={again[:10].tolist()} again"
            )
        self.codes = np.concatenate([self.codes, codes])
        self.ids = np.concatenate([self.ids, ids])
        self._built = None

    def _again(self, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Returns those ids that are there already or twice, in order."""
        unique, counts = np.unique(ids, return_counts=True)
        # Ids behind the largest, as most are, need no look at the others.
        old = unique[unique <= self.ids.max(initial=-1)]
        return np.union1d(
            unique[counts > 1], old[np.isin(old, self.ids)] if len(old) else old
        )

    def remove(self, ids: npt.ArrayLike) -> None:
        """Removes the codes of `ids`.

        Raises:
            ValueError: If one is not there. Nothing is removed then.
        """
        ids = _check_ids(ids)
        unknown = ids[~np.isin(ids, self.ids)]
        if len(unknown):
            raise ValueError(
                "Only ids that are there can be removed."
                f" Received: ids={unknown[:10].tolist()}"
            )
        keep = ~np.isin(self.ids, ids)
        self.codes, self.ids = self.codes[keep], self.ids[keep]
        self._built = None

    def search(
        self, query_codes: Codes, k: int
    ) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.int64]]:
        """Finds the k nearest codes of each query.

        Args:
            query_codes: uint8 `[q, ceil(bits / 8)]`.
            k: Int >= 1.

        Returns:
            `(distances, ids)`, uint16 and int64 `[q, min(k, n)]`, the nearest
            first, items at equal distance as they were added. FAISS' kinds
            leave open which of the items tied at the last place come in, and
            where an inexact one finds fewer than k, the rest has id -1 and
            distance bits + 1.

        Raises:
            ValueError: If the codes are malformed or `k` is no positive
                integer.
        """
        query_codes = check_codes(query_codes, self.bits, "query_codes")
        if self.kind == "exact" or not len(self):
            distances, places = search(query_codes, self.codes, k)
            return distances, self.ids[places]
        # The same check of k, and the answer for no queries.
        search(query_codes[:0], self.codes, k)
        return self._search_faiss(query_codes, int(min(k, len(self))))

    def range_search(
        self, query_codes: Codes, radius: int
    ) -> tuple[list[npt.NDArray[np.uint16]], list[npt.NDArray[np.int64]]]:
        """Finds all codes within a Hamming radius of each query, exactly.

        Args:
            query_codes: uint8 `[q, ceil(bits / 8)]`.
            radius: Int >= 0, in bits.

        Returns:
            `(distances, ids)`, lists of q arrays, uint16 and int64, the
            nearest first, items at equal distance as they were added.

        Raises:
            ValueError: If the codes are malformed or `radius` is negative.
        """
        query_codes = check_codes(query_codes, self.bits, "query_codes")
        distances, places = range_search(query_codes, self.codes, radius)
        return distances, [self.ids[found] for found in places]

    def recall(self, query_codes: Codes, k: int) -> float:
        """Measures which share of the k nearest `search` finds.

        An item counts as found if it is no farther than the k-th nearest, so
        that ties cost nothing.

        Args:
            query_codes: uint8 `[q, ceil(bits / 8)]`, q >= 1.
            k: Int >= 1.

        Returns:
            Float in [0, 1].

        Raises:
            ValueError: If there are no queries or no codes, or as `search`.
        """
        if not len(self) or not len(query_codes):
            raise ValueError(
                "Recall needs queries and codes. Received:"
                f" {len(query_codes)} queries, {len(self)} codes"
            )
        exact, _ = search(query_codes, self.codes, k)
        found, _ = self.search(query_codes, k)
        return float(np.mean(found <= exact[:, -1:]))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the index into one file, whole or not at all."""
        header = {
            "format": FORMAT,
            "bits": self.bits,
            "bit_order": BIT_ORDER,
            "kind": self.kind,
            "digest": _digest(self.codes, self.ids),
        }
        with written_beside(path) as beside, beside.open("wb") as file:
            np.savez(
                file,
                header=np.frombuffer(json.dumps(header).encode(), np.uint8),
                codes=self.codes,
                ids=self.ids,
            )

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], bits: int | None = None
    ) -> "HammingIndex":
        """Reads an index that `save` wrote.

        Args:
            path: Str or path of the file.
            bits: Int, the bits it must be of, or None for any.

        Raises:
            ValueError: If the file is none or damaged, or of other bits.
        """
        path = pathlib.Path(path)
        try:
            # Opened here, for `np.load` leaves a damaged archive open.
            with (
                path.open("rb") as file,
                np.load(file, allow_pickle=False) as archive,
            ):
                header = json.loads(archive["header"].tobytes())
                codes, ids = archive["codes"], archive["ids"]
            if header["format"] != FORMAT or header["bit_order"] != BIT_ORDER:
                raise ValueError(f"header {header}")
            if header["digest"] != _digest(codes, ids):
                raise ValueError("a content of another digest")
        except FileNotFoundError:
            raise
        except Exception as error:
            # By a damaged file zipfile and numpy's parser fail in many ways.
            raise ValueError(
                "An index must be a whole file that `HammingIndex.save` wrote."
                f" Received: {path} with {error!r}"
            ) from error
        if bits is not None and header["bits"] != bits:
            raise ValueError(
                f"The index must be of {bits} bits."
                f" Received: {path} of {header['bits']} bits"
            )
        index = cls(header["bits"], header["kind"])
        index.add(codes, ids)
        return index

    def __getstate__(self) -> dict[str, Any]:
        # What FAISS has built is built again where it is wanted.
        return {**self.__dict__, "_built": None}

    def _search_faiss(self, query_codes, k):
        if self._built is None:
            self._built = _build(self.kind, self.codes)
        if self.kind == "hnsw":
            # A walk that keeps fewer candidates than k finds fewer than k.
            self._built.hnsw.efSearch = max(FEWEST_CANDIDATES, k)
        found, places = self._built.search(np.ascontiguousarray(query_codes), k)
        missing = places < 0
        distances = np.where(missing, self.bits + 1, found).astype(np.uint16)
        # FAISS leaves the order of ties open.
        order = np.lexsort((np.where(missing, len(self), places), distances))
        distances = np.take_along_axis(distances, order, axis=1)
        places = np.take_along_axis(places, order, axis=1)
        ids = np.where(places < 0, -1, self.ids[places])
        return distances, ids


def load_faiss(what: str) -> Any:
    """Imports FAISS.

    Args:
        what: Str, what needs it, the first words of the error.

    Raises:
        ImportError: If it is not installed.
    """
    try:
        import faiss
    except ImportError as error:
        raise ImportError(
            f"{what} needs FAISS: pip install 'hashnet_tf[faiss]'"
        ) from error
    return faiss


def _build(kind, codes):
    faiss = load_faiss("This kind of index")
    n, width = codes.shape
    bits = 8 * width
    if kind == "flat":
        index = faiss.IndexBinaryFlat(bits)
    elif kind == "ivf":
        clusters = max(1, int(n**0.5))
        quantizer = faiss.IndexBinaryFlat(bits)
        index = faiss.IndexBinaryIVF(quantizer, bits, clusters)
        # Kept by a name: FAISS holds it by its address alone.
        setattr(index, "held", quantizer)  # noqa: B010
        index.nprobe = max(1, clusters // 8)
        index.cp.min_points_per_centroid = 1
        index.train(codes)
    elif kind == "multihash":
        # Parts of about log2(n) bits, so that a bucket holds about one code.
        part = int(np.clip(np.log2(max(n, 2)), 1, min(bits, 24)))
        index = faiss.IndexBinaryMultiHash(bits, bits // part, part)
        index.nflip = 2
    else:
        index = faiss.IndexBinaryHNSW(bits, 32)
    index.add(np.ascontiguousarray(codes))
    return index


def _check_ids(ids):
    ids = np.asarray(ids)
    if ids.ndim != 1 or (ids.size and ids.dtype.kind not in "iu"):
        raise ValueError(
            "`ids` must be integers [m]."
            f" Received: ids.shape={ids.shape}, ids.dtype={ids.dtype}"
        )
    if ids.size and ids.min() < 0:
        raise ValueError(
            "`ids` must not be negative; -1 stands for nothing found."
            f" Received: {ids.min()}"
        )
    if ids.size and ids.max() > LARGEST_ID:
        raise ValueError(
            f"`ids` must not be above {LARGEST_ID}. Received: {ids.max()}"
        )
    return ids.astype(np.int64)


def _digest(codes, ids):
    digest = hashlib.sha256(f"{codes.shape} {ids.shape}".encode())
    digest.update(np.ascontiguousarray(codes).data)
    digest.update(np.ascontiguousarray(ids).data)
    return digest.hexdigest()
