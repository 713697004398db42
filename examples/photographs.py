"""Makes a folder of photographs searchable, and measures how well.

  python examples/photographs.py --data=folder:DIR --image=PHOTO \
      --backbone=MobileNetV2 --weights=imagenet --image_size=224

DIR holds a folder a class. Without flags the digits take the place of the
photographs, and one of them that was not trained on is searched for.
"""

import argparse
import pathlib

import hashnet_tf as hn


def main(
    config: hn.runs.TrainingConfig,
    out: pathlib.Path,
    image: pathlib.Path | None = None,
) -> hn.runs.Run:
    """Trains, measures and searches; returns the run."""
    run = hn.runs.train(config, out)
    print(run.evaluate().table("tie-aware"))
    print(f"Loss of the last epoch: {run.history[-1]['loss']:.4f}")

    asked = image
    if asked is None:
        size = (config.image_size, config.image_size)
        asked = hn.datasets.pixel_array(run.dataset.query.subset([0]), size)
    found = run.search(asked, k=5)
    print(found.table())
    print(f"Drawn in {found.draw(out / 'figures' / 'search.png')}")
    return run


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="digits", help="as in hashnet train")
    parser.add_argument("--image", type=pathlib.Path, help="what to search for")
    parser.add_argument("--backbone", default="small_cnn")
    parser.add_argument("--weights", help="imagenet, or a file")
    parser.add_argument("--image_size", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument(
        "--out", type=pathlib.Path, default="runs/photographs", help="folder"
    )
    arguments = parser.parse_args()
    settings = hn.runs.TrainingConfig(
        data=arguments.data,
        backbone=arguments.backbone,
        weights=arguments.weights,
        image_size=arguments.image_size,
        epochs=arguments.epochs,
    )
    main(settings, arguments.out, arguments.image)
