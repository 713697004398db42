"""What a place for codes does, whatever engine keeps them."""

import abc
import collections.abc
import contextlib
import dataclasses
import hashlib
import importlib
import json
import pathlib
import re
import types
import typing

import numpy as np

from hashnet_tf.index._checks import check_names
from hashnet_tf.retrieval.codes import (
    BIT_ORDER,
    Codes,
    check_codes,
    check_count,
)

FORMAT = 1
Batch = tuple[list[str], Codes]


class Near(typing.NamedTuple):
    """What a store found.

    Attributes:
        name: Str, by which the code was added.
        distance: Int, the Hamming distance of its code from the query's.
    """

    name: str
    distance: int


def key_of(name: str) -> str:
    """Returns a name as an id that every engine takes: its SHA-256 in hex.

    Args:
        name: Str, of any length and letters.

    Example:

    >>> from hashnet_tf.index.stores.store import key_of
    >>> len(key_of("a photograph.jpg"))
    64
    """
    return hashlib.sha256(name.encode()).hexdigest()


@dataclasses.dataclass(frozen=True)
class About:
    """What is noted beside the codes, where the engine keeps it.

    Attributes:
        bits: Int, length K of the codes.
        encoder: Str, digest of the encoder that they are of, or None where it
            is not known.

    Example:

    >>> from hashnet_tf.index.stores.store import About
    >>> About(bits=64).text()
    '{"format": 1, "bits": 64, "bit_order": "big", "encoder": null}'
    """

    bits: int
    encoder: str | None = None

    def text(self) -> str:
        """Returns it as JSON."""
        return json.dumps(
            {
                "format": FORMAT,
                "bits": self.bits,
                "bit_order": BIT_ORDER,
                "encoder": self.encoder,
            }
        )

    @classmethod
    def read(cls, text: str, place: str) -> "About":
        """Reads what `text` gives.

        Args:
            text: Str.
            place: Str, where it stood.

        Raises:
            ValueError: If it is none of this package.
        """
        try:
            told = json.loads(text)
            if (told["format"], told["bit_order"]) != (FORMAT, BIT_ORDER):
                raise ValueError(text)
            return cls(check_count(told["bits"], "bits"), told["encoder"])
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                "A store must be a place that this package began."
                f" Received: {place} with the note {text!r}"
            ) from error


class Store(abc.ABC):
    """Codes by name in an engine: add, remove, search, read back.

    A code that was added stays when the call has returned, and a process that
    is killed in a call leaves a place that opens: with all of the call or
    nothing of it, or, where the docstring of an engine says so, with a part.
    Codes of any K are kept; an engine that knows whole bytes or words gets
    zeros behind the last bit, which are the same in all and change no distance.

    An engine is a subclass, final, with what is abstract here; a context
    manager that closes it.

    Args:
        place: Str, where it is, in the form that `STORES` tells.
        bits: Int, to begin a place of codes of as many bits where there is
            none; None to open one that is there.
        encoder: Str, the digest of the encoder that the codes are of; None of
            one that is begun: it is not known, of one that is there: any.

    Attributes:
        bits: Int, length K of the codes.
        encoder: Str, as it was noted when the place was begun, or None.
        told: Str, the place as messages name it, without a password.

    Raises:
        FileNotFoundError: If there is no such place and `bits` is None.
        ValueError: If it is of other bits or of another encoder, or none that
            this package began.
        OSError: Here and by each method, if the engine fails.
        ImportError: If the engine is not installed.

    Example:

    >>> import pathlib, tempfile, numpy as np
    >>> from hashnet_tf.index.stores import open_store
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     place = f"parquet:{pathlib.Path(folder, 'codes.parquet')}"
    ...     with open_store(place, bits=8) as store:
    ...         codes = np.array([[0], [7], [255]], "uint8")
    ...         store.add(["none", "three", "all"], codes)
    ...         print(len(store), store.search(codes[1:2], k=2)[0])
    3 [Near(name='three', distance=0), Near(name='none', distance=3)]
    """

    # How many a copy sends at once.
    BATCH: typing.ClassVar[int] = 10_000
    # Whether the place is a path of this machine.
    IS_LOCAL: typing.ClassVar[bool] = True

    def __init__(
        self, place: str, bits: int | None = None, encoder: str | None = None
    ) -> None:
        self._place = place
        self.told: str = re.sub(r"(://[^/@:]*):[^/@]*@", r"\1:***@", place)
        missing = FileNotFoundError(
            f"There must be a store, or `bits` to begin one."
            f" Received: {self.told}"
        )
        if bits is not None:
            check_count(bits, "bits")
        if self.IS_LOCAL:
            if bits is None and not pathlib.Path(place).exists():
                raise missing
            pathlib.Path(place).parent.mkdir(parents=True, exist_ok=True)
        with self._understood():
            self._connect()
        try:
            with self._understood():
                noted = self._noted()
                if noted is None and bits is None:
                    raise missing
                if noted is None:
                    self._begin(About(typing.cast(int, bits), encoder))
                    # Another process may have begun it meanwhile.
                    noted = self._noted()
            about = About.read(noted or "", self.told)
            self.bits: int = about.bits
            self.encoder: str | None = about.encoder
            self._check(bits, encoder)
        except BaseException:
            self.close()
            raise

    def _check(self, bits: int | None, encoder: str | None) -> None:
        if bits not in (None, self.bits):
            raise ValueError(
                f"The store must be of {bits} bits."
                f" Received: {self.told} of {self.bits} bits"
            )
        if encoder not in (None, self.encoder):
            raise ValueError(
                "The store must be of the same encoder, or the distances mean"
                f" nothing. Received: encoder={encoder!r}, {self.told} of"
                f" {self.encoder!r}"
            )

    @contextlib.contextmanager
    def _understood(self) -> collections.abc.Iterator[None]:
        """Says of an engine that fails where it does."""
        try:
            yield
        except Exception as error:
            # Of the engines' own kinds, which are many.
            own = type(error).__module__ != "builtins"
            if not (own or isinstance(error, RuntimeError)):
                raise
            raise OSError(
                f"{self.told}: {type(error).__name__}: {error}"
            ) from error

    def __enter__(self) -> typing.Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def width(self) -> int:
        """Int, the bytes of a code."""
        return -(-self.bits // 8)

    def add(self, names: collections.abc.Sequence[str], codes: Codes) -> None:
        """Adds codes by name; one of a name that is there takes its place.

        Args:
            names: n strings, none of them empty or given twice.
            codes: uint8 `[n, ceil(bits / 8)]`.

        Raises:
            ValueError: If the names are others or not as many as the codes, or
                the codes malformed.
        """
        names, codes = check_names(names), check_codes(codes, self.bits)
        if len(codes) != len(names):
            raise ValueError(
                "Each code needs a name."
                f" Received: {len(codes)} codes and {len(names)} names"
            )
        if wrong := [name for name in names if "\0" in name]:
            raise ValueError(
                "Names must be without NUL, which not every engine keeps."
                f" Received: {wrong[:3]}"
            )
        if names:
            with self._understood():
                self._add(names, np.ascontiguousarray(codes))

    def remove(self, names: collections.abc.Sequence[str]) -> None:
        """Removes codes by name; a name that is not there is passed over.

        Args:
            names: Strs.

        Raises:
            ValueError: If one is no str, or given twice.
        """
        names = check_names(names)
        if names:
            with self._understood():
                self._remove(names)

    def search(self, codes: Codes, k: int = 10) -> list[list[Near]]:
        """Finds the k nearest of each query.

        Args:
            codes: uint8 `[q, ceil(bits / 8)]`.
            k: Int >= 1.

        Returns:
            A list for each query of `min(k, len(self))` `Near`, the nearest
            first, at equal distance by name. Which of those that are tied at
            the last place come in, and whether all of the nearest are found,
            the engine's docstring says; the distances are exact.

        Raises:
            ValueError: If the codes are malformed or `k` is no positive
                integer.
        """
        codes = np.ascontiguousarray(check_codes(codes, self.bits))
        k = min(check_count(k, "k"), len(self))
        if not k or not len(codes):
            return [[] for _ in codes]
        with self._understood():
            return [
                sorted(found, key=lambda near: (near.distance, near.name))
                for found in self._search(codes, k)
            ]

    def batches(self) -> collections.abc.Iterator[Batch]:
        """Reads back all that is there, some at a time, in any order.

        Yields:
            Names, a list of n strs, and their codes, uint8
            `[n, ceil(bits / 8)]`.
        """
        with self._understood():
            for names, codes in self._batches():
                if names:
                    yield names, codes

    @abc.abstractmethod
    def __len__(self) -> int:
        """Returns how many codes there are."""

    @abc.abstractmethod
    def close(self) -> None:
        """Closes the place; the store can do no more."""

    @abc.abstractmethod
    def _connect(self) -> None:
        """Opens `self._place`, without a change of it where it is there."""

    @abc.abstractmethod
    def _noted(self) -> str | None:
        """Returns the note that `_begin` left, None where there is none."""

    @abc.abstractmethod
    def _begin(self, about: About) -> None:
        """Begins a place; `about` is noted with it or after it."""

    @abc.abstractmethod
    def _add(self, names: list[str], codes: Codes) -> None:
        """Adds some, one at least, that were checked."""

    @abc.abstractmethod
    def _remove(self, names: list[str]) -> None:
        """Removes some, one at least."""

    @abc.abstractmethod
    def _search(
        self, codes: Codes, k: int
    ) -> collections.abc.Iterable[list[Near]]:
        """Returns the k nearest of each; there are at least k."""

    @abc.abstractmethod
    def _batches(self) -> collections.abc.Iterator[Batch]:
        """Reads all back from where it is kept."""


def load(module: str, extra: str) -> types.ModuleType:
    """Imports what an engine is used by.

    Args:
        module: Str, its name.
        extra: Str, the extra of this package that installs it.

    Raises:
        ImportError: If it is not installed.

    Example:

    >>> from hashnet_tf.index.stores.store import load
    >>> load("no_such_engine", "duckdb")
    Traceback (most recent call last):
        ...
    ImportError: This store needs no_such_engine: pip install \
'hashnet_tf[duckdb]'
    """
    try:
        # A part may be in memory though the whole is not to be had.
        importlib.import_module(module.partition(".")[0])
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"This store needs {module}: pip install 'hashnet_tf[{extra}]'"
        ) from error
