"""Vectors in a file, with labels and ids where they are known."""

import json
import pathlib
import typing

import numpy as np

from hashnet_tf.datasets.images.vectors import Vectors
from hashnet_tf.datasets.sources.pool import Pool
from hashnet_tf.datasets.sources.reading import looked_for

NAMES = ("vectors", "labels", "ids")
# Of a Parquet file the columns of the same, one row an item.
COLUMNS = ("vector", "label", "id")
PARQUET = (".parquet", ".arrow", ".feather")
ENDINGS = (".npy", ".npz", *PARQUET)
# Of the mean square, what is told.
OFFSET, COLUMN = 0.5, 0.5
# So many rows tell how a file is scaled.
SAMPLE = 20_000
# Of lengths, the largest beside the least.
RATIO = 10


def read_vectors(place: str) -> Pool:
    """Reads vectors ("vectors:FILE"), as any network has made them.

    FILE is one of

    ```text
    X.npy           vectors, real [n, d], read as a memory map;
    X_labels.npy    beside it labels, where they are known,
    X_ids.npy       and ids (or X_ids.json, a list)
    X.npz           arrays vectors, labels and ids; the last two as known
    X.parquet       columns vector (lists), label and id (or .arrow, .feather)
    ```

    Labels are class ids or names, `[n]`, or a zero-or-one matrix `[n, L]`;
    names become the classes in their order. Ids are n strings or whole numbers
    that differ; without them an item goes by its row.

    Args:
        place: Str, FILE.

    Returns:
        `Pool`, whose notes tell of vectors that are scaled as a network or an
        angle would mind.

    Raises:
        ValueError: If FILE is no such file, a value is no number, or labels or
            ids are not as many or not as above.
        ImportError: If a Parquet file is read without pyarrow.
    """
    path = pathlib.Path(place)
    if not place or not path.is_file():
        raise ValueError(
            '"vectors:FILE" needs an existing file.'
            f" Received: {looked_for('vectors', place)}"
        )
    kind = path.suffix.lower()
    try:
        if kind in PARQUET:
            vectors, labels, ids = _of_parquet(path)
        elif kind == ".npz":
            vectors, labels, ids = _of_archive(path)
        elif kind == ".npy":
            vectors, labels, ids = _of_arrays(path)
        else:
            raise ValueError(
                f"A file of vectors ends in {', '.join(ENDINGS)}."
                f" Received: {path.name}"
            )
        names, class_names = _names_of(labels)
        items = Vectors(vectors, names, _checked_ids(ids, len(vectors)))
        _check_numbers(items)
    except ValueError as error:
        raise ValueError(f"vectors:{place}: {error}") from error
    notes = scaling_notes(items)
    if kind == ".npy" and labels is None:
        other = path.with_name("labels.npy")
        if other.is_file():
            notes += (
                f"{other.name} is beside it, but not read: the labels of"
                f" {path.name} are {path.stem}_labels.npy",
            )
    return Pool(items, class_names=class_names, notes=notes)


def open_vectors(place: str) -> Vectors:
    """Returns the vectors of a file alone.

    Args:
        place: As in `read_vectors`.

    Raises:
        ValueError: As `read_vectors`.
        ImportError: As `read_vectors`.
    """
    return typing.cast(Vectors, read_vectors(place).images)


def scaling_notes(vectors: Vectors) -> tuple[str, ...]:
    """Returns what a network or an angle would mind in vectors, in words.

    Zeros, lengths that are far apart, a common offset that is most of them and
    a column that outweighs all others, by the first 20,000 rows.

    Args:
        vectors: `Vectors`.

    Returns:
        Tuple of str.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.datasets import Vectors
    >>> from hashnet_tf.datasets.sources.vectors import scaling_notes
    >>> noise = np.random.default_rng(0).normal(size=(500, 8))
    >>> scaling_notes(Vectors(noise + 9, None))
    ('98 % of their mean square is an offset that all have in common',)
    """
    rows = np.concatenate(list(vectors.first(SAMPLE).batches(SAMPLE)))
    rows = rows.astype(np.float64)
    lengths = np.linalg.norm(rows, axis=1)
    mean, square = rows.mean(axis=0), (rows**2).mean(axis=0)
    variance = rows.var(axis=0)
    notes = []
    if zeros := int((lengths == 0).sum()):
        notes.append(f"{zeros} of the first {len(rows)} vectors are zero")
    some = lengths[lengths > 0]
    least, largest = np.percentile(some, [1, 99]) if len(some) else (0, 0)
    if largest > RATIO * least:
        notes.append(
            f"their lengths go from {least:.3g} to {largest:.3g}, where an"
            " angle sees none"
        )
    if square.sum() and (mean**2).sum() > OFFSET * square.sum():
        share = (mean**2).sum() / square.sum()
        notes.append(
            f"{int(100 * share)} % of their mean square is an offset that all"
            " have in common"
        )
    if len(variance) > 2 and variance.max() > COLUMN * variance.sum() > 0:
        share = variance.max() / variance.sum()
        notes.append(
            f"column {variance.argmax()} has {int(100 * share)} % of all"
            " variance"
        )
    return tuple(notes)


def parquet_table(path: pathlib.Path) -> typing.Any:
    """Reads a Parquet or Arrow file.

    Args:
        path: `pathlib.Path`.

    Returns:
        `pyarrow.Table`.

    Raises:
        ValueError: If it is none.
        ImportError: If pyarrow is not installed.
    """
    try:
        import pyarrow
        import pyarrow.feather
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError(
            f"{path.name} needs pyarrow: pip install 'hashnet_tf[parquet]'"
        ) from error
    read = pyarrow.feather.read_table
    if path.suffix.lower() == PARQUET[0]:
        read = pyarrow.parquet.read_table
    try:
        return read(path)
    except pyarrow.ArrowException as error:
        raise ValueError(f"it cannot be read. Received: {error}") from error


def _of_arrays(path: pathlib.Path) -> tuple[typing.Any, ...]:
    beside = [path.with_name(f"{path.stem}_{name}.npy") for name in NAMES[1:]]
    labels, ids = (_array(f) if f.is_file() else None for f in beside)
    listed = beside[1].with_suffix(".json")
    if ids is None and listed.is_file():
        ids = json.loads(listed.read_text(encoding="utf-8"))
        if not isinstance(ids, list):
            raise ValueError(f"{listed.name} must hold a list")
    return _array(path, "r"), labels, ids


def _array(path: pathlib.Path, mode: typing.Any = None) -> np.ndarray:
    try:
        found = np.load(path, mmap_mode=mode, allow_pickle=False)
    except OSError:
        raise
    except Exception as error:
        # By a damaged header numpy's parser fails in many ways.
        raise ValueError(
            f"a .npy file of numbers or strings is needed. Received:"
            f" {path.name} ({str(error) or type(error).__name__})"
        ) from error
    if not isinstance(found, np.ndarray):
        found.close()
        raise ValueError(f"a .npy file is needed. Received: {path.name}")
    return found


def _of_archive(path: pathlib.Path) -> tuple[typing.Any, ...]:
    try:
        # Opened here: np.load leaves a file that it cannot read open.
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            found = {name: archive[name] for name in archive.files}
    except OSError:
        raise
    except Exception as error:
        raise ValueError(
            "it must be a NumPy archive (np.savez). Received:"
            f" {str(error) or type(error).__name__}"
        ) from error
    if "vectors" not in found or set(found) - set(NAMES):
        raise ValueError(
            "an archive must hold vectors, and labels and ids where known."
            f" Received: {', '.join(found) or 'nothing'}"
        )
    return tuple(found.get(name) for name in NAMES)


def _of_parquet(path: pathlib.Path) -> tuple[typing.Any, ...]:
    table = parquet_table(path)
    import pyarrow

    if COLUMNS[0] not in table.column_names:
        raise ValueError(
            f"a column {COLUMNS[0]} of lists is needed, and {COLUMNS[1]} and"
            f" {COLUMNS[2]} where known."
            f" Received: {', '.join(table.column_names) or 'no column'}"
        )
    column = table[COLUMNS[0]].combine_chunks()
    if column.null_count:
        raise ValueError(f"{column.null_count} rows have no vector")
    try:
        values = column.flatten().to_numpy(zero_copy_only=False)
        vectors = values.reshape(len(column), -1)
        ragged = len(set(column.value_lengths().to_pylist())) > 1
    except (AttributeError, pyarrow.ArrowException, ValueError) as error:
        raise ValueError(
            f"column {COLUMNS[0]} must hold lists of numbers, all as long."
            f" Received: {column.type}"
        ) from error
    if ragged:
        raise ValueError(f"the lists of column {COLUMNS[0]} differ in length")
    rest = [
        table[name].to_pylist() if name in table.column_names else None
        for name in COLUMNS[1:]
    ]
    for name, values in zip(COLUMNS[1:], rest, strict=True):
        if values is not None and None in values:
            raise ValueError(f"column {name} must be known of every row")
    return vectors, *rest


def _names_of(
    labels: typing.Any,
) -> tuple[np.ndarray | None, list[str] | None]:
    """Returns class ids or a matrix, and the names of classes that had one."""
    if labels is None:
        return None, None
    given = np.asarray(labels)
    if given.ndim == 2 and given.shape[1] == 1:
        given = given[:, 0]
    if given.dtype.kind in "US":
        if given.ndim != 1:
            raise ValueError(
                "class names must be one an item. Received:"
                f" labels.shape={given.shape}"
            )
        names, ids = np.unique(given.astype(str), return_inverse=True)
        return ids, names.tolist()
    return given, None


def _checked_ids(ids: typing.Any, count: int) -> list[str] | None:
    if ids is None:
        return None
    given = np.asarray(ids)
    if given.ndim != 1 or given.dtype.kind not in "USiu":
        raise ValueError(
            "ids must be strings or whole numbers, one an item. Received:"
            f" ids.shape={given.shape}, ids.dtype={given.dtype}"
        )
    names = given.astype(str).tolist()
    if len(names) != count:
        raise ValueError(
            f"ids must be one a vector. Received: {len(names)} ids of {count}"
        )
    if again := len(names) - len(set(names)):
        raise ValueError(f"ids must differ. Received: {again} that repeat")
    return names


def _check_numbers(vectors: Vectors) -> None:
    lost, first = 0, None
    row = 0
    for batch in vectors.batches(SAMPLE):
        wrong = np.flatnonzero(~np.isfinite(batch).all(axis=1))
        if len(wrong) and first is None:
            first = row + int(wrong[0])
        lost, row = lost + len(wrong), row + len(batch)
    if lost:
        raise ValueError(
            f"every value must be a number. Received: NaN or infinity in"
            f" {lost} of {row} vectors, the first of them row {first}"
        )
