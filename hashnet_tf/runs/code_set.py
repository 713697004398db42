"""Codes of many images, on disk with what they belong to."""

import dataclasses
import hashlib
import json
import os
import pathlib
import typing

import numpy as np

from hashnet_tf.retrieval.codes import BIT_ORDER, check_codes

CLASS_NAMES = "class_names.json"


@dataclasses.dataclass(frozen=True)
class CodeSet:
    """A folder of codes, and what they belong to.

    It holds `codes.npy`, `ids.json`, `manifest.json` and, where they are
    known, `labels.npy` and `class_names.json`.

    Attributes:
        codes: uint8 `[n, ceil(bits / 8)]`, a memory map.
        ids: List of n str, the images' names.
        labels: Class ids `[n]` or a zero-or-one matrix `[n, L]`, or None
            where they are not known.
        manifest: Dict: `bits`, `bit_order`, `model_digest`, `images_digest`,
            `labels_digest` (None without labels), `protocol` (None where there
            is none), `images`, as `open_images` takes it, or None; and, not in
            one of version 0.1, `decoder`, and `codes_digest`, `ids_digest`,
            `class_names_digest` and `manifest_digest`, of the others.
        class_names: List of str, the name of each class, or None where they
            are not known.
    """

    codes: np.ndarray
    ids: list[str]
    labels: np.ndarray | None
    manifest: dict[str, typing.Any]
    class_names: list[str] | None = None

    @property
    def bits(self) -> int:
        """Int, length K of the codes."""
        return self.manifest["bits"]

    @property
    def model_digest(self) -> str:
        """Str, which is the same for code sets of the same bits."""
        return self.manifest["model_digest"]

    @property
    def decoder(self) -> int | None:
        """Int, the version of what decoded the image files; None of pixels."""
        if "decoder" in self.manifest:
            return self.manifest["decoder"]
        # Version 0.1 named pixels by numbers, files by their paths, and rows
        # of TensorFlow Datasets by split#number.
        of_files = any("." in name or "#" in name for name in self.ids)
        return 1 if of_files else None

    def label(self, index: int) -> str:
        """Returns the label of an image as text, by name where that is known.

        Args:
            index: Int, place of the image.

        Returns:
            Str, such as "cat" or, of several labels, "cat,dog"; "" where there
            is none.
        """
        if self.labels is None:
            return ""
        row = self.labels[index]
        if self.labels.ndim == 2:
            classes = np.flatnonzero(row == 1).tolist()
        else:
            classes = [int(row)] if row >= 0 else []
        return ",".join(map(self._class_name, classes))

    def _class_name(self, label: int) -> str:
        names = self.class_names
        if names is None or label >= len(names):
            return str(label)
        return names[label]

    def check_digest(self, digest: str) -> None:
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

    def check_decoder(self, decoder: int | None) -> None:
        """Checks that the codes are of files that were decoded alike.

        Args:
            decoder: Int, as `ImageSet.decoder`, or that of another code set.

        Raises:
            ValueError: If they are of another version: version 0.1 did not turn
                photographs as their cameras noted.
        """
        if None not in (self.decoder, decoder) and self.decoder != decoder:
            raise ValueError(
                "Codes that are compared must be of one decoder, for version"
                " 0.1 (decoder 1) did not turn photographs: `hashnet encode` or"
                " `hashnet evaluate` makes old ones anew. Received: a code set"
                f" of decoder={self.decoder} beside {decoder}"
            )

    @classmethod
    def load(cls, folder: os.PathLike[str] | str) -> "CodeSet":
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
            class_names = None
            # Version 0.1 did not write them.
            if (folder / CLASS_NAMES).exists():
                class_names = [str(n) for n in _read_json(folder / CLASS_NAMES)]
            lengths = {len(codes), len(ids)} | (
                set() if labels is None else {len(labels)}
            )
            if manifest["bit_order"] != BIT_ORDER or len(lengths) > 1:
                raise ValueError(
                    f"bit order {manifest['bit_order']}, lengths {lengths}"
                )
            digests = {
                "codes": array_digest(codes),
                "labels": None if labels is None else array_digest(labels),
                "ids": value_digest(ids),
                "class_names": value_digest(class_names),
                "manifest": manifest_digest(manifest),
            }
            for name, found in digests.items():
                written = manifest.get(f"{name}_digest")
                if written and written != found:
                    raise ValueError(f"{name} of another digest")
        except Exception as error:
            # Parsers fail in many ways by a damaged header.
            raise ValueError(
                f"The code set in {folder} must be whole, packed with bit"
                f" order {BIT_ORDER}. Received: {error!r}"
            ) from error
        return cls(codes, ids, labels, manifest, class_names)


def array_digest(array: np.ndarray) -> str:
    """Returns a hex digest of an array's shape, dtype and values."""
    digest = hashlib.sha256(f"{array.shape} {array.dtype}\n".encode())
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def value_digest(value: typing.Any) -> str:
    """Returns a hex digest of what JSON can hold."""
    text = json.dumps(value, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def manifest_digest(manifest: dict[str, typing.Any]) -> str:
    """Returns a hex digest of a manifest without its own."""
    return value_digest(
        {k: v for k, v in manifest.items() if k != "manifest_digest"}
    )


def _read_json(path: pathlib.Path) -> typing.Any:
    return json.loads(path.read_text(encoding="utf-8"))
