"""Runs a file in MediaPipe's ImageEmbedder, in a Python that has mediapipe.

Takes the path of the file, the folder of the PNGs and the path of a .json to
write: for each PNG by name its embedding.
"""

import json
import pathlib
import sys

import mediapipe as mp
from mediapipe.tasks import python as tasks
from mediapipe.tasks.python import vision


def main(model_path, folder, output_path):
    options = vision.ImageEmbedderOptions(
        base_options=tasks.BaseOptions(model_asset_path=model_path),
        l2_normalize=False,
        quantize=False,
    )
    embeddings = {}
    with vision.ImageEmbedder.create_from_options(options) as embedder:
        for path in sorted(pathlib.Path(folder).glob("*.png")):
            result = embedder.embed(mp.Image.create_from_file(str(path)))
            (found,) = result.embeddings
            embeddings[path.name] = [float(value) for value in found.embedding]
    pathlib.Path(output_path).write_text(json.dumps(embeddings))


if __name__ == "__main__":
    main(*sys.argv[1:])
