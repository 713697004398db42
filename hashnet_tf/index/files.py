"""Image files of an index: which have changed, and their codes."""

import collections.abc
import os
import typing

from hashnet_tf._files import file_digest
from hashnet_tf._output import Progress
from hashnet_tf.index.changes import Changes
from hashnet_tf.index.store import Item, Store

if typing.TYPE_CHECKING:
    from hashnet_tf.runs import Encoder

# Files that are encoded, and lost if the process is killed, at once.
BATCH = 128


def add_files(
    store: Store,
    encoder: "Encoder",
    labels: collections.abc.Mapping[str, str | None],
    verify: bool,
) -> Changes:
    """Adds files to a store, as `Index.add_files` does.

    Args:
        store: `Store`.
        encoder: `hashnet_tf.runs.Encoder`.
        labels: Mapping from the absolute path of each file to its label; None
            keeps what it has.
        verify: As there.
    """
    names = list(labels)
    known = store.find(names)
    progress = Progress(len(names), "files")
    refused: dict[str, str] = {}
    counts = {"added": 0, "refreshed": 0, "kept": 0}
    for start in range(0, len(names), BATCH):
        found = []
        for name in names[start : start + BATCH]:
            old, label = known.get(name), labels[name]
            if label is None and old is not None:
                label = old.label
            item = _looked_at(name, label, old, verify, refused)
            found += [] if item is None else [item]
        new = [item for item in found if known.get(item.name) != item]
        new = _encoded(encoder, store, new, refused)
        if new:
            with store.changing():
                store.put(new)
        for item in found:
            if item.name not in refused:
                counts[_kind(known.get(item.name), item)] += 1
        progress.update(min(start + BATCH, len(names)))
    return Changes(**counts, refused=refused)


def _kind(old: Item | None, item: Item) -> str:
    if old is None:
        return "added"
    same = (old.digest, old.label) == (item.digest, item.label)
    return "kept" if same else "refreshed"


def _looked_at(
    name: str,
    label: str | None,
    known: Item | None,
    verify: bool,
    refused: dict[str, str],
) -> Item | None:
    """Returns a file as it is now, its code only if the content is known."""
    try:
        status = os.stat(name)
        seen = (status.st_size, status.st_mtime_ns, status.st_ino)
        if known is not None and not verify and known[4:] == seen:
            return known._replace(label=label)
        digest = file_digest(name)
    except OSError as error:
        refused[name] = error.strerror or str(error)
        return None
    code = b""
    if known is not None and known.digest == digest:
        code = known.code
    return Item(name, code, label, digest, *seen)


def _encoded(
    encoder: "Encoder",
    store: Store,
    items: list[Item],
    refused: dict[str, str],
) -> list[Item]:
    """Returns items with their codes, but for those that are no images."""
    codes: dict[str | None, bytes | str] = {
        item.digest: item.code for item in items if item.code
    }
    unknown = {item.digest for item in items} - set(codes)
    alike = store.alike(digest for digest in unknown if digest is not None)
    codes |= {digest: item.code for digest, item in alike.items()}
    # Of each content one.
    first = {item.digest: item for item in items if item.digest not in codes}
    codes |= dict(
        zip(first, _codes_of(encoder, list(first.values())), strict=True)
    )
    done = []
    for item in items:
        code = codes[item.digest]
        if isinstance(code, str):
            refused[item.name] = code
        else:
            done.append(item._replace(code=code))
    return done


def _codes_of(encoder: "Encoder", items: list[Item]) -> list[bytes | str]:
    """Returns the code of each file, or the reason why it has none."""
    if not items:
        return []
    try:
        codes = encoder.encode_files([item.name for item in items])
        return [code.tobytes() for code in codes]
    except (ValueError, OSError) as error:
        if len(items) == 1:
            return [str(error)]
    # One of them is no image: by halves it is found.
    half = len(items) // 2
    return [
        *_codes_of(encoder, items[:half]),
        *_codes_of(encoder, items[half:]),
    ]
