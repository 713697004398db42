"""Servers that take the requests of Elasticsearch, OpenSearch and Vespa.

Written from their documentation, not from their code: what is not documented,
or not asked here, it refuses. It shows that the requests are as documented, and
not that a server answers as expected.
"""

import contextlib
import http.server
import json
import re
import threading
import urllib.parse

import numpy as np

KEPT = {"type": "keyword", "index": False, "doc_values": False}


class Refused(Exception):
    """What a server answers with an error."""

    def __init__(self, status, reason):
        super().__init__(reason)
        self.status = status


def check(is_so, reason):
    if not is_so:
        raise Refused(400, reason)


class Documents:
    """Indices of one of the two engines."""

    def __init__(self, engine):
        self.engine = engine
        self.headers = {"Content-Type": "application/json"}
        if engine == "elasticsearch":
            self.headers = {
                "X-Elastic-Product": "Elasticsearch",
                "Content-Type": "application/"
                "vnd.elasticsearch+json;compatible-with=9",
            }
        self.indices = {}
        self.scrolls = {}

    def answer(self, method, path, query, body):
        match method, path.strip("/").split("/"):
            case "POST" | "PUT", ["_bulk"]:
                check(query == {"refresh": "true"}, query)
                return self.bulk(body.splitlines())
            case "HEAD", [index]:
                self.index(index)
            case "PUT", [index]:
                return self.create(index, json.loads(body))
            case "GET", [index, "_mapping"]:
                return {index: {"mappings": self.index(index)["mappings"]}}
            case "POST" | "GET", [index, "_count"]:
                return {"count": len(self.index(index)["documents"])}
            case "POST", [index, "_search"]:
                return self.search(index, query, json.loads(body))
            case "POST", ["_search", "scroll"]:
                return self.page(json.loads(body)["scroll_id"])
            case "DELETE", ["_search", "scroll"]:
                ended = json.loads(body)["scroll_id"]
                # One client names one, the other a list of one.
                (ended,) = [ended] if isinstance(ended, str) else ended
                del self.scrolls[ended]
            case _:
                check(False, f"unknown: {method} {path}")
        return {}

    def index(self, name):
        if name not in self.indices:
            raise Refused(404, "index_not_found_exception")
        return self.indices[name]

    def create(self, name, body):
        check(name == name.lower() and " " not in name, "index name")
        mappings, settings = body["mappings"], body["settings"]
        check(name not in self.indices, "resource_already_exists_exception")
        check(set(mappings) == {"_meta", "dynamic", "properties"}, mappings)
        fields = mappings["properties"]
        check(fields["name"] == {"type": "keyword"}, fields)
        check(fields["hex"] == KEPT, fields)
        code = dict(fields["code"])
        if self.engine == "elasticsearch":
            dimensions = code.pop("dims")
            check(settings == {}, settings)
            check(
                code
                == {
                    "type": "dense_vector",
                    "element_type": "bit",
                    "index_options": {"type": "flat"},
                },
                code,
            )
        else:
            dimensions = code.pop("dimension")
            check(settings == {"index": {"knn": True}}, settings)
            check(
                code
                == {
                    "type": "knn_vector",
                    "data_type": "binary",
                    "space_type": "hamming",
                    "method": {"name": "hnsw", "engine": "faiss"},
                },
                code,
            )
        check(dimensions % 8 == 0, "a multiple of 8")
        self.indices[name] = {
            "mappings": mappings,
            "bytes": dimensions // 8,
            "documents": {},
        }
        return {"acknowledged": True, "index": name}

    def vector(self, index, values):
        check(len(values) == index["bytes"], "another number of bytes")
        check(all(-128 <= v <= 127 for v in values), "no signed bytes")
        return np.array(values, np.int8).view(np.uint8)

    def bulk(self, lines):
        items, errors = [], False
        lines = iter(lines)
        for line in lines:
            ((kind, where),) = json.loads(line).items()
            check(set(where) == {"_index", "_id"}, where)
            check(len(where["_id"].encode()) <= 512, "id is too long")
            index, status = self.index(where["_index"]), 200
            if kind == "delete":
                found = index["documents"].pop(where["_id"], None)
                status = 200 if found else 404
            else:
                check(kind == "index", kind)
                document = json.loads(next(lines))
                check(set(document) == {"name", "code", "hex"}, document)
                check(len(document["name"].encode()) <= 32766, "immense term")
                self.vector(index, document["code"])
                index["documents"][where["_id"]] = document
            errors = errors or status != 200
            items.append({kind: {**where, "status": status}})
        return {"took": 1, "errors": errors, "items": items}

    def search(self, name, query, body):
        index = self.index(name)
        source = body.pop("_source")
        if "scroll" in query or "scroll" in body:
            check(body["query"] == {"match_all": {}}, body)
            size = int(query.get("size", body.get("size", 10)))
            hits = [
                {"_id": key, "_source": {n: document[n] for n in source}}
                for key, document in index["documents"].items()
            ]
            key = f"scroll{len(self.scrolls)}"
            self.scrolls[key] = [
                hits[start : start + size]
                for start in range(0, len(hits), size)
            ]
            return self.page(key)
        check(set(body) == {"size", "query", "sort"}, body)
        check(body["size"] <= 10_000, "max_result_window")
        check(body["sort"] == [{"_score": "desc"}, {"name": "asc"}], body)
        scored = body["query"]["script_score"]
        check(scored["query"] == {"match_all": {}}, scored)
        script, hits = scored["script"], []
        for key, document in index["documents"].items():
            code = self.vector(index, document["code"])
            score = self.score(index, script, code)
            told = {n: document[n] for n in source}
            hits.append({"_id": key, "_score": score, "_source": told})
        hits.sort(key=lambda hit: (-hit["_score"], hit["_source"]["name"]))
        return {"_shards": SHARDS, "hits": {"hits": hits[: body["size"]]}}

    def score(self, index, script, code):
        params = script["params"]
        if self.engine == "elasticsearch":
            check(
                script["source"]
                == "params.bits - hamming(params.code, 'code')",
                script,
            )
            query = self.vector(index, params["code"])
            score = params["bits"] - int(np.bitwise_count(code ^ query).sum())
            check(score >= 0, "a score must not be below 0")
            return float(np.float32(score))
        check((script["lang"], script["source"]) == ("knn", "knn_score"), "")
        check(params["space_type"] == "hamming", params)
        check(params["field"] == "code", params)
        query = self.vector(index, params["query_value"])
        return float(np.float32(1 / (1 + np.bitwise_count(code ^ query).sum())))

    def page(self, key):
        pages = self.scrolls[key]
        hits = pages.pop(0) if pages else []
        return {"_scroll_id": key, "_shards": SHARDS, "hits": {"hits": hits}}


SHARDS = {"total": 1, "successful": 1, "skipped": 0, "failed": 0}


# A type in Vespa: <https://docs.vespa.ai/en/schemas/schemas.html>.
NAME = r"[A-Za-z_][A-Za-z0-9_]*"
NEAREST = re.compile(
    rf"select name from ({NAME}) where {{targetHits:(\d+),"
    r" approximate:false}nearestNeighbor\(code, q\)"
)


class Vespa:
    """Types of documents; the first of one says how many cells codes have."""

    headers = {"Content-Type": "application/json"}
    # A test makes it False: a search that ran out of time.
    is_full = True

    def __init__(self):
        self.types, self.cells = {}, {}

    def answer(self, method, path, query, body):
        match method, path.strip("/").split("/"):
            case "POST", ["search"]:
                return {"root": self.search(json.loads(body))}
            case "GET", ["document", "v1", "hashnet", kind, "docid"]:
                return self.visit(kind, query)
            case _, ["document", "v1", "hashnet", kind, "docid", key]:
                check(query == {}, query)
                check(re.fullmatch(NAME, kind), f"no such type: {kind}")
                documents = self.types.setdefault(kind, {})
                told = {"pathId": path, "id": f"id:hashnet:{kind}::{key}"}
                if method == "POST":
                    fields = json.loads(body)["fields"]
                    self.check_fields(kind, fields)
                    documents[key] = fields
                elif method == "DELETE":
                    documents.pop(key, None)
                elif key not in documents:
                    raise Refused(404, "not found")
                else:
                    check(method == "GET", method)
                    told["fields"] = documents[key]
                return told
        check(False, f"unknown: {method} {path}")

    def check_fields(self, kind, fields):
        check(set(fields) <= {"name", "note", "code"}, fields)
        # https://github.com/vespa-engine/vespa, com.yahoo.text.Text
        wrong = re.search(r"[\0-\x08\x0b\x0c\x0e-\x1f]", fields.get("name", ""))
        check(not wrong, "illegal code point")
        code = fields["code"]
        check(all(type(v) is int and -128 <= v <= 127 for v in code), code)
        cells = self.cells.setdefault(kind, len(code))
        check(len(code) == cells, "another number of cells")

    def visit(self, kind, query):
        begin = int(query.pop("continuation", 0))
        # It is a wish: fewer come, and others the next time.
        size = max(1, int(query.pop("wantedDocumentCount")) * 2 // 3)
        check(query.pop("fieldSet") == f"{kind}:name,code", "fieldSet")
        check(query.pop("format.tensors") == "short-value", "format.tensors")
        check(query == {}, query)
        some = sorted(self.types[kind].items())[begin : begin + size]
        told = {
            "documents": [
                {
                    "id": f"id:hashnet:{kind}::{key}",
                    "fields": {n: v for n, v in doc.items() if n != "note"},
                }
                for key, doc in some
            ],
            "documentCount": len(some),
        }
        if begin + size < len(self.types[kind]):
            told["continuation"] = str(begin + size)
        return told

    def search(self, body):
        check(body.pop("timeout") == "60s", "timeout")
        root = {
            "coverage": {"coverage": 100, "full": self.is_full},
            "fields": {},
        }
        if body.get("ranking") == "unranked":
            found = re.fullmatch(
                f"select name from ({NAME}) where true", body["yql"]
            )
            check(found and body["hits"] == 0, body)
            documents = self.types.setdefault(found[1], {})
            root["fields"]["totalCount"] = len(documents)
            return root
        found = NEAREST.fullmatch(body.pop("yql"))
        check(found and int(found[2]) == body["hits"] <= 400, body)
        code = np.array(body.pop("input.query(q)"), np.int8)
        check(
            body
            == {
                "hits": body["hits"],
                "ranking": "hamming",
                "dispatch.topKProbability": 1.0,
            },
            body,
        )
        hits = []
        for document in self.types[found[1]].values():
            differ = code ^ np.array(document["code"], np.int8)
            distance = int(np.bitwise_count(differ.view(np.uint8)).sum())
            # A field without a value is left out.
            told = {n: v for n, v in document.items() if n == "name"}
            hits.append({"relevance": 1 / (1 + distance), "fields": told})
        hits.sort(key=lambda hit: -hit["relevance"])
        if hits:
            root["children"] = hits[: body["hits"]]
        return root


def documents(engine):
    """Serves as one of the two engines of documents; gives the URL."""
    return serving(Documents(engine))


def vespa():
    """Serves as Vespa; gives the URL."""
    return serving(Vespa())


@contextlib.contextmanager
def serving(served):
    """Serves as an engine; gives the URL."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body in one packet, or each answer waits for some ms.
        wbufsize = -1

        def do(self):
            url = urllib.parse.urlsplit(self.path)
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length).decode()
            path = urllib.parse.unquote(url.path)
            query = dict(urllib.parse.parse_qsl(url.query))
            status = 200
            try:
                told = served.answer(self.command, path, query, body)
            except Refused as error:
                status = error.status
                told = {"error": {"type": str(error)}, "status": status}
            content = json.dumps(told).encode()
            self.send_response(status)
            for header, value in served.headers.items():
                self.send_header(header, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
