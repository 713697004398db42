"""The nearest by their codes, and their order by features or by z."""

import abc
import os
import pathlib
import typing

import numpy as np
import numpy.typing as npt

from hashnet_tf.datasets.pixels.pillow import check_paths, image_pixels
from hashnet_tf.index._checks import check_names
from hashnet_tf.index._database import Path
from hashnet_tf.index.duplicates import RADIUS, duplicate_groups
from hashnet_tf.index.files import codes_and_features, z_of
from hashnet_tf.index.fitting import awaits_fit
from hashnet_tf.index.item_file import Item, ItemFile, Told
from hashnet_tf.index.ranking import (
    RANKINGS,
    RERANKED,
    Hit,
    Ranking,
    ranked_by_features,
    ranked_by_z,
)
from hashnet_tf.retrieval.codes import Codes, check_codes, check_count, pack
from hashnet_tf.retrieval.hamming_index import HammingIndex

if typing.TYPE_CHECKING:
    from hashnet_tf.runs import Encoder


class Searched(abc.ABC):
    """What `Index` finds, and by what; it adds how an index changes.

    Attributes:
        path: `pathlib.Path` of the file.
        bits: Int, length K of the codes.
    """

    path: pathlib.Path
    bits: int

    def __init__(self, file: ItemFile) -> None:
        self._file = file
        self.path, self.bits = file.path, file.bits
        # As they were last read, and the state of the file then.
        self._codes = HammingIndex(file.bits)
        self._version: tuple[int, int] | None = None

    @abc.abstractmethod
    def _needed(self, what: str) -> "Encoder":
        """Returns the encoder, or raises of what it is needed for."""

    def search(
        self,
        query: Path | npt.NDArray,
        k: int = 10,
        rerank: int = RERANKED,
        by: Ranking = "features",
    ) -> list[Hit]:
        """Finds the nearest items, exactly.

        Args:
            query: Path of an image file or an image, uint8 `[height, width, 3]`
                of the encoder's size, which the encoder encodes, or a vector,
                floats `[d]`, for an encoder of these; or a code, uint8
                `[ceil(bits / 8)]`.
            k: Int >= 1.
            rerank: Int >= 0. So many that are nearest by their codes are put
                in another order.
            by: Str, in which: "features", that of the cosine of the features,
                where the index keeps them and no code is asked with; or "z",
                that of the asymmetric distance of their codes from the query's
                z (`hashnet_tf.retrieval.asymmetric_search`), of which the index
                need keep nothing more and the encoder must give z.

        Returns:
            List of at most k `Hit`, the nearest first, items at equal distance
            as they were added.

        Raises:
            ValueError: If the query, `k`, `rerank` or `by` is none of these, an
                image is given and there is no encoder, or z is asked for and
                the encoder gives none, or a code is given.
            FileNotFoundError: If there is no file of that path.
        """
        if by not in RANKINGS:
            raise ValueError(
                f"`by` must be one of {', '.join(RANKINGS)}."
                f" Received: by={by!r}"
            )
        # One state, so that the encoder is the one that the codes are of.
        with self._file.reading():
            if isinstance(query, (str, os.PathLike)):
                encoder = self._needed("search for a file")
                if encoder.image_size is None:
                    raise ValueError(
                        "An index of vectors is asked with one, floats [d]."
                        f" Received: {query}"
                    )
                (path,) = check_paths([query])
                size, framing = encoder.image_size, encoder.framing
                pixels = image_pixels(path, size, framing)
                return self._asked(pixels, k, rerank, by)
            is_vector = (
                np.ndim(query) == 1 and np.asarray(query).dtype.kind == "f"
            )
            if np.ndim(query) == 3 or is_vector:
                return self._asked(np.asarray(query), k, rerank, by)
            if by == "z":
                raise ValueError(
                    "To rank by z an index is asked with an image, a vector, or"
                    f" by `search_z`. Received: a code, {query!r}"
                )
            code = check_codes(np.asarray(query)[None], self.bits, "query")
            return self._found(code, None, k, rerank)

    def search_z(
        self, z: npt.ArrayLike, k: int = 10, rerank: int = RERANKED
    ) -> list[Hit]:
        """Finds the items nearest to a query that is given before it is bits.

        As `search` with by="z", where the encoder gives codes alone, or none
        is in the index.

        Args:
            z: Floats `[bits]`, as `HashNet.logits` or `LiteRTEncoder.embed`
                gives them, a row.
            k: As in `search`.
            rerank: As in `search`.

        Returns:
            As `search`.

        Raises:
            ValueError: If `z`, `k` or `rerank` is none of these.

        Example:

        >>> import tempfile, numpy as np, hashnet_tf as hn
        >>> codes = np.array([[0b01000000], [0b10000000]], "uint8")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with hn.Index.open(f"{folder}/a.index", bits=8) as index:
        ...         _ = index.add(["a", "b"], codes)
        ...         for hit in index.search_z([3.0, 1.0] + [-2.0] * 6):
        ...             print(hit.name, hit.distance, hit.asymmetric)
        b 1 1.0
        a 1 3.0
        """
        values = np.asarray(z)
        if (
            values.shape != (self.bits,)
            or values.dtype.kind != "f"
            or not np.isfinite(values).all()
        ):
            raise ValueError(
                f"`z` must be finite floats [{self.bits}]. Received:"
                f" z.shape={values.shape}, z.dtype={values.dtype}"
            )
        with self._file.reading():
            return self._found_by_z(values, k, rerank)

    def like(self, name: str, k: int = 10, rerank: int = RERANKED) -> list[Hit]:
        """Finds the items nearest to one of them.

        Args:
            name: Str, by which it was added.
            k: As in `search`.
            rerank: As in `search`.

        Returns:
            As `search`, without the item itself.

        Raises:
            ValueError: If there is no item of this name, or as `search`.
        """
        with self._file.reading():
            item = self.item(name)
            code = np.frombuffer(item.code, np.uint8)[None]
            picture = self._file.pictures([item.digest]).get(item.digest or "")
            features = None
            if picture is not None and picture.features is not None:
                features = np.frombuffer(picture.features, np.float16)
            hits = self._found(code, features, k + 1, rerank)
        return [hit for hit in hits if hit.name != name][:k]

    def item(self, name: str) -> Item:
        """Returns all that is kept by a name.

        Args:
            name: Str.

        Returns:
            `Item`: a named tuple of name, code, label and, of a file, digest,
            size in bytes, time of its change in nanoseconds, and inode.

        Raises:
            ValueError: If there is none.
        """
        found = self._file.find(check_names([name]))
        if name not in found:
            raise ValueError(f"A name must be there. Received: {name}")
        return found[name]

    def names(self, label: str | None = None) -> list[str]:
        """Returns the names as they were added, all or those of a label.

        Args:
            label: Str, or None.
        """
        return list(self._file.names(label))

    def duplicates(self, radius: int = RADIUS) -> list[list[str]]:
        """Finds files that show the same picture, or nearly.

        By the perceptual hash that is kept of each file
        (`hashnet_tf.index.duplicates`): copies that were resized, encoded anew,
        made lighter or cropped a little. Codes that were learned cannot tell
        them, since all of a class may have one code.

        Args:
            radius: Int >= 0, the bits in which the perceptual hashes of a pair
                may differ.

        Returns:
            List of groups, the largest first; each a list of names, the one
            that all are like first, and the nearest to it next.

        Raises:
            ValueError: If `radius` is no such int.
        """
        rows = self._file.looks()
        if not rows:
            return []
        hashes = np.frombuffer(b"".join(look for _, look in rows), np.uint8)
        groups = duplicate_groups(hashes.reshape(len(rows), -1), radius)
        return [
            [rows[place][0] for place in group.positions] for group in groups
        ]

    def _asked(
        self, image: npt.NDArray, k: int, rerank: int, by: Ranking
    ) -> list[Hit]:
        encoder = self._needed("search for an image or a vector")
        if by == "z":
            (z,) = z_of(encoder, image[None])
            return self._found_by_z(z, k, rerank)
        codes, features = codes_and_features(encoder, image[None])
        return self._found(codes, features[0], k, rerank)

    def _found(
        self,
        codes: Codes,
        features: npt.NDArray[np.floating] | None,
        k: int,
        rerank: int,
    ) -> list[Hit]:
        hits, told = self._nearest(codes, k, rerank, features is not None)
        if features is None or rerank == 0:
            return hits[:k]
        digests = [digest for _, _, digest, _ in told[:rerank]]
        pictures = self._file.pictures(digests)
        kept = [
            pictures[digest].features if digest in pictures else None
            for digest in digests
        ]
        mean = self._file.noted("mean") or b""
        return ranked_by_features(hits, kept, features, mean)[:k]

    def _found_by_z(
        self, z: npt.NDArray[np.floating], k: int, rerank: int
    ) -> list[Hit]:
        codes = pack(z[None])
        hits, told = self._nearest(codes, k, rerank, True)
        joined = b"".join(code for *_, code in told[:rerank])
        first = np.frombuffer(joined, np.uint8).reshape(-1, codes.shape[1])
        return ranked_by_z(hits, first, z)[:k]

    def _nearest(
        self, codes: Codes, k: int, rerank: int, ranked: bool
    ) -> tuple[list[Hit], list[Told]]:
        """Returns the nearest by their codes, k or as many as are ranked."""
        check_count(k, "k")
        if type(rerank) is not int or rerank < 0:
            raise ValueError(
                f"`rerank` must be an int of 0 or more. Received: {rerank!r}"
            )
        self._check_fitted()
        most = max(k, rerank) if ranked else k
        distances, ids = self._current().search(codes, most)
        told = self._file.told(ids[0].tolist())
        hits = [
            Hit(name, distance, label)
            for (name, label, *_), distance in zip(
                told, distances[0].tolist(), strict=True
            )
        ]
        return hits, told

    def _check_fitted(self) -> None:
        if awaits_fit(self._file) and len(self._file):
            raise ValueError(
                "An index is searched once its hash layer is learned, which"
                " adding does at its end. Received:"
                f" {self.path}, where that has not come to its end"
            )

    def _current(self) -> HammingIndex:
        """Returns the codes as they are now."""
        version = self._file.version()
        if version != self._version:
            newest = int(self._codes.ids.max(initial=0))
            if self._file.count(newest) < len(self._codes):
                self._codes, newest = HammingIndex(self._file.bits), 0
            ids, codes = self._file.codes(behind=newest)
            if len(ids):
                self._codes.add(codes, ids)
            self._version = version
        return self._codes
