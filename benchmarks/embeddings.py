"""Measures what few bytes keep of vectors.

  python benchmarks/embeddings.py
  python benchmarks/embeddings.py --docs

Three sets: vectors of topics that are made up; the features of photographs,
where the folder HASHNET_TF_DATA has MIRFlickr's and the weights of MobileNetV2;
the embeddings of docstrings, where wordllama is installed, whose wheel holds a
small model. Of each 1,000 ask, half of the rest is learned from with labels, by
the methods that take some, and the other half is found. The methods without
labels learn from what is found. It needs FAISS.

A row that was measured is not measured again where --out is the same. With
--docs the numbers go into docs/results/embeddings.json, of which
write_tables.py fills the tables of docs/embeddings.md, and the figures to
docs/pictures/.
"""

import argparse
import ast
import collections
import dataclasses
import importlib
import importlib.util
import json
import os
import pathlib
import tempfile
import time
import typing
from collections.abc import Iterator

import numpy as np
from sklearn.preprocessing import normalize
from topics import topic_vectors
from without_labels import WEIGHTS, unpacked

import hashnet_tf as hn
from hashnet_tf._files import write_json
from hashnet_tf.retrieval.neighbor_evaluation import centred_unit
from hashnet_tf.shallow import PQRanking
from hashnet_tf.shallow.vectors import VectorRanking

DOCS = pathlib.Path(__file__).parent.parent / "docs"
RESULT = DOCS / "results" / "embeddings.json"
PICTURES = DOCS / "pictures"
BYTES = (8, 16, 32)
ASKING, MOST, K, AT = 1000, 24_000, 10, 1000
RERANKED = 100
BY_LABELS = ("SDH, labels", "HashNet-R, labels")
# Dimensions.
WIDE = 512
PACKAGES = ("scipy", "sklearn", "numpy", "keras", "matplotlib", "pandas")
# Texts of a part of a package, for it to be a class.
OF_CLASS = 50


@dataclasses.dataclass(frozen=True)
class Vectors:
    """A set of vectors with labels, and what is said of it."""

    about: str
    values: np.ndarray
    labels: np.ndarray


def synthetic(features: pathlib.Path) -> Vectors | None:
    """Unit vectors of topics with a common offset."""
    return Vectors(
        "20,000 unit vectors of 384 dimensions, 50 topics and an offset that"
        " all have in common (topics.py)",
        *topic_vectors(seed=0),
    )


def photographs(features: pathlib.Path) -> Vectors | None:
    """The features of a network, of MIRFlickr's photographs."""
    data = pathlib.Path(os.environ.get("HASHNET_TF_DATA", "../shared/data"))
    folder = unpacked("mirflickr25k_96px.tar.gz", "mirflickr25k")
    if folder is None or not (data / WEIGHTS).is_file():
        print(f"HASHNET_TF_DATA has no photographs or no {WEIGHTS}: left out")
        return None
    dataset = hn.datasets.load(f"mirflickr25k-lists:{folder}")
    network = hn.models.backbone("MobileNetV2", (96, 96, 3), data / WEIGHTS)
    found = hn.runs.frozen_features(network, dataset.database, features)
    return Vectors(
        "1,280 features of MobileNetV2 at 96 pixels, of MIRFlickr's"
        " photographs; 38 labels, several each",
        np.array(found[:, 0]),
        dataset.database.labels,
    )


def texts(features: pathlib.Path) -> Vectors | None:
    """The embeddings of what functions say of themselves."""
    try:
        wordllama: typing.Any = importlib.import_module("wordllama")
    except ImportError:
        print("wordllama is not installed: texts are left out")
        return None
    model = wordllama.WordLlama.load(
        cache_dir=pathlib.Path(wordllama.__file__).parent, disable_download=True
    )
    of_text = {text: name for name, text in docstrings()}
    counts = collections.Counter(of_text.values())
    some = {t: n for t, n in of_text.items() if counts[n] >= OF_CLASS}
    values = model.embed(list(some), norm=True)
    labels = np.unique(list(some.values()), return_inverse=True)[1]
    return Vectors(
        f"{len(some):,} docstrings of {', '.join(PACKAGES)} by wordllama's 256"
        f" dimensions; {labels.max() + 1} parts of packages are the classes",
        np.asarray(values, np.float32),
        labels,
    )


def docstrings() -> Iterator[tuple[str, str]]:
    """Yields the part of a package and a docstring."""
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        assert spec is not None and spec.origin is not None
        root = pathlib.Path(spec.origin).parent
        for path in sorted(root.rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            if any(part.startswith("test") for part in parts):
                continue
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if not isinstance(node, ast.FunctionDef | ast.ClassDef):
                    continue
                text = ast.get_docstring(node) or ""
                if len(text) > 80 and not node.name.startswith("_"):
                    yield f"{package}.{parts[0]}", text[:1000]


SETS = {
    "synthetic": synthetic,
    "photographs": photographs,
    "texts": texts,
}


class OPQRanking(VectorRanking):
    """Product quantization behind a rotation that is learned for it, as FAISS.

    Ge, He, Ke & Sun, "Optimized Product Quantization", TPAMI 2014. Of wide
    vectors the rotation gets a fifth of the usual rounds, which take half an
    hour there.
    """

    def __init__(self, bits: int) -> None:
        self.bits = bits

    def _learn(self, centred: np.ndarray) -> None:
        import faiss

        parts = self.bits // 8
        d = -(-centred.shape[1] // parts) * parts
        self.turn_ = faiss.OPQMatrix(d, parts)
        if d > WIDE:
            self.turn_.niter //= 5
        self.turn_.train(self._padded(centred, d))
        self.index_ = faiss.IndexPQ(d, parts, 8)
        self.index_.train(self._turned(centred))

    def _padded(self, centred: np.ndarray, d: int) -> np.ndarray:
        unit: typing.Any = normalize(centred)
        return np.pad(unit, ((0, 0), (0, d - centred.shape[1])))

    def _turned(self, centred: np.ndarray) -> np.ndarray:
        return self.turn_.apply(self._padded(centred, self.turn_.d_in))

    def _kept(self, centred: np.ndarray) -> np.ndarray:
        return self.index_.sa_encode(self._turned(centred))

    def _distances(self, centred: np.ndarray, kept: np.ndarray) -> np.ndarray:
        queries, items = self._turned(centred), self.index_.sa_decode(kept)
        lengths = (items**2).sum(axis=1) + (queries**2).sum(axis=1)[:, None]
        return lengths - 2 * queries @ items.T


def parts(vectors: Vectors, seed: int = 0) -> list[np.ndarray]:
    """Returns the rows that ask, that are learned from with labels, are found.

    Args:
        vectors: `Vectors`.
        seed: Int, of the draw.
    """
    order = np.random.default_rng(seed).permutation(len(vectors.values))
    order = order[:MOST]
    half = (len(order) - ASKING) // 2
    return np.split(order, [ASKING, ASKING + half])


def measured(
    vectors: Vectors, known: dict[tuple[str, float], dict], seed: int = 0
) -> Iterator[dict]:
    """Yields a row for each method and number of bytes.

    Args:
        vectors: `Vectors`.
        known: Rows by method and bytes, which are not measured again.
        seed: Int.
    """
    asked, learned, found = parts(vectors, seed)
    x, y = vectors.values, vectors.labels
    mean = x[found].mean(axis=0)
    unit = {
        n: centred_unit(x[p], mean) for n, p in (("q", asked), ("d", found))
    }
    cosines = unit["q"] @ unit["d"].T
    near = np.argsort(-cosines, axis=1)[:, :K]

    def row(name: str, width: float, distances: np.ndarray, **more) -> dict:
        report = hn.retrieval.evaluate_distances(
            lambda rows: distances[rows], y[asked], y[found], at=AT, ranks=[K]
        )
        first = _first(distances)
        again = np.take_along_axis(cosines, first, axis=1)
        best = np.take_along_axis(
            first, np.argsort(-again, axis=1)[:, :K], axis=1
        )
        return {
            "method": name,
            "bytes": width,
            "recall": _share(first[:, :K], near),
            "reranked": _share(best, near),
            "map": report.map,
            "precision": report.precision_at[K],
            **{n: round(value, 4) for n, value in more.items()},
        }

    def by_codes(name: str, width: int, estimator: typing.Any) -> dict:
        start = time.perf_counter()
        if name in BY_LABELS:
            estimator.fit(x[learned], y[learned])
        else:
            estimator.fit(x[found])
        fit, start = time.perf_counter() - start, time.perf_counter()
        codes = estimator.encode(x[found])
        encode = time.perf_counter() - start
        queries = estimator.encode(x[asked])
        index = hn.retrieval.HammingIndex(8 * width)
        index.add(codes)
        start = time.perf_counter()
        index.search(queries, RERANKED)
        search = time.perf_counter() - start
        distances = hn.retrieval.distances(queries, codes)
        places = np.stack(
            [
                some[hn.retrieval.asymmetric_search(z, codes[some], K)[1][0]]
                for z, some in zip(
                    _z_of(estimator, x[asked])[:, None],
                    _first(distances),
                    strict=True,
                )
            ]
        )
        return row(
            name,
            width,
            distances,
            by_z=_share(places, near),
            fit=fit,
            encode=1000 * encode / len(found),
            search=1000 * search / len(asked),
        )

    def by_ranking(name: str, width: int, ranking: VectorRanking) -> dict:
        start = time.perf_counter()
        ranking.fit(x[found])
        fit, start = time.perf_counter() - start, time.perf_counter()
        kept = ranking.encode(x[found])
        encode = time.perf_counter() - start
        assert ranking.bytes_per_item == width
        return row(
            name,
            width,
            ranking.distances(x[asked], kept),
            fit=fit,
            encode=1000 * encode / len(found),
        )

    wide = 4 * x.shape[1]
    yield known.get(("floats", wide)) or row("floats", wide, 1 - cosines)
    sign = hn.shallow.SignRanking().fit(x[found])
    wide = sign.bytes_per_item
    yield known.get(("sign", wide)) or row(
        "sign", wide, sign.distances(x[asked], sign.encode(x[found]))
    )
    for width in BYTES:
        bits = 8 * width
        for name, estimator in (
            ("LSH", hn.shallow.LSH(bits, seed=seed)),
            ("ITQ", hn.shallow.ITQ(bits, seed=seed)),
            ("SDH, labels", hn.shallow.SDH(bits, seed=seed)),
            ("HashNet-R, labels", hn.HashEncoder(bits, random_state=seed)),
        ):
            yield known.get((name, width)) or by_codes(name, width, estimator)
        for name, ranking in (
            ("PQ", PQRanking(bits, seed)),
            ("OPQ", OPQRanking(bits)),
            # Of which each takes 8 bytes for two numbers.
            ("RaBitQ", hn.shallow.RaBitQRanking(max(bits - 64, 8), seed)),
        ):
            if name == "RaBitQ" and width <= 8:
                continue
            yield known.get((name, width)) or by_ranking(name, width, ranking)


def _z_of(estimator: typing.Any, x: np.ndarray) -> np.ndarray:
    if isinstance(estimator, hn.HashEncoder):
        return np.asarray(estimator.hashnet_.logits(x))
    return estimator._values(x)


def _first(distances: np.ndarray) -> np.ndarray:
    return np.argsort(distances, axis=1, kind="stable")[:, :RERANKED]


def _share(found: np.ndarray, near: np.ndarray) -> float:
    hits = (found[:, :, None] == near[:, None, :]).any(axis=2)
    return float(hits.mean())


def draw(tables: dict[str, dict]) -> None:
    """Draws recall against bits, a picture for each set."""
    for name, table in tables.items():
        curves: dict[str, dict[int, float]] = {}
        for row in table["rows"]:
            if row["bytes"] in BYTES:
                of_method = curves.setdefault(row["method"], {})
                of_method[8 * row["bytes"]] = row["recall"]
        path = PICTURES / f"embeddings-{name}.png"
        hn.plots.plot_by_bits(
            curves, path, measure="recall@10 of the floats' ten nearest"
        )
        # The page has them as a table.
        path.with_suffix(".csv").unlink()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    usual = pathlib.Path(tempfile.gettempdir(), "hashnet_tf_embeddings")
    parser.add_argument("--out", type=pathlib.Path, default=usual)
    parser.add_argument("--docs", action="store_true")
    given = parser.parse_args()
    tables = {}
    for name, read in SETS.items():
        kept = given.out / f"{name}.json"
        table = {"about": "", "rows": []}
        if kept.is_file():
            table = json.loads(kept.read_text("utf-8"))
        vectors = read(given.out / "features")
        if vectors is None:
            continue
        known = {(row["method"], row["bytes"]): row for row in table["rows"]}
        rows = []
        for found in measured(vectors, known):
            print(f"RESULT {name}: {found}", flush=True)
            rows.append(found)
            known[found["method"], found["bytes"]] = found
            told = {"about": vectors.about, "rows": list(known.values())}
            write_json(kept, told)
        tables[name] = {"about": vectors.about, "rows": rows}
    if given.docs:
        RESULT.write_text(json.dumps(tables, indent=1) + "\n", "utf-8")
        draw(tables)


if __name__ == "__main__":
    main()
