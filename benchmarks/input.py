"""Measures the input pipeline beside a loop with PIL, in one run.

  python benchmarks/input.py

From JPEG files to training batches of 224 x 224, with the paper's framing:
`training_batches` beside what a PyTorch data loader does in two worker
processes, which open, convert, resize, crop and mirror with PIL and stack into
memory that the main process sees. Same files, same order, same crops. The
files are photographs of MIRFlickr where the folder HASHNET_TF_DATA has them and
else generated, of 256 x 256, where resizing changes nothing and each pixel
must be equal; and of 320 x 240, where PIL rounds between the two directions
and we do not: how many pixels differ is told, and none promised. Machines are
shared, so both are measured by turns and the least time counts.
"""

import argparse
import io
import multiprocessing
import multiprocessing.shared_memory
import os
import pathlib
import sys
import tarfile
import tempfile
import time

import numpy as np
import tensorflow as tf
from PIL import Image

import hashnet_tf as hn
from hashnet_tf.datasets.pixels.framing import uncropped_size, vary_image

SIZE, BATCH, WORKERS, SEED = (224, 224), 64, 2, 0
ARCHIVE = "mirflickr25k_96px.tar.gz"
WITHIN = uncropped_size(SIZE)
# Batches that a worker is ahead, as a data loader's default.
AHEAD = 2


def photographs(count):
    """Yields images, and prints where they are from."""
    data = pathlib.Path(os.environ.get("HASHNET_TF_DATA", "../shared/data"))
    if (data / ARCHIVE).is_file():
        print(f"Photographs of {ARCHIVE}")
        with tarfile.open(data / ARCHIVE, "r|gz") as members:
            for member in members:
                if not member.name.endswith(".jpg"):
                    continue
                file = members.extractfile(member)
                assert file is not None
                yield Image.open(io.BytesIO(file.read())).convert("RGB")
                count -= 1
                if not count:
                    return
    print("Generated images")
    rng = np.random.default_rng(0)
    for _ in range(count):
        small = rng.integers(0, 256, (12, 12, 3), np.uint8)
        yield Image.fromarray(small).resize((96, 96), Image.Resampling.BICUBIC)


def write_files(images, folder, size):
    """Writes JPEGs of `(height, width)`; returns the `FileImages`."""
    folder.mkdir()
    names = []
    for i, image in enumerate(images):
        names.append(f"{i:05}.jpg")
        large = image.resize(size[::-1], Image.Resampling.BICUBIC)
        large.save(folder / names[-1], quality=90)
    return hn.datasets.FileImages(folder, names, np.arange(len(names)) % 10)


def changes_of(count):
    """Returns the order of the first epoch and its crops.

    By `training_batches` on images of which each pixel tells its own place.
    """
    rows, columns = np.indices(WITHIN)
    places = np.stack([rows, columns, np.zeros_like(rows)], axis=-1)
    order = tf.data.Dataset.range(count).shuffle(count, seed=SEED)
    draws = tf.data.Dataset.random(SEED, rerandomize_each_iteration=True)
    places = tf.constant(places, tf.uint8)
    vary = tf.function(lambda seed: vary_image(places, SIZE, seed, "paper"))
    changes = []
    for position, draw in tf.data.Dataset.zip(order, draws):
        window = vary(tf.stack([draw, position])).numpy().astype(int)
        row, column, _ = window[0, 0]
        mirrored = column > window[0, -1, 1]
        left = column - (SIZE[1] - 1) * mirrored
        changes.append((int(position), int(row), int(left), bool(mirrored)))
    return changes


def pil_image(path, top, left, mirrored):
    """Opens, converts, resizes, crops and mirrors, as with torchvision."""
    with Image.open(path) as file:
        image = file.convert("RGB")
    image = image.resize((WITHIN[1], WITHIN[0]), Image.Resampling.BILINEAR)
    image = image.crop((left, top, left + SIZE[1], top + SIZE[0]))
    if mirrored:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return np.asarray(image)


def work(jobs, results):
    """Makes batches in a worker process until told to end."""
    memories = {}
    while (job := jobs.get()) is not None:
        number, name, items = job
        if name not in memories:
            memories[name] = multiprocessing.shared_memory.SharedMemory(name)
        batch = np.ndarray((len(items), *SIZE, 3), np.uint8, memories[name].buf)
        np.stack([pil_image(*item) for item in items], out=batch)
        results.put(number)
        del batch
    for memory in memories.values():
        memory.close()


class PilLoader:
    """A data loader of worker processes, which wait between epochs."""

    def __init__(self):
        context = multiprocessing.get_context("spawn")
        self._results = context.Queue()
        self._jobs = [context.Queue() for _ in range(WORKERS)]
        self._workers = [
            context.Process(target=work, args=(jobs, self._results))
            for jobs in self._jobs
        ]
        shared = multiprocessing.shared_memory.SharedMemory
        # One that is looked at, besides those that are filled.
        self._memories = [
            shared(create=True, size=BATCH * SIZE[0] * SIZE[1] * 3)
            for _ in range(WORKERS * AHEAD + 1)
        ]
        for worker in self._workers:
            worker.start()

    def batches(self, items):
        """Yields uint8 `[BATCH, height, width, 3]`, good until the next."""
        steps = len(items) // BATCH
        sent, there = 0, set()
        for step in range(steps):
            while sent < min(steps, step + WORKERS * AHEAD):
                part = items[sent * BATCH : (sent + 1) * BATCH]
                memory = self._memories[sent % len(self._memories)]
                job = sent, memory.name, part
                self._jobs[sent % WORKERS].put(job)
                sent += 1
            while step not in there:
                there.add(self._results.get())
            memory = self._memories[step % len(self._memories)]
            yield np.ndarray((BATCH, *SIZE, 3), np.uint8, memory.buf)

    def close(self):
        """Ends the workers."""
        for jobs in self._jobs:
            jobs.put(None)
        for worker in self._workers:
            worker.join()
        for memory in self._memories:
            memory.close()
            memory.unlink()


def differences(batches, others):
    """Returns how many values differ, of how many, and by how much at most."""
    differing = count = most = 0
    for batch, other in zip(batches, others, strict=True):
        difference = np.abs(batch.astype(np.int16) - other)
        differing += int((difference > 0).sum())
        count += difference.size
        most = max(most, int(difference.max()))
    return differing, count, most


def ours(images):
    """Returns the batches of a training, the first epoch to come."""
    return hn.datasets.training_batches(
        images, SIZE, BATCH, SEED, cache="never", framing="paper"
    )


def images_only(batches):
    """Yields the images of an epoch."""
    for images, _ in batches.as_numpy_iterator():
        yield images


def seconds_of(batches):
    """Returns how long an epoch takes."""
    start = time.perf_counter()
    for _ in batches:
        pass
    return time.perf_counter() - start


def measure(what, images, changes, loader, rounds):
    """Measures by turns and prints one row."""
    items = [
        (str(images.root / images.names[position]), *box)
        for position, *box in changes
    ]
    differing, count, most = differences(
        images_only(ours(images)), loader.batches(items)
    )
    batches = ours(images)
    taken = {"ours": [], "PIL": []}
    for _ in range(rounds):
        taken["ours"].append(seconds_of(batches))
        taken["PIL"].append(seconds_of(loader.batches(items)))
    n = len(items) // BATCH * BATCH
    least = {name: min(times) for name, times in taken.items()}
    print(
        f"{what}: ours {n / least['ours']:.0f} images/s, PIL in"
        f" {WORKERS} processes {n / least['PIL']:.0f} images/s, RATIO"
        f" {least['PIL'] / least['ours']:.2f}; {differing:,} of {count:,}"
        f" values differ ({differing / count:.2%}), by {most} at most",
        flush=True,
    )


def run(count, rounds):
    """Measures and prints."""
    loader = PilLoader()
    try:
        with tempfile.TemporaryDirectory() as place:
            folder = pathlib.Path(place)
            pictures = list(photographs(count))
            changes = changes_of(count)
            for name, size in (("square", WITHIN), ("wide", (240, 320))):
                images = write_files(pictures, folder / name, size)
                what = f"{count} JPEGs of {size[1]} x {size[0]}"
                measure(what, images, changes, loader, rounds)
    finally:
        loader.close()


def main():
    """Entry point."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--images", type=int, default=4096, help="files")
    parser.add_argument("--rounds", type=int, default=4, help="turns of each")
    arguments = parser.parse_args()
    run(arguments.images, arguments.rounds)


if __name__ == "__main__":
    sys.exit(main())
