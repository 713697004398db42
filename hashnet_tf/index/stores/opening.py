"""The engines for codes, by the word that names each."""

import dataclasses
import difflib
import pkgutil

from hashnet_tf.index.stores.store import Store

_HERE = "hashnet_tf.index.stores"


@dataclasses.dataclass(frozen=True)
class Engine:
    """A kind of place for codes.

    Attributes:
        name: Str, by which it is chosen.
        place: Str, what stands behind the colon: "FILE", "FOLDER" or "URL".
        about: Str, what keeps the codes there.
        store: Str, "module:class" of the `Store`. It is imported when a place
            is opened.
        extra: Str, the extra of this package that installs the engine.
        modules: Tuple of str, what must be importable.
        tested: Str, against what the tests run it.
        is_exact: Bool, whether all of the nearest are found.

    Example:

    >>> from hashnet_tf.index.stores import STORES
    >>> STORES["duckdb"].word
    'duckdb:FILE'
    """

    name: str
    place: str
    about: str
    store: str
    extra: str
    modules: tuple[str, ...]
    tested: str = "the engine"
    is_exact: bool = True

    @property
    def word(self) -> str:
        """Str, as it is written."""
        return f"{self.name}:{self.place}"


STORES: dict[str, Engine] = {
    engine.name: engine
    for engine in [
        Engine(
            "duckdb",
            "FILE",
            "a table of DuckDB",
            f"{_HERE}.duckdb:DuckdbStore",
            "duckdb",
            ("duckdb",),
        ),
        Engine(
            "elasticsearch",
            "URL#INDEX",
            "documents of Elasticsearch",
            f"{_HERE}.elasticsearch:ElasticsearchStore",
            "elasticsearch",
            ("elasticsearch",),
            tested="its requests, no server",
        ),
        Engine(
            "faiss",
            "FOLDER",
            "a flat binary index of FAISS",
            f"{_HERE}.faiss:FaissStore",
            "faiss",
            ("faiss",),
        ),
        Engine(
            "lancedb",
            "FOLDER",
            "a table of LanceDB",
            f"{_HERE}.lancedb:LancedbStore",
            "lancedb",
            ("lancedb", "pyarrow"),
        ),
        Engine(
            "milvus",
            "URL#COLLECTION",
            "a collection of Milvus",
            f"{_HERE}.milvus:MilvusStore",
            "milvus",
            ("pymilvus",),
            tested="Milvus Lite 2.5, no server",
        ),
        Engine(
            "opensearch",
            "URL#INDEX",
            "documents of OpenSearch",
            f"{_HERE}.opensearch:OpensearchStore",
            "opensearch",
            ("opensearchpy",),
            tested="its requests, no server",
        ),
        Engine(
            "parquet",
            "FILE",
            "a Parquet file",
            f"{_HERE}.parquet:ParquetStore",
            "parquet",
            ("pyarrow",),
        ),
        Engine(
            "pgvector",
            "URL#TABLE",
            "a table of PostgreSQL with pgvector",
            f"{_HERE}.pgvector:PgvectorStore",
            "pgvector",
            ("psycopg",),
            tested="a server",
        ),
        Engine(
            "qdrant",
            "URL#COLLECTION",
            "a collection of Qdrant; URL may be a folder",
            f"{_HERE}.qdrant:QdrantStore",
            "qdrant",
            ("qdrant_client",),
            tested="its local mode, no server",
        ),
        Engine(
            "sqlite-vec",
            "FILE",
            "a vec0 table of SQLite",
            f"{_HERE}.sqlite_vec:SqliteVecStore",
            "sqlite-vec",
            ("apsw", "sqlite_vec"),
        ),
        Engine(
            "usearch",
            "FOLDER",
            "an HNSW graph of USearch",
            f"{_HERE}.usearch:UsearchStore",
            "usearch",
            ("usearch",),
            is_exact=False,
        ),
        Engine(
            "vespa",
            "URL#TYPE",
            "documents of Vespa",
            f"{_HERE}.vespa:VespaStore",
            "vespa",
            ("requests",),
            tested="its requests, no server",
        ),
    ]
}


def store_words() -> str:
    """Returns what names a store, as text.

    Example:

    >>> from hashnet_tf.index.stores.opening import store_words
    >>> store_words()[:38]
    'duckdb:FILE, elasticsearch:URL#INDEX, '
    """
    return ", ".join(engine.word for engine in STORES.values())


def open_store(
    address: str, bits: int | None = None, encoder: str | None = None
) -> Store:
    """Opens a place for codes, or begins one.

    Args:
        address: Str, a word of `STORES` and the place behind a colon:
            "duckdb:codes.duckdb", "pgvector:postgresql://db/photos#codes".
        bits: As in `Store`.
        encoder: As in `Store`.

    Returns:
        `Store`.

    Raises:
        ValueError: If the word is none of `STORES`, or as `Store`.
        FileNotFoundError: As `Store`.
        ImportError: As `Store`.

    Example:

    >>> from hashnet_tf.index.stores import open_store
    >>> open_store("duckbd:codes.duckdb", bits=64)
    Traceback (most recent call last):
        ...
    ValueError: A store must be duckdb:FILE, elasticsearch:URL#INDEX, \
faiss:FOLDER, lancedb:FOLDER, milvus:URL#COLLECTION, opensearch:URL#INDEX, \
parquet:FILE, pgvector:URL#TABLE, qdrant:URL#COLLECTION, sqlite-vec:FILE, \
usearch:FOLDER, vespa:URL#TYPE; near to it: duckdb. \
Received: 'duckbd:codes.duckdb'
    """
    word, colon, place = address.partition(":")
    engine = STORES.get(word)
    if engine is None or not place:
        near = [] if engine else difflib.get_close_matches(word, STORES)
        meant = f"; near to it: {', '.join(near)}" if near else ""
        raise ValueError(
            f"A store must be {store_words()}{meant}. Received: {address!r}"
        )
    return pkgutil.resolve_name(engine.store)(place, bits, encoder)
