"""The server as a container, for docker compose."""

import json
import re

import tensorflow as tf

# The image has bash, which its entrypoint is written in, but no curl.
_CHECK = (
    "exec 3<>/dev/tcp/127.0.0.1/8501"
    r" && printf 'GET /v1/models/{name} HTTP/1.0\r\n\r\n' >&3"
    """ && grep -q '"AVAILABLE"' <&3"""
)


def compose(name, models):
    """Writes a compose file of one TensorFlow Serving container.

    Args:
        name: Str, the model.
        models: Str, folder of its versions, relative to the folder of the
            compose file, which holds the server's other files too.

    Returns:
        Str, YAML.

    Example:

    >>> from hashnet_tf.export.serving.compose import compose
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


def _project(name):
    # Compose takes small letters, digits, dashes and underscores.
    return re.sub("[^a-z0-9_-]", "-", name.lower())


def _quoted(text):
    # What JSON quotes YAML reads; a dollar would name a variable.
    return json.dumps(text, ensure_ascii=False).replace("$", "$$")
