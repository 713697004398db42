"""OpenSearch: documents with a binary vector."""

import typing

from hashnet_tf.index.stores._documents import DocumentStore


@typing.final
class OpensearchStore(DocumentStore):
    """Codes in an index of OpenSearch, `knn_vector` of `data_type` "binary".

    Exact, at equal distance by name, also at the last place: the script
    `knn_score` looks at all documents. `k` is 10,000 at most. The dimension is
    the next multiple of 8, with zeros behind the last bit. A call of `add` that
    is killed leaves a part of it. OpenSearch 2.17 or newer.

    **Not run against a server here**: the requests of the official client
    (`opensearch-py`) are tested against a stand-in that takes what is
    documented, https://docs.opensearch.org/latest/vector-search/
    vector-search-techniques/knn-score-script and
    .../supported-field-types/knn-memory-optimized.

    Args:
        place: Str, "https://user:password@host:9200", and behind a "#" the
            index, `hashnet_codes` where none is given.
        bits: As in `Store`.
        encoder: As in `Store`.

    Example:

    ```python
    with open_store("opensearch:http://db:9200#photos", bits=64) as store:
        store.add(names, codes)
        store.search(codes[:1], k=10)
    ```
    """

    PACKAGE = "opensearchpy"
    CLIENT = "OpenSearch"

    @property
    def _settings(self) -> dict[str, typing.Any]:
        return {"index": {"knn": True}}

    def _field(self, dimensions: int) -> dict[str, typing.Any]:
        return {
            "type": "knn_vector",
            "data_type": "binary",
            "dimension": dimensions,
            "space_type": "hamming",
            "method": {"name": "hnsw", "engine": "faiss"},
        }

    def _script(self, code: list[int]) -> dict[str, typing.Any]:
        return {
            "source": "knn_score",
            "lang": "knn",
            "params": {
                "field": "code",
                "query_value": code,
                "space_type": "hamming",
            },
        }

    def _distance(self, score: float) -> int:
        # The score is 1 / (1 + distance), as float32.
        return round(1 / score - 1)
