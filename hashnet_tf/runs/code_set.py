"""Codes of many images, on disk with what they belong to."""

import collections.abc
import dataclasses
import hashlib
import json
import os
import pathlib
import shutil
import typing

import numpy as np
import numpy.typing as npt

from hashnet_tf._files import only_writer, place_beside, write_json
from hashnet_tf.retrieval.codes import BIT_ORDER, check_codes
from hashnet_tf.retrieval.labels import check_labels

CLASS_NAMES, MANIFEST = "class_names.json", "manifest.json"


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

    @classmethod
    def of(
        cls,
        codes: npt.ArrayLike,
        ids: collections.abc.Iterable[str] | None = None,
        labels: npt.ArrayLike | None = None,
        bits: int | None = None,
        class_names: list[str] | None = None,
        model_digest: str = "",
    ) -> "CodeSet":
        """Makes a code set of codes that any program has made.

        Args:
            codes: uint8 `[n, ceil(bits / 8)]`, the first bit in the highest
                place.
            ids: n strings that differ, or None for their numbers.
            labels: Class ids `[n]`, below 0 where unknown, or a zero-or-one
                matrix `[n, L]`, or None.
            bits: Int K, or None for 8 a byte.
            class_names: List of str, or None.
            model_digest: Str by which codes of one encoder know each other;
                those of another string are not compared.

        Returns:
            `CodeSet`, in memory until it is saved.

        Raises:
            ValueError: If the codes are no packed codes of K bits, or ids or
                labels are not as many or not as above.

        Example:

        >>> import tempfile, numpy as np, hashnet_tf as hn
        >>> codes = np.array([[0], [7]], "uint8")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     hn.runs.CodeSet.of(codes, ["pear", "plum"]).save(f"{folder}/c")
        ...     hn.runs.CodeSet.load(f"{folder}/c").ids
        ['pear', 'plum']
        """
        packed = check_codes(np.asarray(codes), bits)
        names = list(map(str, range(len(packed)) if ids is None else ids))
        if len(names) != len(packed) or len(set(names)) < len(names):
            raise ValueError(
                "`ids` must be one a code, and differ. Received:"
                f" {len(names)} ids, {len(set(names))} that differ, of"
                f" {len(packed)} codes"
            )
        known = None
        if labels is not None:
            known = check_labels(np.asarray(labels), len(packed))
        manifest = {
            "bits": 8 * packed.shape[1] if bits is None else int(bits),
            "bit_order": BIT_ORDER,
            "model_digest": model_digest,
            "images_digest": None,
            "labels_digest": None if known is None else array_digest(known),
            "protocol": None,
            "images": None,
            "decoder": None,
        }
        return cls(packed, names, known, manifest, class_names)

    def save(self, folder: os.PathLike[str] | str) -> None:
        """Writes the code set into a folder, whole or not at all.

        Args:
            folder: Str or path, new, empty or of a code set, which is replaced.

        Raises:
            ValueError: If the folder holds something else.
            OSError: If another process writes it.
        """
        place = pathlib.Path(folder).absolute()
        is_taken(place)
        with only_writer(place, place.with_name(f".{place.name}.lock")):
            beside = place.with_name(f".{place.name}.new")
            # Of one that was killed.
            shutil.rmtree(beside, ignore_errors=True)
            beside.mkdir(parents=True)
            write_files(
                beside,
                self.codes,
                self.ids,
                self.labels,
                self.manifest,
                self.class_names,
            )
            put_in_place(beside, place)

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


def is_taken(folder: pathlib.Path) -> bool:
    """Returns whether a code set is there.

    Args:
        folder: `pathlib.Path`.

    Raises:
        ValueError: If something else is there.
    """
    if (folder / MANIFEST).is_file():
        return True
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise ValueError(
            "`folder` must be new, empty or hold a code set."
            f" Received: folder={folder}"
        )
    return False


def write_files(
    folder: pathlib.Path,
    codes: np.ndarray,
    ids: list[str],
    labels: np.ndarray | None,
    manifest: dict[str, typing.Any],
    class_names: list[str] | None,
) -> None:
    """Writes the files of a code set into a folder that is not in use yet.

    Args:
        folder: `pathlib.Path`, which must be there.
        codes: As in `CodeSet`.
        ids: As there.
        labels: As there.
        manifest: As there; the digests are written anew.
        class_names: As there.
    """
    np.save(folder / "codes.npy", codes)
    manifest = {
        **manifest,
        "codes_digest": array_digest(codes),
        "ids_digest": value_digest(ids),
        "class_names_digest": value_digest(class_names),
    }
    manifest["manifest_digest"] = manifest_digest(manifest)
    write_json(folder / MANIFEST, manifest)
    write_json(folder / "ids.json", ids)
    if labels is not None:
        np.save(folder / "labels.npy", labels)
    if class_names is not None:
        write_json(folder / CLASS_NAMES, class_names)


def put_in_place(begun: pathlib.Path, place: pathlib.Path) -> None:
    """Lets a folder that is whole take the place of another.

    Args:
        begun: `pathlib.Path` of the folder.
        place: `pathlib.Path` of where it shall be.
    """
    if not place.exists():
        os.replace(begun, place)
        return
    # Half a folder, after a kill, would be none that may be replaced.
    old = place_beside(place)
    os.replace(place, old)
    os.replace(begun, place)
    shutil.rmtree(old)


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
