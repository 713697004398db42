import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf.runs import CodeSet, evaluate_code_sets


def code_set(seed, n, digest="m", labelled=True):
    rng = np.random.default_rng(seed)
    signs = rng.choice([-1, 1], size=(n, 12))
    labels = rng.integers(0, 3, n) if labelled else None
    manifest = {"bits": 12, "model_digest": digest}
    names = [str(i) for i in range(n)]
    return CodeSet(hn.retrieval.pack(signs), names, labels, manifest)


def test_is_the_evaluation_of_their_codes():
    query, database = code_set(0, 20), code_set(1, 90)
    expected = hn.retrieval.evaluate(
        query.codes, database.codes, query.labels, database.labels, 12, at=7
    )
    assert evaluate_code_sets(query, database, at=7) == expected


def test_two_encoders_are_refused_by_name():
    with pytest.raises(ValueError, match="model_digest=n beside m$"):
        evaluate_code_sets(code_set(0, 5, "n"), code_set(1, 5))


@pytest.mark.parametrize("part", ["query", "database"])
def test_labels_are_needed(part):
    sets = {"query": code_set(0, 5), "database": code_set(1, 5)}
    sets[part] = code_set(2, 5, labelled=False)
    with pytest.raises(ValueError, match=f"Received: {part} of 5 codes"):
        evaluate_code_sets(**sets)
