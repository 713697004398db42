"""Elasticsearch: documents with a vector of bits."""

import typing

from hashnet_tf.index.stores._documents import DocumentStore


@typing.final
class ElasticsearchStore(DocumentStore):
    """Codes in an index of Elasticsearch, `dense_vector` of type `bit`.

    Exact, at equal distance by name, also at the last place: a `script_score`
    by `hamming` looks at all documents. `k` is 10,000 at most. The dimensions
    are the next multiple of 8, with zeros behind the last bit. A call of `add`
    that is killed leaves a part of it.

    **Not run against a server here**: the requests of the official client
    (`elasticsearch` 9) are tested against a stand-in that takes what is
    documented, https://www.elastic.co/docs/reference/elasticsearch/
    mapping-reference/dense-vector and .../query-dsl-script-score-query.

    Args:
        place: Str, "https://user:password@host:9200", and behind a "#" the
            index, `hashnet_codes` where none is given.
        bits: As in `Store`.
        encoder: As in `Store`.

    Example:

    ```python
    with open_store("elasticsearch:http://db:9200#photos", bits=64) as store:
        store.add(names, codes)
        store.search(codes[:1], k=10)
    ```
    """

    PACKAGE = "elasticsearch"
    CLIENT = "Elasticsearch"

    @property
    def _settings(self) -> dict[str, typing.Any]:
        return {}

    def _field(self, dimensions: int) -> dict[str, typing.Any]:
        # Flat: a graph would be built that no search here asks.
        return {
            "type": "dense_vector",
            "element_type": "bit",
            "dims": dimensions,
            "index_options": {"type": "flat"},
        }

    def _script(self, code: list[int]) -> dict[str, typing.Any]:
        # A score must not be below 0.
        return {
            "source": "params.bits - hamming(params.code, 'code')",
            "params": {"bits": 8 * self.width, "code": code},
        }

    def _distance(self, score: float) -> int:
        return 8 * self.width - round(score)
