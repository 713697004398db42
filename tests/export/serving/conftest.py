import pathlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

STAND_IN = pathlib.Path(__file__).parents[1] / "prediction_service.py"
SERVERS = {"stand_in": [sys.executable, str(STAND_IN)]}
if binary := shutil.which("tensorflow_model_server"):
    SERVERS["tensorflow_model_server"] = [binary]
READY_SECONDS = 60
MODELS_CONFIG = """
model_config_list {{
  config {{
    name: "hashnet"
    base_path: "{path}"
    model_platform: "tensorflow"
    model_version_policy {{ specific {{ versions: 1 versions: 2 }} }}
    version_labels {{ key: "stable" value: 1 }}
    version_labels {{ key: "canary" value: 2 }}
  }}
}}
"""


@pytest.fixture(scope="session")
def models_config(saved_models, tmp_path_factory):
    """Path of a models.config: version 1 is models["12"], 2 is "zero"."""
    folder = tmp_path_factory.mktemp("served")
    for version, name in [("1", "12"), ("2", "zero")]:
        shutil.copytree(saved_models[name], folder / "hashnet" / version)
    path = folder / "models.config"
    path.write_text(MODELS_CONFIG.format(path=folder / "hashnet"))
    return path


@pytest.fixture(scope="session", params=SERVERS)
def server(request, models_config, tmp_path_factory):
    """Addresses of a server at work, by scheme."""
    ports = {"grpc": free_port(), "http": free_port()}
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [
                *SERVERS[request.param],
                f"--port={ports['grpc']}",
                f"--rest_api_port={ports['http']}",
                f"--model_config_file={models_config}",
                "--allow_version_labels_for_unavailable_models=true",
            ],
            stdout=output,
            stderr=output,
        )
    try:
        wait_for(process, f"http://127.0.0.1:{ports['http']}", log)
        yield {k: f"{k}://127.0.0.1:{port}" for k, port in ports.items()}
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """Paths of a certificate for 127.0.0.1, signed by itself, and its key."""
    if not shutil.which("openssl"):
        pytest.skip("openssl, which makes certificates, is not on the PATH")
    folder = tmp_path_factory.mktemp("certificate")
    paths = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes"]
        + ["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"]
        + ["-out", paths[0], "-keyout", paths[1]],
        check=True,
        capture_output=True,
    )
    return paths


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(process, address, log):
    """Waits until both versions are served."""
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            for version in (1, 2):
                url = f"{address}/v1/models/hashnet/versions/{version}"
                with urllib.request.urlopen(url) as answer:
                    if b"AVAILABLE" not in answer.read():
                        raise OSError("still loading")
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"The server does not serve: {log.read_text()}")
