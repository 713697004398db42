"""What is measured of codes in files of any program."""

import os
import pathlib

import numpy as np

from hashnet_tf._files import write_json
from hashnet_tf.datasets.sources.vectors import open_vectors
from hashnet_tf.retrieval import (
    NeighborReport,
    RetrievalReport,
    evaluate,
    evaluate_neighbors,
)
from hashnet_tf.retrieval.evaluation import USUAL_AT
from hashnet_tf.runs.code_set import CodeSet
from hashnet_tf.runs.evaluation import Path, evaluate_code_sets


def evaluate_files(
    query_codes: Path,
    database_codes: Path,
    query_labels: Path | None = None,
    database_labels: Path | None = None,
    out: Path | None = None,
    bits: int | None = None,
    at: int | None = None,
    empty_ball: str = "zero",
) -> RetrievalReport:
    """Measures codes on disk: two code sets, or four files of any program.

    Args:
        query_codes: Folder of a code set, or .npy file of packed codes, uint8
            `[n, ceil(bits / 8)]`.
        database_codes: The same of the items to find.
        query_labels: .npy file of class ids `[n]` or of a zero-or-one matrix
            `[n, L]`; None with code sets, which have labels of their own.
        database_labels: The same of the items to find.
        out: Str or path of a folder for `report.json`, or None.
        bits: Int K, the length of the codes in files; None for 8 a byte, or
            with code sets, which know their own.
        at: Int R >= 1 of MAP@R; None for 5,000.
        empty_ball: As in `hashnet_tf.retrieval.evaluate`.

    Returns:
        `hashnet_tf.retrieval.RetrievalReport`.

    Raises:
        ValueError: If a code set stands beside files, its codes are not of
            `bits`, files have no labels, a file holds no numbers, or as
            `evaluate_code_sets`.

    Example:

    >>> import tempfile, numpy as np, hashnet_tf as hn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     codes, labels = f"{folder}/codes.npy", f"{folder}/labels.npy"
    ...     np.save(codes, np.array([[0], [1], [255]], "uint8"))
    ...     np.save(labels, np.array([0, 0, 1]))
    ...     report = hn.runs.evaluate_files(codes, codes, labels, labels, at=2)
    >>> report.queries, report.bits
    (3, 8)
    """
    files = {
        "query_codes": query_codes,
        "database_codes": database_codes,
        "query_labels": query_labels,
        "database_labels": database_labels,
    }
    files = {name: os.fspath(path) for name, path in files.items() if path}
    at = USUAL_AT if at is None else at
    of_sets = [os.path.isdir(path) for path in (query_codes, database_codes)]
    if len(files) != (2 if any(of_sets) else 4):
        raise ValueError(
            "Code sets bring their labels along, and files of codes need files"
            f" of labels beside them. Received: {', '.join(files)}"
        )
    if any(of_sets):
        query, database = map(CodeSet.load, (query_codes, database_codes))
        if bits not in (None, query.bits):
            raise ValueError(
                f"`bits` must be {query.bits}, as in {files['query_codes']}, or"
                f" left out with code sets. Received: bits={bits}"
            )
        report = evaluate_code_sets(
            query, database, at=at, empty_ball=empty_ball
        )
    else:
        report = evaluate(
            *map(_array, files.values()),
            bits=bits,
            at=at,
            empty_ball=empty_ball,
        )
    if out is not None:
        write_json(
            pathlib.Path(out, "report.json"),
            {"files": files, "retrieval": report.as_dict()},
        )
    return report


def evaluate_neighbor_files(
    query_codes: Path,
    database_codes: Path,
    query_vectors: Path,
    database_vectors: Path,
    out: Path | None = None,
    bits: int | None = None,
) -> NeighborReport:
    """Measures without labels what codes on disk keep of their vectors.

    Args:
        query_codes: As in `evaluate_files`.
        database_codes: As there.
        query_vectors: File of the vectors that the codes are of, in the same
            order, as "vectors:FILE" reads it.
        database_vectors: The same of the items to find.
        out: As in `evaluate_files`.
        bits: As there.

    Returns:
        `hashnet_tf.retrieval.NeighborReport`.

    Raises:
        ValueError: If there are not as many vectors as codes, a file is not as
            it must be, or the codes are of two encoders.

    Example:

    >>> import tempfile, numpy as np, hashnet_tf as hn
    >>> x = np.random.default_rng(0).normal(size=(200, 16))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     codes, vectors = f"{folder}/codes.npy", f"{folder}/x.npy"
    ...     np.save(codes, hn.retrieval.pack(x))
    ...     np.save(vectors, x)
    ...     report = hn.runs.evaluate_neighbor_files(
    ...         codes, codes, vectors, vectors
    ...     )
    >>> report.bits, report.recall_at[10] > 0.3
    (16, True)
    """
    files = {
        "query_codes": os.fspath(query_codes),
        "database_codes": os.fspath(database_codes),
        "query_vectors": os.fspath(query_vectors),
        "database_vectors": os.fspath(database_vectors),
    }
    sets = [
        CodeSet.load(path)
        if os.path.isdir(path)
        else CodeSet.of(_array(os.fspath(path)), bits=bits)
        for path in (query_codes, database_codes)
    ]
    query, database = sets
    if os.path.isdir(query_codes) != os.path.isdir(database_codes):
        raise ValueError(
            "Codes must be two code sets or two files."
            f" Received: {query_codes}, {database_codes}"
        )
    query.check_digest(database.model_digest)
    if bits not in (None, query.bits):
        raise ValueError(
            f"`bits` must be {query.bits}, as in {query_codes}."
            f" Received: bits={bits}"
        )
    report = evaluate_neighbors(
        query.codes,
        database.codes,
        *(
            open_vectors(files[name]).array()
            for name in ("query_vectors", "database_vectors")
        ),
        bits=query.bits,
    )
    if out is not None:
        write_json(
            pathlib.Path(out, "report.json"),
            {"files": files, "neighbors": report.as_dict()},
        )
    return report


def _array(path: str) -> np.ndarray:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError:
        raise
    except Exception as error:
        # By a damaged header numpy's parser fails in many ways.
        raise ValueError(
            f"A .npy file of numbers is needed. Received: {path} ({error!r})"
        ) from error
