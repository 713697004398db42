"""How to start the server of a bundle and how to ask it."""

from hashnet_tf.export.serving.batching_parameters import MOST_IMAGES


def bundle_readme(name, labels):
    """Writes the README of a bundle.

    Args:
        name: Str, the model.
        labels: Dict from label to version.

    Returns:
        Str, Markdown.

    Example:

    >>> from hashnet_tf.export.serving.bundle_readme import bundle_readme
    >>> "labels/stable:predict" in bundle_readme("cats", {"stable": 3})
    True
    """
    rows = "".join(f"| {label} | {labels[label]} |\n" for label in labels)
    label = "stable" if "stable" in labels else next(iter(labels))
    return f"""\
# TensorFlow Serving of {name}

Start the server, from this folder, and wait until it serves:

    docker compose up --detach --wait

Encode an image file (JPEG, PNG, BMP or WebP):

    printf '{{"signature_name": "encode_bytes", "inputs":
      {{"image_bytes": [{{"b64": "%s"}}]}}}}' \\
      "$(base64 < photo.jpg | tr -d '\\n')" |
      curl --silent --show-error --data @- \\
      http://127.0.0.1:8501/v1/models/{name}/labels/{label}:predict

The answer holds `outputs`, an item for each image: `codes`, the packed bits as
numbers; `code_bytes`, the same in base64 (`b64`); `signs`, -1 and +1; and `ok`,
which is false where the file could not be decoded: then the bits mean nothing.

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

- At most {MOST_IMAGES:,} images a request.
- Requests are put together into batches. Two requests to `encode_images` with
  images of different sizes that meet in one batch both fail: send all in one
  size, or send files to `encode_bytes`, which may differ.
- TF_SERVING_IMAGE names another image: one for GPUs, one from your registry, or
  one that exists where the version in compose.yaml does not. It should be no
  older than the TensorFlow that wrote the model.
- The ports are open to this machine alone; SERVING_ADDRESS=0.0.0.0 opens them
  to all who reach it. There is neither password nor encryption.
"""
