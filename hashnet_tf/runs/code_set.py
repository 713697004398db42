"""Codes of many images, on disk with what they belong to."""

import dataclasses
import json
import pathlib

import numpy as np

from hashnet_tf.retrieval.codes import BIT_ORDER, check_codes
from hashnet_tf.retrieval.evaluation import USUAL_AT, evaluate


@dataclasses.dataclass(frozen=True)
class CodeSet:
    """A folder of codes: `codes.npy`, `ids.json`, `labels.npy`, a manifest.

    Attributes:
        codes: uint8 `[n, ceil(bits / 8)]`, a memory map.
        ids: List of n str, the images' names.
        labels: Class ids `[n]` or a zero-or-one matrix `[n, L]`, or None
            where they are not known.
        manifest: Dict: `bits`, `bit_order`, `model_digest`, `images_digest`,
            `labels_digest` (None without labels), `protocol` (None where there
            is none) and `images`, as `open_images` takes it, or None.
    """

    codes: np.ndarray
    ids: list[str]
    labels: np.ndarray | None
    manifest: dict

    @property
    def bits(self):
        """Int, length K of the codes."""
        return self.manifest["bits"]

    @property
    def model_digest(self):
        """Str, which is the same for code sets of the same bits."""
        return self.manifest["model_digest"]

    def check_digest(self, digest):
        """Checks that the codes are of a given encoder.

        Args:
            digest: Str, its `model_digest`, or that of another code set.

        Raises:
            ValueError: If they are of another: distances between codes of two
                encoders mean nothing.
        """
        if self.model_digest != digest:
            raise ValueError(
                "Codes that are compared must be of one encoder, made by one"
                f" model or one quantised file. Received: a code set of"
                f" model_digest={self.model_digest} beside {digest}"
            )

    @classmethod
    def load(cls, folder):
        """Opens a code set.

        Args:
            folder: Str or path.

        Returns:
            `CodeSet`.

        Raises:
            ValueError: If the folder holds none, or a damaged one.
        """
        folder = pathlib.Path(folder)
        if not (folder / "manifest.json").is_file():
            raise ValueError(
                "A code set must be made first (`hashnet encode` or `hashnet"
                f" evaluate`). Received: no {folder / 'manifest.json'}"
            )
        try:
            manifest = _read_json(folder / "manifest.json")
            codes = np.load(folder / "codes.npy", mmap_mode="r")
            check_codes(codes, manifest["bits"])
            ids = _read_json(folder / "ids.json")
            labels = None
            if (folder / "labels.npy").exists():
                labels = np.load(folder / "labels.npy")
            lengths = {len(codes), len(ids)} | (
                set() if labels is None else {len(labels)}
            )
            if manifest["bit_order"] != BIT_ORDER or len(lengths) > 1:
                raise ValueError(
                    f"bit order {manifest['bit_order']}, lengths {lengths}"
                )
        except (ValueError, OSError, KeyError, TypeError, EOFError) as error:
            raise ValueError(
                f"The code set in {folder} must be whole, packed with bit"
                f" order {BIT_ORDER}. Received: {error!r}"
            ) from error
        return cls(codes, ids, labels, manifest)


def _read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


def evaluate_code_sets(query, database, at=USUAL_AT, empty_ball="zero"):
    """Measures the retrieval of one code set's images from another's.

    Args:
        query: `CodeSet` with labels.
        database: `CodeSet` with labels.
        at: Int R >= 1 of MAP@R.
        empty_ball: As in `hashnet_tf.retrieval.evaluate`.

    Returns:
        `hashnet_tf.retrieval.RetrievalReport`.

    Raises:
        ValueError: If they were made by two encoders, or one has no labels.

    Example:

    >>> import tempfile, hashnet_tf as hn
    >>> model = hn.HashNet(hn.models.backbone("small_cnn", (16, 16, 3)), 12)
    >>> queries = hn.datasets.load("digits").query
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     codes = hn.runs.encode_images(model, queries, f"{folder}/q")
    ...     report = hn.runs.evaluate_code_sets(codes, codes, at=100)
    ...     report.queries  # doctest: +ELLIPSIS
    Encoding 200 images
    ...
    200
    """
    query.check_digest(database.model_digest)
    for name, code_set in (("query", query), ("database", database)):
        if code_set.labels is None:
            raise ValueError(
                f"`{name}` must have labels, by which relevance is judged."
                f" Received: {name} of {len(code_set.ids)} codes without"
            )
    return evaluate(
        query.codes,
        database.codes,
        query.labels,
        database.labels,
        bits=database.bits,
        at=at,
        empty_ball=empty_ball,
    )
