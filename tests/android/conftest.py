import pathlib
import shutil
import subprocess

import numpy as np
import pytest

HERE = pathlib.Path(__file__).parent
ANDROID = HERE.parents[1] / "android"


class Hamming:
    """The plain Java of android/, in a virtual machine of its own."""

    def __init__(self, classes):
        self._java = subprocess.Popen(
            ["java", "-cp", str(classes), "Jobs"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def answer(self, *words):
        """Returns "done", or the exception and its message."""
        print(*words, sep="\t", file=self._java.stdin, flush=True)
        return self._java.stdout.readline().rstrip("\n")

    def unpack(self, path, bits):
        """Returns the signs of a file's codes, int8 `[n, bits]`."""
        out = path.with_suffix(".signs")
        assert self.answer("unpack", path, bits, out) == "done"
        return np.fromfile(out, np.int8).reshape(-1, bits)

    def search(self, path, queries, bits, k):
        """Returns distances and rows, `[q, min(k, n)]` each."""
        out, asked = path.with_suffix(".found"), path.with_suffix(".queries")
        asked.write_text("".join(f"{bytes(q).hex()}\n" for q in queries))
        assert self.answer("search", path, asked, bits, k, out) == "done"
        found = np.fromfile(out, ">i4").reshape(len(queries), -1, 2)
        return found[..., 0], found[..., 1]

    def frame(self, path, image, size, framing="whole"):
        """Returns an image framed, uint8; `path` is a name to write to."""
        image.tofile(path)
        out = path.with_suffix(".framed")
        words = path, *image.shape[:2], *size, framing, out
        assert self.answer("frame", *words) == "done"
        return np.fromfile(out, np.uint8).reshape(*size, 3)

    def turn(self, path, file, stored):
        """Returns a file's orientation, and `stored` as it turns that."""
        path.write_bytes(file)
        pixels, out = path.with_suffix(".rgb"), path.with_suffix(".turned")
        stored.tofile(pixels)
        words = path, pixels, *stored.shape[:2], out
        assert self.answer("turn", *words) == "done"
        found = np.fromfile(out, np.uint8)
        sides = stored.shape[:2]
        shape = sides[::-1] if found[0] >= 5 else sides
        return found[0], found[1:].reshape(*shape, 3)

    def close(self):
        self._java.stdin.close()
        self._java.stdout.close()
        self._java.wait()


@pytest.fixture(scope="session")
def android():
    """Folder of the Android project."""
    return ANDROID


@pytest.fixture(scope="session")
def code_set_folder(models, images, tmp_path_factory):
    """Folder of the code set of 70 images, as `hashnet encode` writes it."""
    import hashnet_tf as hn

    folder = tmp_path_factory.mktemp("code_set") / "set"
    image_set = hn.datasets.ArrayImages(images, np.zeros(len(images), int))
    hn.runs.encode_images(models["12"], image_set, folder)
    return folder


@pytest.fixture(scope="session")
def hamming(android, tmp_path_factory):
    if not (shutil.which("javac") and shutil.which("java")):
        pytest.skip("the plain Java of android/ needs a JDK: no javac")
    folder = tmp_path_factory.mktemp("classes")
    sources = sorted((android / "hamming/src/main/java").rglob("*.java"))
    assert sources
    compiled = subprocess.run(
        # As Android takes it. That a newer JDK finds release 8 old, which
        # is among "options", is no fault of the source.
        ["javac", "-Xlint:all,-options", "-Werror", "--release", "8"]
        + ["-d", folder, *sources, HERE / "Jobs.java"],
        capture_output=True,
        text=True,
    )
    assert compiled.returncode == 0, compiled.stderr
    hamming = Hamming(folder)
    yield hamming
    hamming.close()
