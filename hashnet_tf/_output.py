"""What is told while long work goes on, and how loud.

The answer of a command is printed by the command; this is about all that is
said before it.
"""

import contextlib
import os
import sys
import time
from collections.abc import Iterator

QUIET, USUAL, VERBOSE = range(3)
# Seconds between two lines where there is no terminal to draw a bar on.
EVERY = 20.0

_loudness = USUAL
_libraries_are_silenced = False


def set_loudness(loudness: int) -> None:
    """Sets how much is told in this process.

    Args:
        loudness: `QUIET`, `USUAL` or `VERBOSE`.

    Example:

    >>> from hashnet_tf import _output
    >>> _output.set_loudness(_output.QUIET)
    >>> _output.say("Reading")
    >>> _output.set_loudness(_output.USUAL)
    >>> _output.say("Reading")
    Reading
    """
    global _loudness
    _loudness = loudness


def silence_libraries() -> None:
    """Lets `silenced` silence; where the process is the command's own."""
    global _libraries_are_silenced
    _libraries_are_silenced = True


def say(line: str) -> None:
    """Prints a line at once, unless this process is to be quiet."""
    if _loudness > QUIET:
        print(line, flush=True)


def is_terminal() -> bool:
    """Tells whether somebody looks on, so that a line can be drawn anew."""
    return sys.stdout.isatty() or "ipykernel" in sys.modules


def keras_verbose() -> int:
    """Returns `verbose` for `fit`: a bar, a plain line an epoch, or nothing."""
    if _loudness == QUIET:
        return 0
    return 1 if is_terminal() else 2


class Progress:
    """How far a piece of work has come, and how long it will take.

    A bar on a terminal; elsewhere a plain line now and then, so that the log of
    a short piece stays empty.

    Args:
        total: Int, how many there are.
        unit: Str, what there are, such as "images".
        done: Int, how many of them were done before.

    Example:

    >>> from hashnet_tf._output import Progress
    >>> progress = Progress(200, "images")
    >>> progress.update(100)
    >>> progress.update(200)
    """

    def __init__(self, total: int, unit: str, done: int = 0) -> None:
        self._total, self._unit, self._first = total, unit, done
        self._begun = self._told = time.monotonic()
        self._bar = None
        if _loudness > QUIET and is_terminal():
            from tqdm import tqdm

            self._bar = tqdm(
                total=total, initial=done, unit=f" {unit}", file=sys.stdout
            )

    def update(self, done: int) -> None:
        """Tells that `done` of all are done."""
        if self._bar is not None:
            self._bar.update(done - self._bar.n)
            if done >= self._total:
                self._bar.close()
            return
        now = time.monotonic()
        if now - self._told >= EVERY and done < self._total:
            self._told = now
            rate = (done - self._first) / (now - self._begun)
            left = duration((self._total - done) / rate) if rate else "unknown"
            say(
                f"  {done:,} of {self._total:,} {self._unit}, {left} left",
            )


def duration(seconds: float) -> str:
    """Returns a time in words.

    Args:
        seconds: Float, at least 0.

    Example:

    >>> from hashnet_tf._output import duration
    >>> duration(75)
    '1 min 15 s'
    """
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """Drops what libraries write into the file of errors by themselves.

    TensorFlow tells of processors while it is loaded, and LiteRT of delegates,
    past Python and past every setting. Only in a process of the command, and
    only around such a call: what comes later must not be lost.
    """
    if not _libraries_are_silenced or _loudness == VERBOSE:
        yield
        return
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
