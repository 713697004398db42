"""Measures codes of any program, with numpy alone.

  python examples/measure_codes.py

The codes here are drawn: one in eight bits of the code of a class is turned.
"""

import argparse

import numpy as np

import hashnet_tf as hn

BITS, CLASSES = 48, 10


def main() -> hn.retrieval.RetrievalReport:
    """Prints one metric, all metrics, and the nearest; returns the report."""
    rng = np.random.default_rng(0)
    of_class = rng.choice([-1.0, 1.0], (CLASSES, BITS))

    def items(count):
        labels = rng.integers(0, CLASSES, count)
        turned = np.where(rng.random((count, BITS)) < 1 / 8, -1, 1)
        # Bit k is 1 where the value is not negative; 8 bits a byte.
        return hn.retrieval.pack(of_class[labels] * turned), labels

    query, query_labels = items(100)
    database, database_labels = items(10_000)
    data = query, database, query_labels, database_labels

    ours = hn.retrieval.mean_average_precision(*data, top_k=1000)
    near = hn.retrieval.precision_within_radius(*data, radius=2)
    print(f"MAP@1000 {ours:.4f}, precision within radius 2 {near:.4f}")
    report = hn.retrieval.evaluate(*data, bits=BITS, at=1000)
    print(report.table())

    index = hn.retrieval.HammingIndex(BITS)
    index.add(database)
    distances, ids = index.search(query[:1], k=5)
    print(f"Nearest to query 0: items {ids[0]} at {distances[0]} bits")
    return report


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    main()
