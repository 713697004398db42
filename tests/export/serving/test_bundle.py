import base64
import contextlib
import http.server
import json
import pathlib
import re
import shutil
import subprocess
import threading

import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

import hashnet_tf as hn

FILES = [
    "README.md",
    "batching_parameters.txt",
    "compose.yaml",
    "models.config",
]
TOOLS = pytest.mark.skipif(
    not (shutil.which("bash") and shutil.which("curl")),
    reason="needs bash and curl",
)


@pytest.fixture
def versions(tmp_path):
    """A folder of three versions, and of what is none."""
    folder = tmp_path / "cats"
    for name in ("1", "2", "10", ".123.11", "012", "0", "new"):
        (folder / name).mkdir(parents=True)
        (folder / name / "saved_model.pb").write_bytes(b"")
    (folder / "20").mkdir()
    (folder / "30").write_text("a file")
    return folder


@pytest.fixture
def bundle(versions, tmp_path):
    return hn.export.write_serving_bundle(tmp_path / "serving", versions)


def served(bundle):
    """Returns the one `ModelConfig`, as the server's own classes read it."""
    text = (bundle / "models.config").read_text()
    config = text_format.Parse(
        text, model_server_config_pb2.ModelServerConfig()
    )
    (model,) = config.model_config_list.config
    return model


def health_command(bundle):
    text = (bundle / "compose.yaml").read_text()
    command = json.loads(re.search(r"^ +test: (\[.*)$", text, re.M)[1])
    assert command[:3] == ["CMD", "bash", "-c"]
    return command[1:]


@contextlib.contextmanager
def http_server(answer):
    """Answers each request alike; gives the port and what was asked."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            size = int(self.headers.get("Content-Length", 0))
            asked.append((self.command, self.path, self.rfile.read(size)))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        do_POST = do_GET

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield str(server.server_port), asked
        finally:
            server.shutdown()
            thread.join()


def test_serves_the_newest_version_as_stable(bundle):
    model = served(bundle)
    assert model.name == "cats"
    assert model.base_path == "/models/cats"
    assert model.model_platform == "tensorflow"
    assert list(model.model_version_policy.specific.versions) == [10]
    assert dict(model.version_labels) == {"stable": 10}
    assert sorted(p.name for p in bundle.iterdir()) == FILES


def test_serves_the_versions_that_are_labelled(versions, tmp_path):
    labels = {"stable": 10, "canary": 2, "best-of.3": 2}
    path = tmp_path / "new" / "serving"
    returned = hn.export.write_serving_bundle(
        str(path), str(versions), name="dogs_2", labels=labels
    )
    assert returned == path
    model = served(path)
    assert model.name == "dogs_2"
    assert model.base_path == "/models/dogs_2"
    assert list(model.model_version_policy.specific.versions) == [2, 10]
    assert dict(model.version_labels) == labels


# Of BatchingParameters in session_bundle_config.proto, which the package of the
# server's classes leaves out: the fields, and whether each is a message with a
# field `value`.
BATCHING = {
    "max_batch_size": True,
    "batch_timeout_micros": True,
    "max_enqueued_batches": True,
    "num_batch_threads": True,
    "max_execution_batch_size": True,
    "enable_large_batch_splitting": True,
    "pad_variable_length_inputs": False,
}


def test_batching_parameters_are_those_of_the_server(bundle):
    text = (bundle / "batching_parameters.txt").read_text()
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        name, value = re.fullmatch(
            r"(\w+)(?:: | \{ value: )(\w+)(?: \})?", line
        ).groups()
        assert ("{" in line) == ("}" in line) == BATCHING[name]
        assert name not in found
        found[name] = json.loads(value)
    assert found["pad_variable_length_inputs"] is False
    assert found["enable_large_batch_splitting"] is True
    size = found["max_execution_batch_size"]
    assert 1 < size <= found["max_batch_size"]
    # The largest request must find room in an empty queue.
    assert found["max_enqueued_batches"] * size >= found["max_batch_size"]
    assert 0 < found["batch_timeout_micros"] < 10_000
    readme = (bundle / "README.md").read_text()
    assert f"At most {found['max_batch_size']:,} images" in readme


def test_compose_starts_the_server_on_the_files(bundle, versions):
    yaml = pytest.importorskip("yaml", reason="needs PyYAML")
    text = (bundle / "compose.yaml").read_text()
    file = yaml.safe_load(text)
    assert file["name"] == "cats"
    (service,) = file["services"].values()
    mounts = {v["target"]: v for v in service["volumes"]}
    assert set(mounts) == {served(bundle).base_path, "/bundle"}
    for mount, folder in zip(
        (mounts["/models/cats"], mounts["/bundle"]),
        (versions, bundle),
        strict=True,
    ):
        assert (bundle / mount["source"]).resolve() == folder.resolve()
        assert mount["type"] == "bind" and mount["read_only"] is True
    # Else docker makes an empty folder where the path is wrong.
    models = mounts["/models/cats"]
    assert models["bind"]["create_host_path"] is False
    flags = dict(
        flag.removeprefix("--").split("=") for flag in service["command"]
    )
    assert flags.pop("model_config_file_poll_wait_seconds").isdecimal()
    assert flags == {
        "model_config_file": "/bundle/models.config",
        "enable_batching": "true",
        "batching_parameters_file": "/bundle/batching_parameters.txt",
        "allow_version_labels_for_unavailable_models": "true",
    }
    for flag in ("model_config_file", "batching_parameters_file"):
        assert (bundle / pathlib.Path(flags[flag]).name).is_file()
    assert [p.split(":")[-2:] for p in service["ports"]] == [
        ["8500", "8500"],
        ["8501", "8501"],
    ]
    version = ".".join(tf.__version__.split(".")[:2])
    assert f":-tensorflow/serving:{version}.0}}" in service["image"]
    assert service["healthcheck"]["test"] == ["CMD", *health_command(bundle)]


def test_a_path_of_odd_characters_is_quoted(versions, tmp_path):
    yaml = pytest.importorskip("yaml", reason="needs PyYAML")
    odd = tmp_path / 'a "b" $HOME: #ü'
    versions.rename(odd)
    hn.export.write_serving_bundle(odd / "serving", odd, name="cats")
    text = (odd / "serving" / "compose.yaml").read_text("utf-8")
    (service,) = yaml.safe_load(text)["services"].values()
    source = service["volumes"][0]["source"]
    assert (odd / "serving" / source.replace("$$", "$")).resolve() == odd
    # Beside it the name is in the path, where compose would fill in HOME.
    hn.export.write_serving_bundle(tmp_path / "serving", odd, name="cats")
    text = (tmp_path / "serving" / "compose.yaml").read_text("utf-8")
    (service,) = yaml.safe_load(text)["services"].values()
    source = service["volumes"][0]["source"]
    assert "$$HOME" in source
    path = tmp_path / "serving" / source.replace("$$", "$")
    assert path.resolve() == odd


def test_bundles_of_two_models_are_two_projects(versions, tmp_path):
    found = []
    for name in ("Cats.v2", "cats"):
        path = hn.export.write_serving_bundle(
            tmp_path / name / "serving", versions, name=name
        )
        text = (path / "compose.yaml").read_text()
        found += re.findall(r'^name: "([a-z0-9][a-z0-9_-]*)"$', text, re.M)
    assert found == ["cats-v2", "cats"]


def test_docker_takes_the_compose_file(bundle, versions):
    command = ["docker", "compose"]
    if not shutil.which("docker") or (
        subprocess.run([*command, "version"], capture_output=True).returncode
    ):
        pytest.skip("needs docker compose")
    done = subprocess.run(
        [*command, "config", "--format=json"],
        cwd=bundle,
        capture_output=True,
        check=True,
    )
    (service,) = json.loads(done.stdout)["services"].values()
    assert service["volumes"][0]["source"] == str(versions.resolve())
    assert service["healthcheck"]["test"] == ["CMD", *health_command(bundle)]


@TOOLS
@pytest.mark.parametrize("state", ["AVAILABLE", "LOADING", "UNAVAILABLE"])
def test_healthy_is_a_version_that_is_available(state, bundle):
    answer = {"model_version_status": [{"version": "10", "state": state}]}
    with http_server(json.dumps(answer, indent=1).encode()) as (port, asked):
        command = [a.replace("8501", port) for a in health_command(bundle)]
        done = subprocess.run(command, timeout=60)
    assert (done.returncode == 0) == (state == "AVAILABLE")
    assert asked == [("GET", "/v1/models/cats", b"")]


@TOOLS
def test_without_a_server_it_is_not_healthy(bundle):
    with http_server(b"") as (port, _):
        pass
    command = [a.replace("8501", port) for a in health_command(bundle)]
    done = subprocess.run(command, timeout=60, capture_output=True)
    assert done.returncode != 0


@TOOLS
@pytest.mark.parametrize(
    "labels, label",
    [
        (None, "stable"),
        ({"canary": 2, "stable": 1}, "stable"),
        ({"canary": 2, "old": 1}, "canary"),
    ],
)
def test_the_readmes_request_is_one_to_the_server(
    labels, label, versions, tmp_path
):
    path = hn.export.write_serving_bundle(
        tmp_path / "serving", versions, name="dogs", labels=labels
    )
    readme = (path / "README.md").read_text()
    command = re.search(r"^    printf(?:.*\n    )*.*predict$", readme, re.M)[0]
    # Longer than a line of base64.
    image = bytes(range(256)) * 3
    (tmp_path / "photo.jpg").write_bytes(image)
    with http_server(b'{"outputs": {}}') as (port, asked):
        done = subprocess.run(
            ["bash", "-c", command.replace("8501", port)],
            cwd=tmp_path,
            capture_output=True,
            check=True,
            timeout=60,
        )
    assert done.stdout == b'{"outputs": {}}'
    ((method, url, body),) = asked
    assert method == "POST"
    assert url == f"/v1/models/dogs/labels/{label}:predict"
    request = json.loads(body)
    (encoded,) = request["inputs"].pop("image_bytes")
    assert base64.b64decode(encoded.pop("b64"), validate=True) == image
    assert request == {"signature_name": "encode_bytes", "inputs": {}}
    assert not encoded


@pytest.mark.slow
def test_what_the_readme_asks_is_in_the_saved_model(saved_models):
    loaded = tf.saved_model.load(str(saved_models["12"]))
    signature = loaded.signatures["encode_bytes"]
    assert list(signature.structured_input_signature[1]) == ["image_bytes"]


@pytest.mark.slow
def test_versions_that_were_exported_are_found(saved_models, tmp_path):
    folder = saved_models["12"].parent
    path = hn.export.write_serving_bundle(tmp_path / "serving", folder)
    assert dict(served(path).version_labels) == {"stable": 1}
    assert served(path).name == "12"


def test_a_bundle_is_replaced_and_other_files_stay(bundle, versions):
    (bundle / "notes.txt").write_text("mine")
    before = (bundle / "models.config").read_text()
    hn.export.write_serving_bundle(bundle, versions, labels={"stable": 2})
    assert (bundle / "models.config").read_text() != before
    assert dict(served(bundle).version_labels) == {"stable": 2}
    assert "| stable | 2 |" in (bundle / "README.md").read_text()
    assert sorted(p.name for p in bundle.iterdir()) == [*FILES, "notes.txt"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"labels": {"stable": 3}}, r"\[1, 2, 10\].*labels=\{'stable': 3\}"),
        ({"labels": {"stable": 20}}, r"labels=\{'stable': 20\}"),
        ({"labels": {"stable": True}}, r"labels=\{'stable': True\}"),
        ({"labels": {"stable": "1"}}, r"labels=\{'stable': '1'\}"),
        ({"labels": {}}, r"at least one version.*labels=\{\}"),
        ({"labels": {"a b": 1}}, "Received: label='a b'"),
        ({"labels": {"": 1}}, "Received: label=''"),
        ({"labels": {1: 1}}, "Received: label=1"),
        ({"name": "a/b"}, "Received: name='a/b'"),
        ({"name": "a:predict"}, "Received: name='a:predict'"),
        ({"name": ".."}, "Received: name='..'"),
        ({"name": "cats\n"}, r"Received: name='cats\\n'"),
        ({"name": ""}, "Received: name=''"),
    ],
)
def test_refuses_names_and_labels(arguments, message, versions, tmp_path):
    with pytest.raises(ValueError, match=message):
        hn.export.write_serving_bundle(
            tmp_path / "serving", versions, **arguments
        )
    assert not (tmp_path / "serving").exists()


@pytest.mark.parametrize("folder", ["empty", "missing"])
def test_refuses_a_folder_without_versions(folder, tmp_path):
    (tmp_path / "empty" / "new").mkdir(parents=True)
    with pytest.raises(ValueError, match=f"Received: models=.*{folder}"):
        hn.export.write_serving_bundle(tmp_path / "s", tmp_path / folder)
    assert not (tmp_path / "s").exists()
