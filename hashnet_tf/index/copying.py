"""An index copied into an engine for codes, and compared with it."""

import collections.abc
import dataclasses

import numpy as np

from hashnet_tf._output import Progress
from hashnet_tf.index._checks import SHOWN
from hashnet_tf.index.item_file import Item, ItemFile
from hashnet_tf.index.stores.store import Store


@dataclasses.dataclass(frozen=True)
class Copied:
    """What a copy did in a store, which then has what the index has.

    Attributes:
        added: Int, codes whose names were not there.
        refreshed: Int, whose names were there with another code.
        kept: Int, that were there as they are and were not sent.
        removed: Int, whose names are not in the index.

    Example:

    >>> from hashnet_tf.index import Copied
    >>> Copied(added=2, refreshed=0, kept=1, removed=0).text()
    '2 added, 0 refreshed, 1 kept, 0 removed'
    """

    added: int
    refreshed: int
    kept: int
    removed: int

    def text(self) -> str:
        """Returns the counts in one line."""
        return (
            f"{self.added:,} added, {self.refreshed:,} refreshed,"
            f" {self.kept:,} kept, {self.removed:,} removed"
        )


def copy_items(file: ItemFile, store: Store) -> Copied:
    """Makes a store hold the names and codes of an index, and no others.

    What is there is read first, so that a copy that was killed goes on where it
    was, and at the end all is read back and compared.

    Args:
        file: `ItemFile`.
        store: `Store`.

    Raises:
        ValueError: If the store is of other bits or another encoder, or holds
            codes by other names and none by a name of the index.
        OSError: If what is read back at the end is not what the index has.
    """
    _check_alike(file, store)
    with file.reading():
        kept, stale, gone = _compared(file, store)
        if gone and not kept and not stale:
            raise ValueError(
                "A store must be empty, or of this index, for what the index"
                " has not is removed from it. Received:"
                f" {store.told} with {len(gone):,} codes, none by a name of"
                f" {file.path}"
            )
        for start in range(0, len(gone), store.BATCH):
            store.remove(gone[start : start + store.BATCH])
        progress = Progress(len(file), "codes", len(kept))
        done = len(kept)
        for items in _batches(file, kept, store.BATCH):
            codes = np.frombuffer(b"".join(i.code for i in items), np.uint8)
            store.add([i.name for i in items], codes.reshape(len(items), -1))
            done += len(items)
            progress.update(done)
        added = len(file) - len(kept) - len(stale)
        # Else it has just been read, and is equal.
        if added or stale or gone or len(store) != len(file):
            _check_equal(file, store)
    return Copied(added, len(stale), len(kept), len(gone))


def _check_alike(file: ItemFile, store: Store) -> None:
    own = file.encoder_digest
    if (store.bits, store.encoder) != (file.bits, own):
        raise ValueError(
            "A store must be of the bits and the encoder of the index that is"
            " copied into it; copy into another place. Received:"
            f" {store.told} of {store.bits} bits and the encoder"
            f" {store.encoder}, {file.path} of {file.bits} bits and {own}"
        )


def _compared(
    file: ItemFile, store: Store
) -> tuple[set[str], set[str], list[str]]:
    """Returns the names in a store: those as in the index, others, gone."""
    kept: set[str] = set()
    stale: set[str] = set()
    gone: list[str] = []
    for names, codes in store.batches():
        known = file.find(names)
        for name, code in zip(names, codes, strict=True):
            if name not in known:
                gone.append(name)
            elif known[name].code == code.tobytes():
                kept.add(name)
            else:
                stale.add(name)
    return kept, stale, gone


def _batches(
    file: ItemFile, without: set[str], size: int
) -> collections.abc.Iterator[list[Item]]:
    """Iterates over the items but for some names, `size` of them at a time."""
    behind, waiting = 0, []
    while rows := file.items(behind, size):
        behind = rows[-1][0]
        waiting += [item for _, item in rows if item.name not in without]
        if len(waiting) >= size:
            yield waiting[:size]
            waiting = waiting[size:]
    if waiting:
        yield waiting


def _check_equal(file: ItemFile, store: Store) -> None:
    kept, stale, gone = _compared(file, store)
    missing = len(file) - len(kept) - len(stale)
    if stale or gone or missing or len(store) != len(file):
        raise OSError(
            "What a store gives back must be what the index has. Another"
            " process may have written to it: copy again. Received:"
            f" {store.told} with {len(store):,} codes for {len(file):,},"
            f" {missing:,} missing, {len(stale):,} of another code,"
            f" {len(gone):,} of other names"
            f" {sorted([*stale, *gone])[:SHOWN]}"
        )
