"""The Kotlin of android/, compiled against stubs, on the Java machine."""

import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from runtimes import Missing

ROOT = pathlib.Path(__file__).parents[2]
ANDROID = ROOT / "android"
JOBS = ROOT / "tests" / "android" / "KotlinJobs.kt"
LITERT = JOBS.with_name("run_litert.py")
COMPILER = "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler"


class Kotlin:
    """A Java machine that runs the jobs of `KotlinJobs.kt`.

    Args:
        path: Str, its class path.
    """

    def __init__(self, path: str):
        # What the stub of LiteRT runs a file by.
        litert = os.pathsep.join([sys.executable, str(LITERT)])
        self._machine: Any = subprocess.Popen(
            ["java", f"-Dlitert={litert}", "-cp", path, "KotlinJobsKt"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def answer(self, *words: Any) -> str:
        """Returns "done", or the exception and its message."""
        print(*words, sep="\t", file=self._machine.stdin, flush=True)
        return self._machine.stdout.readline().rstrip("\n")

    def search(
        self, folder: pathlib.Path, codes: Iterable[np.ndarray], k: int
    ) -> tuple[str, list[list[str]]]:
        """Asks `CodeIndex` for the nearest of a code set.

        Args:
            folder: Path of the code set.
            codes: Packed codes, uint8 `[q, ceil(K / 8)]`.
            k: Int.

        Returns:
            What the index tells of itself, and the hits of each query, each
            "DISTANCE ID THUMBNAIL", "null" of none.
        """
        with tempfile.TemporaryDirectory() as place:
            queries, out = (pathlib.Path(place) / n for n in ("asked", "found"))
            queries.write_text("".join(f"{bytes(q).hex()}\n" for q in codes))
            told = self.answer("search", folder, queries, k, out)
            if told != "done":
                raise RuntimeError(told)
            first, *found = out.read_text("utf-8").split("\n")
        return first, [line.split("\t") for line in found]

    def close(self) -> None:
        """Ends the machine."""
        self._machine.stdin.close()
        self._machine.stdout.close()
        self._machine.wait()


@contextlib.contextmanager
def opened() -> Iterator[Kotlin]:
    """Compiles all Kotlin, of which warnings fail, and starts a machine.

    By what `HASHNET_TF_KOTLIN` names, the folder that `make android` fills with
    the compiler and Android's JSON.

    Raises:
        Missing: If that is not there, or no JDK.
        RuntimeError: If something does not compile.
    """
    if not (shutil.which("javac") and shutil.which("java")):
        raise Missing("a JDK: no javac")
    tools = pathlib.Path(
        os.environ.get("HASHNET_TF_KOTLIN", ROOT / "build/kotlin")
    )
    parts = tools / "node_modules/kotlin-compiler/lib"
    library = parts / "kotlin-stdlib.jar"
    android_json = tools / "usr/share/java/com.android.json.jar"
    if not (library.is_file() and android_json.is_file()):
        raise Missing(
            "the compiler of Kotlin and Android's JSON, which `make android`"
            f" fetches. Received: HASHNET_TF_KOTLIN={tools}"
        )
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        java, stubs, classes = (
            folder / n for n in ("java", "stubs", "classes")
        )
        sources = sorted((ANDROID / "hamming").rglob("*.java"))
        subprocess.run(["javac", "-d", java, *sources], check=True)

        def compiled(out, *sources, needs=()):
            needed = [library, android_json, java, *needs]
            path = os.pathsep.join(map(str, needed))
            ended = subprocess.run(
                ["java", "-cp", f"{parts}/*", COMPILER, "-Werror"]
                + ["-no-stdlib", "-no-reflect", "-jvm-target", "17"]
                + ["-cp", path, "-d", str(out), *map(str, sources)],
                capture_output=True,
                text=True,
            )
            if ended.returncode:
                raise RuntimeError(ended.stderr)
            return f"{path}{os.pathsep}{out}"

        compiled(stubs, ANDROID / "stubs")
        kotlin_sources = [ANDROID / "hashnet/src", ANDROID / "sample/src"]
        machine = Kotlin(
            compiled(classes, *kotlin_sources, JOBS, needs=[stubs])
        )
        try:
            yield machine
        finally:
            machine.close()
