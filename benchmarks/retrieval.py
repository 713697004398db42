"""Measures the metrics and the search beside the usual ways, in one run.

  python benchmarks/retrieval.py

Random codes with a class structure, of NUS-WIDE's size: 5,000 queries, 168,692
codes of 64 bits, 81 labels. Each figure is a ratio of two times of this run;
machines are shared, so the parts are measured by turns and the least counts.
"""

import argparse
import resource
import sys
import time

import numpy as np

from hashnet_tf.retrieval import evaluate, search
from hashnet_tf.retrieval.hamming import code_words, each_query, word_distances

BITS, LABELS, AT = 64, 81, 5000
LINEAR_QUERIES = 200


def make_data(q: int, n: int, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Returns codes and labels of queries and database, with a structure."""
    rng = np.random.default_rng(seed)
    centres = rng.integers(0, 256, (LABELS, BITS // 8), dtype=np.uint8)

    def items(count):
        main = rng.integers(0, LABELS, count)
        labels = rng.random((count, LABELS), dtype=np.float32) < 0.011
        labels[np.arange(count), main] = True
        noise = rng.integers(0, 256, (3, count, BITS // 8), dtype=np.uint8)
        # One bit in eight is turned.
        return centres[main] ^ (noise[0] & noise[1] & noise[2]), labels

    return (*items(q), *items(n))


def usual_loop(
    query_codes, database_codes, query_labels, database_labels, dtype
):
    """Computes MAP@R alone as public PyTorch scripts do, a query at a time.

    Their codes are float32; their labels are read from lists as int64, for
    whose product NumPy has no BLAS. `dtype` is that of the labels.
    """
    queries = np.unpackbits(query_codes, axis=1).astype(np.float32) * 2 - 1
    items = np.unpackbits(database_codes, axis=1).astype(np.float32) * 2 - 1
    query_labels = query_labels.astype(dtype)
    database_labels = database_labels.astype(dtype)
    total = 0.0
    begin = time.perf_counter()
    for query, labels in zip(queries, query_labels, strict=True):
        relevant = (labels @ database_labels.T > 0).astype(np.float32)
        distances = 0.5 * (items.shape[1] - query @ items.T)
        hits = relevant[np.argsort(distances)][:AT]
        count = int(hits.sum())
        if count:
            places = np.flatnonzero(hits) + 1.0
            total += np.mean(np.arange(1, count + 1) / places)
    return total / len(queries), time.perf_counter() - begin


def popcount_pass(query_codes, database_codes):
    """Computes every distance and nothing else; returns the seconds."""
    queries, items = code_words(query_codes), code_words(database_codes)
    begin = time.perf_counter()
    each_query(lambda i: word_distances(queries[:, i], items), len(query_codes))
    return time.perf_counter() - begin


def timed(function, *arguments, **options):
    """Returns what a call returns, and its seconds."""
    begin = time.perf_counter()
    result = function(*arguments, **options)
    return result, time.perf_counter() - begin


def compare_metrics(q, n):
    """All metrics beside the loop's MAP alone and beside a popcount pass."""
    data = make_data(q, n)
    few = 100
    sample = [
        part[:few] if i in (0, 1) else part for i, part in enumerate(data)
    ]
    codes, labels, database, database_labels = data
    loop_seconds, float_seconds, pass_seconds, seconds = [], [], [], []
    for _ in range(3):
        for dtype, times in (
            (np.int64, loop_seconds),
            (np.float32, float_seconds),
        ):
            loop_map, spent = usual_loop(
                sample[0], database, sample[1], database_labels, dtype
            )
            times.append(spent * q / few)
        pass_seconds.append(popcount_pass(codes, database))
        before = peak_mib()
        report, spent = timed(
            evaluate,
            codes,
            database,
            labels,
            database_labels,
            BITS,
            AT,
            file_order=False,
        )
        seconds.append(spent)
    loop, bare, ours = min(loop_seconds), min(pass_seconds), min(seconds)
    print(f"{q:,} queries, {n:,} codes of {BITS} bits, {LABELS} labels")
    print(
        f"the usual loop, MAP@{AT} alone ({few} queries, scaled) {loop:8.2f} s"
    )
    print(f"a bare popcount pass                            {bare:8.2f} s")
    print(f"all metrics                                     {ours:8.2f} s")
    print(f"RATIO loop / all metrics    {loop / ours:6.1f}")
    print(
        f"RATIO loop with float32 labels / all metrics"
        f" {min(float_seconds) / ours:6.1f}"
    )
    print(f"RATIO all metrics / popcount {ours / bare:5.1f}")
    print(
        f"peak memory {peak_mib():,.0f} MiB, of which {before:,.0f} before the"
        " metrics"
    )
    few_report = evaluate(
        sample[0], database, sample[1], database_labels, BITS, AT
    )
    print(
        f"MAP@{AT} of those {few}: loop {loop_map:.4f}, in file order"
        f" {few_report.presets['deephash']:.4f} (ties apart); all queries,"
        f" tie-aware {report.map:.4f}"
    )
    _, with_order = timed(
        evaluate, codes, database, labels, database_labels, BITS, AT
    )
    print(
        f"RATIO loop / all metrics with every preset {loop / with_order:6.1f}"
    )


def linearity():
    """Seconds a query and million codes, at three sizes."""
    for n in (100_000, 1_000_000, 10_000_000):
        data = make_data(LINEAR_QUERIES, n)
        _, spent = timed(
            evaluate,
            data[0],
            data[2],
            data[1],
            data[3],
            BITS,
            AT,
            file_order=False,
        )
        print(
            f"{n:>10,} codes: {spent / LINEAR_QUERIES / n * 1e9:6.2f} ms a"
            " query and million codes"
        )


def compare_search(q, n, k=10):
    """Search beside FAISS' flat binary index, where it is installed."""
    codes, _, database, _ = make_data(q, n)
    _, ours = min(
        (timed(search, codes, database, k) for _ in range(3)),
        key=lambda pair: pair[1],
    )
    try:
        import faiss
    except ImportError:
        print("FAISS is not installed: no comparison of the search")
        return
    index = faiss.IndexBinaryFlat(BITS)
    index.add(database)
    _, theirs = min(
        (timed(index.search, codes, k) for _ in range(3)),
        key=lambda pair: pair[1],
    )
    print(
        f"search, k={k}: {ours / q * 1e3:.2f} ms a query, FAISS flat"
        f" {theirs / q * 1e3:.2f}; RATIO ours / FAISS {ours / theirs:.2f}"
    )


def peak_mib():
    """Returns the most memory that this process has held, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def main():
    """Runs the comparisons and prints their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=5000)
    parser.add_argument("--database", type=int, default=168_692)
    arguments = parser.parse_args()
    compare_metrics(arguments.queries, arguments.database)
    compare_search(min(500, arguments.queries), arguments.database)
    linearity()


if __name__ == "__main__":
    main()
