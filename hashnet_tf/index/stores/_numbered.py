"""Engines that know codes by numbers: their names are kept beside."""

import abc
import collections.abc
import contextlib
import json
import pathlib
import typing

import numpy as np
import numpy.typing as npt

from hashnet_tf._files import (
    file_digest,
    only_writer,
    read_json,
    write_json,
    written_beside,
)
from hashnet_tf.index.stores.store import About, Batch, Near, Store
from hashnet_tf.retrieval.codes import Codes

MANIFEST = "manifest.json"
ADVICE = "remove the folder and copy into it anew"
Ids = npt.NDArray[np.int64]


class NumberedStore(Store):
    """A folder of the engine's file, the names of its numbers and a manifest.

    The two files of a state have its number in their names. A change writes
    those of the next, and then the manifest that names them, with their
    SHA-256: whoever reads sees one state, and a process that is killed leaves
    the one before. What is damaged is refused. All is held in memory, and a
    call of `add` or `remove` writes all of it; other programs read the engine's
    file that the manifest names as `codes`.
    """

    # All is written anew for each.
    BATCH: typing.ClassVar[int] = 100_000
    # Of the engine's file.
    ENDING: typing.ClassVar[str]

    @abc.abstractmethod
    def _new(self, width: int) -> typing.Any:
        """Returns an empty engine of codes of so many bytes."""

    @abc.abstractmethod
    def _read(self, path: str) -> typing.Any:
        """Reads an engine from its file."""

    @abc.abstractmethod
    def _write(self, engine: typing.Any, path: str) -> None:
        """Writes an engine into a file."""

    @abc.abstractmethod
    def _put(self, engine: typing.Any, ids: Ids, codes: Codes) -> None:
        """Adds codes by new numbers."""

    @abc.abstractmethod
    def _drop(self, engine: typing.Any, ids: Ids) -> None:
        """Removes the codes of numbers that are there."""

    @abc.abstractmethod
    def _nearest(
        self, engine: typing.Any, codes: Codes, k: int
    ) -> tuple[npt.NDArray[typing.Any], npt.NDArray[typing.Any]]:
        """Returns distances and numbers `[q, k]`; a number < 0 is none."""

    @abc.abstractmethod
    def _codes(self, engine: typing.Any, ids: Ids) -> Codes:
        """Returns the codes of numbers, each of them there."""

    def _connect(self) -> None:
        self._folder = pathlib.Path(self._place)
        if self._folder.exists() and not self._folder.is_dir():
            raise ValueError(
                f"This store is a folder. Received: {self._folder}, a file"
            )
        self._state = -1
        self._next = 0
        self._ids: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._engine: typing.Any = None

    def _noted(self) -> str | None:
        manifest = self._manifest()
        return None if manifest is None else json.dumps(manifest["about"])

    def _begin(self, about: About) -> None:
        with self._alone():
            if self._manifest() is None:
                self._engine = self._new(-(-about.bits // 8))
                self._keep(json.loads(about.text()))

    def _manifest(self) -> dict[str, typing.Any] | None:
        path = self._folder / MANIFEST
        if not path.exists():
            return None
        keys = ("about", "state", "next", "codes", "names")
        return read_json(
            path, ADVICE, lambda told: {key: told[key] for key in keys}
        )

    def _alone(self) -> contextlib.AbstractContextManager[None]:
        return only_writer(self._folder, self._folder / ".lock")

    def _refresh(self) -> None:
        """Reads what another process has written since."""
        manifest = self._manifest()
        if manifest is None:
            raise FileNotFoundError(f"{self._folder} has gone meanwhile")
        if manifest["state"] == self._state:
            return
        paths = {}
        for kind in ("codes", "names"):
            paths[kind] = self._folder / manifest[kind]["file"]
            if file_digest(paths[kind]) != manifest[kind]["sha256"]:
                raise ValueError(
                    f"{paths[kind]} must be as it was written; {ADVICE}."
                    " Received: a file of another digest"
                )
        told = json.loads(paths["names"].read_text("utf-8"))
        self._engine = self._read(str(paths["codes"]))
        self._ids = dict(zip(told["names"], told["ids"], strict=True))
        self._names = dict(zip(told["ids"], told["names"], strict=True))
        self._state, self._next = manifest["state"], manifest["next"]

    @contextlib.contextmanager
    def _changing(self) -> collections.abc.Iterator[None]:
        with self._alone():
            self._refresh()
            try:
                yield
                manifest = self._manifest()
                assert manifest is not None
                self._keep(manifest["about"])
            except BaseException:
                # What is in memory may be a part of the change.
                self._state = -1
                raise

    def _keep(self, about: dict[str, typing.Any]) -> None:
        state = self._state + 1
        codes = self._folder / f"codes.{state}.{self.ENDING}"
        names = self._folder / f"names.{state}.json"
        with written_beside(codes) as beside:
            self._write(self._engine, str(beside))
        told = {"ids": list(self._names), "names": list(self._names.values())}
        with written_beside(names) as beside:
            beside.write_text(json.dumps(told), encoding="utf-8")
        write_json(
            self._folder / MANIFEST,
            {
                "about": about,
                "state": state,
                "next": self._next,
                "codes": {"file": codes.name, "sha256": file_digest(codes)},
                "names": {"file": names.name, "sha256": file_digest(names)},
            },
            seal=True,
        )
        self._state = state
        # Who has just read the manifest before finds its files.
        kept = (f".{state}.", f".{state - 1}.")
        for kind in ("codes", "names"):
            for path in self._folder.glob(f"{kind}.*"):
                if not any(part in path.name for part in kept):
                    path.unlink(missing_ok=True)

    def _add(self, names: list[str], codes: Codes) -> None:
        with self._changing():
            self._forget(names)
            ids = np.arange(self._next, self._next + len(names))
            self._put(self._engine, ids, codes)
            self._next += len(names)
            for name, number in zip(names, ids.tolist(), strict=True):
                self._ids[name] = number
                self._names[number] = name

    def _remove(self, names: list[str]) -> None:
        with self._changing():
            self._forget(names)

    def _forget(self, names: list[str]) -> None:
        ids = [self._ids.pop(name) for name in names if name in self._ids]
        for number in ids:
            del self._names[number]
        if ids:
            self._drop(self._engine, np.array(ids))

    def _search(
        self, codes: Codes, k: int
    ) -> collections.abc.Iterable[list[Near]]:
        distances, ids = self._nearest(self._engine, codes, k)
        for row, numbers in zip(distances.tolist(), ids.tolist(), strict=True):
            yield [
                Near(self._names[number], int(distance))
                for distance, number in zip(row, numbers, strict=True)
                if number >= 0
            ]

    def _batches(self) -> collections.abc.Iterator[Batch]:
        # From the disk, not what is thought to have been written there.
        self._state = -1
        self._refresh()
        names, ids = list(self._ids), list(self._ids.values())
        for start in range(0, len(names), self.BATCH):
            some = slice(start, start + self.BATCH)
            yield names[some], self._codes(self._engine, np.array(ids[some]))

    def __len__(self) -> int:
        self._refresh()
        return len(self._ids)

    def close(self) -> None:
        """Forgets what is in memory; on disk all is written."""
        self._engine = None
        self._state = -1
