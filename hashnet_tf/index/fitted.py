"""The encoder of an index, and what its hash layer was learned from."""

import typing

from hashnet_tf.index.browsing import Browsed
from hashnet_tf.index.fitting import Fit, fit, noted_fit, outgrown
from hashnet_tf.index.item_file import ItemFile
from hashnet_tf.index.own_encoder import current_encoder

if typing.TYPE_CHECKING:
    from hashnet_tf.runs import Encoder


class Fitted(Browsed):
    """What `Index` has learned of its items, and can learn anew.

    Abstract: `Index` adds how items come and go.

    Args:
        file: `ItemFile`.
        encoder: `hashnet_tf.runs.Encoder`, or None.

    Attributes:
        path: As in `Searched`.
        bits: As in `Searched`.
    """

    def __init__(
        self, file: ItemFile, encoder: "Encoder | None" = None
    ) -> None:
        super().__init__(file)
        self._encoder = encoder

    @property
    def unit(self) -> str:
        """Str, what its items are: "vectors" or "pictures"."""
        told = self._file.encoder
        of_vectors = told is not None and told["image_size"] is None
        return "vectors" if of_vectors else "pictures"

    @property
    def fit(self) -> Fit | None:
        """`Fit`, what the hash layer was learned from, or None."""
        return noted_fit(self._file)

    def outgrown(self) -> str | None:
        """Returns a sentence if it has several times what it was fitted to."""
        return outgrown(self._file)

    def refit(self) -> Fit:
        """Learns the hash layer anew from all pictures, and codes them anew.

        By ITQ (`hashnet_tf.shallow.ITQ`) on the features of at most 4,096
        pictures, drawn by a seed, in seconds; no picture is read. Where there
        are fewer pictures than bits, the other bits are of random directions.
        Worth it once there are several times as many pictures as there were.

        Returns:
            `Fit`.

        Raises:
            ValueError: If the index was begun without `fit`, has no pictures or
                keeps no features.
            TimeoutError: As `open`.
        """
        encoder = self._needed("fit")
        if not self._file.noted("fit") or not len(self._file):
            raise ValueError(
                "An index is fitted that was begun with fit=True and has"
                f" {self.unit}. Received: {self.path} with"
                f" {len(self._file):,} items"
            )
        keep = bool(self._file.noted("keep_features"))
        told, self._encoder = fit(
            self._file, typing.cast(typing.Any, encoder), keep
        )
        return told

    def stat(self) -> dict[str, typing.Any]:
        """Returns what the index holds, a dict.

        `items`, `files` (those of them that are files), `features` (of how many
        contents they are kept), `labels` (how many of each), `bits`, `encoder`
        (its digest or None), `fit` (what it was fitted to, a sentence or None),
        `bytes` (of the file).
        """
        told = self.fit
        return {
            **self._file.counts(),
            "bits": self.bits,
            "encoder": self._file.encoder_digest,
            "fit": told and told.text(self.bits, self.unit),
            "bytes": self.path.stat().st_size,
        }

    def check(self) -> None:
        """Reads all of the file.

        Raises:
            ValueError: If some of it is damaged.
        """
        self._file.check()

    def _needed(self, what: str) -> "Encoder":
        self._encoder = current_encoder(self._file, self._encoder, what)
        return self._encoder
