"""What the Dockerfile of the search service installs is enough."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
import yaml

import hashnet_tf as hn

ROOT = pathlib.Path(__file__).parents[2]
HERE = ROOT / "examples/search_service"
PROBES = ("readiness", "liveness")
# What is no part of the sources.
OWN = (".git", ".venv", "runs", "build")


def test_the_requirements_are_of_the_package():
    """With the same least versions."""
    setup = (ROOT / "setup.py").read_text()
    lines = (HERE / "requirements.txt").read_text().splitlines()
    wanted = [line for line in lines if not line.startswith("#")]
    assert wanted == sorted(wanted)
    for line in wanted:
        assert f'"{line}"' in setup


def test_kubernetes_asks_for_what_the_dockerfile_gives():
    documents = list(yaml.safe_load_all((HERE / "kubernetes.yaml").read_text()))
    deployment, claim, service = documents
    pod = deployment["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    dockerfile = (HERE / "Dockerfile").read_text()
    command = json.loads(re.search(r"^CMD (\[.*\])$", dockerfile, re.M)[1])
    assert container["args"][: len(command)] == command
    (port,) = re.findall(r"^EXPOSE (\d+)$", dockerfile, re.M)
    ports = [container["ports"][0]["containerPort"]]
    ports += [container[f"{n}Probe"]["httpGet"]["port"] for n in PROBES]
    ports += [service["spec"]["ports"][0]["targetPort"]]
    assert set(ports) == {int(port)}
    user = pod["spec"]["securityContext"]["runAsUser"]
    assert f"--uid {user}" in dockerfile
    (volume,) = pod["spec"]["volumes"]
    name = volume["persistentVolumeClaim"]["claimName"]
    assert name == claim["metadata"]["name"]
    # By the name of the service other pods ask for it.
    named = [a for a in container["args"] if a.startswith("--name=")][0]
    assert service["metadata"]["name"] in named.partition("=")[2].split(",")
    assert service["spec"]["selector"] == pod["metadata"]["labels"]


@pytest.fixture(scope="module")
def light(tmp_path_factory):
    """The command, in an environment of what the Dockerfile installs."""
    folder = tmp_path_factory.mktemp("light")
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONPATH", "VIRTUAL_ENV")
    }

    def run(*words):
        subprocess.run(words, check=True, env=environment)

    run(sys.executable, "-m", "venv", folder / "venv")
    python = folder / "venv/bin/python"
    pip = [python, "-m", "pip", "install", "--quiet"]
    run(*pip, "--requirement", HERE / "requirements.txt")
    source = folder / "source"
    shutil.copytree(
        ROOT,
        source,
        symlinks=True,
        # Those of the top alone.
        ignore=lambda folder, names: OWN if folder == str(ROOT) else (),
    )
    run(*pip, "--no-deps", source)
    lacking = subprocess.run(
        [python, "-c", "import tensorflow"], env=environment
    )
    assert lacking.returncode != 0
    return folder / "venv/bin/hashnet", environment


@pytest.mark.slow
def test_it_serves_without_tensorflow(light, encoder, picture, tmp_path):
    command, environment = light
    path = tmp_path / "photos.index"
    for number, kind in enumerate(("reds", "greens", "blues") * 3):
        file = tmp_path / "photos" / f"{number}.png"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(picture(kind, number))
    with hn.Index.open(path, encoder=encoder) as index:
        index.add_files(sorted((tmp_path / "photos").iterdir())[:6])
        asked = tmp_path / "asked.png"
        asked.write_bytes(picture("greens"))
        expected = [hit.name for hit in index.search(asked, k=6)]
    added = subprocess.run(
        [command, "index", "add", tmp_path / "photos", f"--index={path}"],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert added.returncode == 0 and "3 added" in added.stdout
    process = subprocess.Popen(
        [command, "serve", path, "--port=0", "--name=photo-search"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        address = process.stdout.readline().split()[-1]
        request = urllib.request.Request(
            f"{address}/search?k=9",
            asked.read_bytes(),
            {"Content-Type": "image/png", "Host": "photo-search"},
        )
        with urllib.request.urlopen(request) as answer:
            hits = json.load(answer)["hits"]
        request.headers["Host"] = "another"
        with pytest.raises(urllib.error.HTTPError, match="403") as refused:
            urllib.request.urlopen(request)
        refused.value.close()
    finally:
        process.terminate()
        process.communicate()
    assert len(hits) == 9
    known = [hit["name"] for hit in hits if hit["name"] in expected]
    assert known == expected
