"""The files that start TensorFlow Serving on an encoder."""

import json
import os
import pathlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from hashnet_tf._files import written_beside
from hashnet_tf.export.images import BATCH_SIZE
from hashnet_tf.export.saved_model_encoder import DESCRIPTION

# The most images that one request may hold.
MOST_IMAGES = 1024
# More would wait for longer than a caller does.
ENQUEUED_BATCHES = 64

BATCHING_PARAMETERS = f"""\
# Images that one request may hold; it is refused if it holds more.
max_batch_size {{ value: {MOST_IMAGES} }}
# Images that the network sees at once: requests are put together, and large
# ones split, to batches of at most this size.
enable_large_batch_splitting {{ value: true }}
max_execution_batch_size {{ value: {BATCH_SIZE} }}
# How long a request waits for others, in microseconds.
batch_timeout_micros {{ value: 1000 }}
# Batches that may wait; beyond it a request is refused as UNAVAILABLE.
max_enqueued_batches {{ value: {ENQUEUED_BATCHES} }}
# Requests of one batch must hold images of one size. Padding them instead
# would change the pixels, and so the codes.
pad_variable_length_inputs: false
# Left to the server: num_batch_threads, which is then one a core, and
# allowed_batch_sizes, for the network takes a batch of any size.
"""

# The image has bash, which its entrypoint is written in, but no curl.
_CHECK = (
    "exec 3<>/dev/tcp/127.0.0.1/8501"
    r" && printf 'GET /v1/models/{name} HTTP/1.0\r\n\r\n' >&3"
    """ && grep -q '"AVAILABLE"' <&3"""
)

# They stand in URLs, where a slash or a colon would end them, and in paths.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def models_config(name: str, labels: Mapping[str, int]) -> str:
    """Writes a `ModelServerConfig` of one model as a text proto.

    The versions that carry a label are served, and no other.

    Args:
        name: Str, the model.
        labels: Dict from label to version.

    Returns:
        Str, for the server's --model_config_file.

    Example:

    >>> from hashnet_tf.export.serving.bundle import models_config
    >>> "versions: 3" in models_config("cats", {"stable": 3})
    True
    """
    versions = "".join(
        f"        versions: {version}\n"
        for version in sorted(set(labels.values()))
    )
    entries = "".join(
        "    version_labels {\n"
        f'      key: "{label}"\n'
        f"      value: {version}\n"
        "    }\n"
        for label, version in labels.items()
    )
    return (
        "model_config_list {\n"
        "  config {\n"
        f'    name: "{name}"\n'
        f'    base_path: "/models/{name}"\n'
        '    model_platform: "tensorflow"\n'
        "    model_version_policy {\n"
        "      specific {\n"
        f"{versions}"
        "      }\n"
        "    }\n"
        f"{entries}"
        "  }\n"
        "}\n"
    )


def compose(name: str, models: str) -> str:
    """Writes a compose file of one TensorFlow Serving container.

    Args:
        name: Str, the model.
        models: Str, folder of its versions, relative to the folder of the
            compose file, which holds the server's other files too.

    Returns:
        Str, YAML.

    Example:

    >>> from hashnet_tf.export.serving.bundle import compose
    >>> 'target: "/models/cats"' in compose("cats", "./../cats")
    True
    """
    major, minor, *_ = tf.__version__.split(".")
    return f"""\
# Not the folder's name, under which one bundle would stop another's server.
name: "{_project(name)}"
services:
  serving:
    # Of the TensorFlow at hand: an older server may lack an operator.
    image: "${{TF_SERVING_IMAGE:-tensorflow/serving:{major}.{minor}.0}}"
    command:
      - "--model_config_file=/bundle/models.config"
      # Labels can be moved without a restart.
      - "--model_config_file_poll_wait_seconds=30"
      # Without it no label can be given before its version is loaded, so none
      # at the start.
      - "--allow_version_labels_for_unavailable_models=true"
      - "--enable_batching=true"
      - "--batching_parameters_file=/bundle/batching_parameters.txt"
    # The server asks nobody for a password: only this machine reaches it
    # unless SERVING_ADDRESS says otherwise.
    ports:
      - "${{SERVING_ADDRESS:-127.0.0.1}}:8500:8500"
      - "${{SERVING_ADDRESS:-127.0.0.1}}:8501:8501"
    volumes:
      - type: bind
        source: {_quoted(models)}
        target: "/models/{name}"
        read_only: true
        bind:
          create_host_path: false
      - type: bind
        source: "."
        target: "/bundle"
        read_only: true
    healthcheck:
      test: ["CMD", "bash", "-c", {_quoted(_CHECK.format(name=name))}]
      interval: 10s
      timeout: 5s
      start_period: 120s
    restart: unless-stopped
"""


def _project(name: str) -> str:
    # Compose takes small letters, digits, dashes and underscores.
    return re.sub("[^a-z0-9_-]", "-", name.lower())


def _quoted(text: str) -> str:
    # What JSON quotes YAML reads; a dollar would name a variable.
    return json.dumps(text, ensure_ascii=False).replace("$", "$$")


def bundle_readme(
    name: str,
    labels: Mapping[str, int],
    inputs: Sequence[Mapping[str, Any]] | None = None,
) -> str:
    """Writes the README of a bundle.

    Args:
        name: Str, the model.
        labels: Dict from label to version.
        inputs: What the model takes, dicts of name, dtype and shape; None of
            images.

    Returns:
        Str, Markdown.

    Example:

    >>> from hashnet_tf.export.serving.bundle import bundle_readme
    >>> "labels/stable:predict" in bundle_readme("cats", {"stable": 3})
    True
    """
    rows = "".join(f"| {label} | {labels[label]} |\n" for label in labels)
    label = "stable" if "stable" in labels else next(iter(labels))
    url = f"http://127.0.0.1:8501/v1/models/{name}/labels/{label}:predict"
    noun, (asking, limits) = "images", _of_images(url)
    if inputs is not None:
        noun, asking, limits = "items", _of_arrays(url, inputs), ""
    return f"""\
# TensorFlow Serving of {name}

Start the server, from this folder, and wait until it serves:

    docker compose up --detach --wait

{asking}
gRPC listens on port 8500: model `{name}`, version_label `{label}`.

## Versions

| label | version |
|---|---|
{rows}
Only these are loaded. A request that names no label is answered by the highest
of them. Codes of different versions cannot be compared.

The server reads models.config again every 30 seconds. A label that is in use
moves only to a version that is loaded already: give the new version a label of
its own first, and move the old label when the new version answers.

## Limits

- At most {MOST_IMAGES:,} {noun} a request.
{limits}- TF_SERVING_IMAGE names another image: one for GPUs, one of your own
  registry, or one that exists where the version in compose.yaml does not. It
  should be no older than the TensorFlow that wrote the model.
- The ports are open to this machine alone; SERVING_ADDRESS=0.0.0.0 opens them
  to all who reach it. There is neither password nor encryption.
"""


def _of_images(url: str) -> tuple[str, str]:
    """Returns how a model of images is asked, and a limit of that."""
    asking = f"""\
Encode an image file (JPEG, PNG, BMP or WebP):

    printf '{{"signature_name": "encode_bytes", "inputs":
      {{"image_bytes": [{{"b64": "%s"}}]}}}}' \\
      "$(base64 < photo.jpg | tr -d '\\n')" |
      curl --silent --show-error --data @- \\
      {url}

The answer holds `outputs`, an item for each image: `codes`, the packed bits as
numbers; `code_bytes`, the same in base64 (`b64`); `signs`, -1 and +1; and `ok`,
which is false where the file could not be decoded: then the bits mean nothing.
"""
    limits = """\
- Requests are put together into batches. Two requests to `encode_images` with
  images of different sizes that meet in one batch both fail: send all in one
  size, or send files to `encode_bytes`, which may differ.
"""
    return asking, limits


def _of_arrays(url: str, inputs: Sequence[Mapping[str, Any]]) -> str:
    """Returns how a model of other inputs is asked."""
    rows = "".join(
        f"| `{told['name']}` | {told['dtype']} |"
        f" {['n', *('any' if s is None else s for s in told['shape'][1:])]} |\n"
        for told in inputs
    ).replace("'", "")
    return f"""\
Encode n items at once, `inputs` being a nested list for each of

| input | dtype | shape |
|---|---|---|
{rows}
by a file request.json, `{{"inputs": {{"{inputs[0]["name"]}": [...]}}}}`:

    curl --silent --show-error --data @request.json \\
      {url}

The answer holds `outputs`, an item for each: `codes`, the packed bits as
numbers, and `signs`, -1 and +1.
"""


def write_serving_bundle(
    directory: os.PathLike[str] | str,
    models: os.PathLike[str] | str,
    name: str | None = None,
    labels: Mapping[str, int] | None = None,
) -> pathlib.Path:
    """Writes what TensorFlow Serving needs to serve an encoder's versions.

    That is `models.config` (which versions, and their labels),
    `batching_parameters.txt`, `compose.yaml` (a container of the server; it
    finds the versions relative to itself, so move both together) and
    `README.md` (how to start and ask it).

    A running server reads `models.config` again: call this once more to serve
    other versions or to move a label.

    Args:
        directory: Folder to write to. Each file that is there already is
            replaced, whole or not at all; other files stay.
        models: Folder of the versions, `<models>/<version>/`, as
            `to_saved_model` writes them.
        name: Str, what clients call the model; the name of `models` if None.
            Letters, digits, `_`, `.` and `-`.
        labels: Dict from label, such as "stable" or "canary", to version. The
            versions named are served, and no other. The newest one as
            "stable" if None.

    Returns:
        `pathlib.Path` of `directory`.

    Raises:
        ValueError: If there are no versions or no labels, a label's version is
            not there, or a name or label has other characters.

    Example:

    ```python
    hn.export.to_saved_model(model, "models/cats", version=3)
    hn.export.write_serving_bundle("serving", "models/cats")
    ```
    """
    directory, models = pathlib.Path(directory), pathlib.Path(models).resolve()
    versions = _versions(models)
    if name is None:
        name = models.name
    _check_name("name", name)
    if labels is None:
        labels = {"stable": max(versions)}
    _check_labels(labels, versions)
    newest = models / str(max(labels.values())) / DESCRIPTION
    taken = None
    if newest.is_file():
        taken = json.loads(newest.read_text("utf-8")).get("inputs")
    files = {
        "batching_parameters.txt": BATCHING_PARAMETERS,
        "compose.yaml": compose(name, _relative(models, directory)),
        "README.md": bundle_readme(name, labels, taken),
        # Last, for a running server follows it.
        "models.config": models_config(name, labels),
    }
    for file, text in files.items():
        with written_beside(directory / file) as beside:
            beside.write_text(text, encoding="utf-8")
    return directory


def _relative(models: pathlib.Path, directory: pathlib.Path) -> str:
    path = os.path.relpath(models, directory.resolve())
    # With the dot in front, which tells a path from the name of a volume.
    return f"./{pathlib.Path(path).as_posix()}"


def _versions(models: pathlib.Path) -> set[int]:
    found = {
        int(path.parent.name)
        for path in models.glob("*/saved_model.pb")
        # Written as the server writes it, so that no two names are one number.
        if re.fullmatch("[1-9][0-9]*", path.parent.name)
    }
    if not found:
        raise ValueError(
            "`models` must hold versions, <models>/<version>/saved_model.pb."
            f" Received: models={models}"
        )
    return found


def _check_name(argument: str, name: str) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(
            f"`{argument}` must be of letters, digits, '_', '.' and '-' and"
            " start with a letter or a digit."
            f" Received: {argument}={name!r}"
        )


def _check_labels(labels: Mapping[str, int], versions: set[int]) -> None:
    for label, version in labels.items():
        _check_name("label", label)
        if type(version) is not int or version not in versions:
            raise ValueError(
                f"`labels` must name versions that are there,"
                f" {sorted(versions)}. Received: labels={labels!r}"
            )
    if not labels:
        raise ValueError(
            "`labels` must name at least one version, for only those are"
            f" served. Received: labels={labels!r}"
        )
