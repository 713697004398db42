"""Ships an encoder, and shows that each form of it gives the same bits.

  python examples/serving.py --out=runs/serving

The network has random weights; a trained run is shipped by `hashnet export`.
"""

import argparse
import pathlib

import keras
import numpy as np

import hashnet_tf as hn

SIZE = (32, 32)


def main(out: pathlib.Path) -> dict[str, np.ndarray]:
    """Exports; returns the codes that each form gives of the same images."""
    keras.utils.set_random_seed(0)
    model = hn.HashNet(hn.models.backbone("small_cnn", (*SIZE, 3)), bits=48)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (8, *SIZE, 3), dtype=np.uint8)

    saved = hn.export.to_saved_model(model, out / "encoder")
    lite = hn.export.to_litert(model, out / "encoder.tflite")
    codes = {
        "Keras": model.encode(images),
        "SavedModel": hn.export.load_encoder(saved).encode(images),
        "LiteRT": hn.export.load_encoder(lite).encode(images),
    }
    for name, found in codes.items():
        signs, kept = (
            hn.retrieval.unpack(c, bits=48) for c in (found, codes["Keras"])
        )
        moved = np.count_nonzero(signs != kept)
        print(f"{name:<12}{found[0].tobytes().hex()}  {moved} bits moved")

    # A folder from which TensorFlow Serving starts:
    #   docker compose --file DIR/serving/compose.yaml up
    hn.export.write_serving_bundle(out / "serving", out / "encoder")
    return codes


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--out", type=pathlib.Path, default="runs/serving", help="folder"
    )
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    main(arguments.out)
