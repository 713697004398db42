"""The nearest by their codes, and their order by features."""

import abc
import collections.abc
import os
import pathlib
import typing

import numpy as np
import numpy.typing as npt

from hashnet_tf.datasets.pixels.pillow import check_paths, image_pixels
from hashnet_tf.index._checks import check_names
from hashnet_tf.index._database import Path
from hashnet_tf.index.duplicates import RADIUS, duplicate_groups
from hashnet_tf.index.files import codes_and_features
from hashnet_tf.index.fitting import awaits_fit
from hashnet_tf.index.item_file import Item, ItemFile
from hashnet_tf.retrieval.codes import Codes, check_codes, check_count
from hashnet_tf.retrieval.hamming_index import HammingIndex
from hashnet_tf.retrieval.reranking import cosines

if typing.TYPE_CHECKING:
    from hashnet_tf.runs import Encoder

# Of those that are nearest by their codes, how many are ranked by features.
RERANKED = 300


class Hit(typing.NamedTuple):
    """What a search found.

    Attributes:
        name: Str, by which the item was added.
        distance: Int, the Hamming distance of its code from the query's.
        label: Str, what it was said to be, or None.
        similarity: Float in [-1, 1], the cosine of the features by which the
            item was ranked, or None if it was ranked by the distance.
    """

    name: str
    distance: int
    label: str | None
    similarity: float | None = None


def reranked(
    hits: collections.abc.Sequence[Hit],
    kept: collections.abc.Sequence[bytes | None],
    features: npt.NDArray[np.floating],
    mean: bytes,
) -> list[Hit]:
    """Ranks the first of some hits by the cosine of their features.

    The features are centred first, as those of a network behind a ReLU have
    one direction in common. An item without features stays behind all that
    have some.

    Args:
        hits: The nearest by their codes, in order.
        kept: Of the first of them the features, float16 `[d]` as bytes, or
            None.
        features: Real `[d]`, of the query.
        mean: float32 `[d]` as bytes, that of the features; none is 0.

    Returns:
        The hits in their order.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.index.searching import Hit, reranked
    >>> hits = [Hit("a", 0, None), Hit("b", 1, None), Hit("c", 9, None)]
    >>> kept = [np.float16([1, 0]).tobytes(), np.float16([0, 1]).tobytes()]
    >>> query = np.float32([0, 1])
    >>> [hit.name for hit in reranked(hits, kept, query, b"")]
    ['b', 'a', 'c']
    """
    there = [place for place, values in enumerate(kept) if values is not None]
    if not there:
        return list(hits)
    centre = np.frombuffer(mean, np.float32) if mean else np.float32(0)
    rows = np.frombuffer(
        b"".join(values for values in kept if values is not None), np.float16
    )
    rows = rows.reshape(len(there), -1).astype(np.float32) - centre
    # As exact as those that are kept.
    query = features.astype(np.float16).astype(np.float32) - centre
    found = cosines(query, rows)
    first = [
        hits[there[place]]._replace(similarity=float(found[place]))
        for place in np.argsort(-found, kind="stable")
    ]
    chosen = set(there)
    return first + [h for p, h in enumerate(hits) if p not in chosen]


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
    ) -> list[Hit]:
        """Finds the nearest items, exactly.

        Args:
            query: Path of an image file or an image, uint8 `[height, width, 3]`
                of the encoder's size, which the encoder encodes, or a vector,
                floats `[d]`, for an encoder of these; or a code, uint8
                `[ceil(bits / 8)]`.
            k: Int >= 1.
            rerank: Int >= 0. Of so many that are nearest by their codes the
                order is that of the cosine of the features, where the index
                keeps them and no code is asked with.

        Returns:
            List of at most k `Hit`, the nearest first, items at equal distance
            as they were added.

        Raises:
            ValueError: If the query, `k` or `rerank` is none of these, or an
                image is given and there is no encoder.
            FileNotFoundError: If there is no file of that path.
        """
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
                return self._asked(image_pixels(path, size, framing), k, rerank)
            is_vector = (
                np.ndim(query) == 1 and np.asarray(query).dtype.kind == "f"
            )
            if np.ndim(query) == 3 or is_vector:
                return self._asked(np.asarray(query), k, rerank)
            code = check_codes(np.asarray(query)[None], self.bits, "query")
            return self._found(code, None, k, rerank)

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

    def _asked(self, image: npt.NDArray, k: int, rerank: int) -> list[Hit]:
        encoder = self._needed("search for an image or a vector")
        codes, features = codes_and_features(encoder, image[None])
        return self._found(codes, features[0], k, rerank)

    def _found(
        self,
        codes: Codes,
        features: npt.NDArray[np.floating] | None,
        k: int,
        rerank: int,
    ) -> list[Hit]:
        check_count(k, "k")
        if type(rerank) is not int or rerank < 0:
            raise ValueError(
                f"`rerank` must be an int of 0 or more. Received: {rerank!r}"
            )
        self._check_fitted()
        most = k if features is None else max(k, rerank)
        distances, ids = self._current().search(codes, most)
        told = self._file.told(ids[0].tolist())
        hits = [
            Hit(name, distance, label)
            for (name, label, _), distance in zip(
                told, distances[0].tolist(), strict=True
            )
        ]
        if features is None or rerank == 0:
            return hits[:k]
        digests = [digest for *_, digest in told[:rerank]]
        pictures = self._file.pictures(digests)
        kept = [
            pictures[digest].features if digest in pictures else None
            for digest in digests
        ]
        mean = self._file.noted("mean") or b""
        return reranked(hits, kept, features, mean)[:k]

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
