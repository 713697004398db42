import json

import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf.retrieval import evaluate_neighbors, pack
from hashnet_tf.runs import CodeSet, evaluate_neighbor_files

RNG = np.random.default_rng(0)
QUERIES, ITEMS = RNG.normal(size=(20, 12)), RNG.normal(size=(300, 12))


@pytest.fixture
def files(tmp_path):
    """Codes and vectors of queries and items, by the names of arguments."""
    found = {}
    for name, rows in (("query", QUERIES), ("database", ITEMS)):
        np.save(tmp_path / f"{name}_codes.npy", pack(rows))
        np.save(tmp_path / f"{name}_vectors.npy", rows.astype("float32"))
        for kind in ("codes", "vectors"):
            key = f"{name}_{kind}"
            found[key] = tmp_path / f"{key}.npy"
    return found


def test_codes_and_vectors_in_files(files, tmp_path):
    report = evaluate_neighbor_files(**files, bits=12, out=tmp_path / "out")
    expected = evaluate_neighbors(
        pack(QUERIES),
        pack(ITEMS),
        QUERIES.astype("float32"),
        ITEMS.astype("float32"),
        bits=12,
    )
    assert report == expected
    written = json.loads((tmp_path / "out" / "report.json").read_text())
    again = hn.retrieval.NeighborReport.from_dict(written["neighbors"])
    assert again == expected
    assert written["files"]["query_vectors"] == str(files["query_vectors"])


def test_code_sets(files, tmp_path):
    plain = evaluate_neighbor_files(**files, bits=12)
    for name, rows in (("query", QUERIES), ("database", ITEMS)):
        CodeSet.of(pack(rows), bits=12).save(tmp_path / name)
        files[f"{name}_codes"] = tmp_path / name
    assert evaluate_neighbor_files(**files) == plain
    with pytest.raises(ValueError, match="`bits` must be 12"):
        evaluate_neighbor_files(**files, bits=16)
    CodeSet.of(pack(ITEMS), bits=12, model_digest="b").save(
        tmp_path / "database"
    )
    with pytest.raises(ValueError, match="of one encoder"):
        evaluate_neighbor_files(**files)


def test_other_files_are_refused(files, tmp_path):
    np.save(tmp_path / "short.npy", ITEMS[:9])
    with pytest.raises(ValueError, match=r"must be \[300, d\]"):
        evaluate_neighbor_files(
            **{**files, "database_vectors": tmp_path / "short.npy"}
        )
    CodeSet.of(pack(ITEMS), bits=12).save(tmp_path / "set")
    with pytest.raises(ValueError, match="two code sets or two files"):
        evaluate_neighbor_files(**{**files, "database_codes": tmp_path / "set"})
