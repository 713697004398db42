"""What mutates inputs, and what counts how they ended."""

import collections
import json
import os
import warnings

import numpy as np
import pytest

# How often each kind is tried: 1 in `make slow`, more in `make fuzz`.
TIMES = float(os.environ.get("HASHNET_TF_FUZZ", "1"))
SEED = int(os.environ.get("HASHNET_TF_FUZZ_SEED", "0"))

ODD = [
    None,
    True,
    False,
    -1,
    0,
    1,
    2**31,
    2**70,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "x",
    "0",
    "\0",
    "\ud7ff" * 3,
    "../..",
    [],
    {},
    [[]],
    {"": None},
]


def mutated_bytes(content, rng):
    """Returns the bytes with one to three changes, most of them early."""
    content = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        size = len(content)
        end = min(size, 64) if rng.random() < 0.5 else size
        at = int(rng.integers(end)) if end else 0
        length = int(rng.integers(1, 40))
        some = rng.integers(0, 256, length, np.uint8).tobytes()
        way = rng.integers(7)
        if way == 0 and size:
            content[at] ^= 1 << int(rng.integers(8))
        elif way == 1 and size:
            content[at] = int(rng.choice([0, 1, 0x7F, 0x80, 0xFF]))
        elif way == 2:
            del content[at : at + length]
        elif way == 3:
            content[at:at] = some
        elif way == 4:
            content[at : at + length] = some
        elif way == 5:
            content[at:at] = content[at : at + length]
        else:
            del content[at:]
    return bytes(content)


def _places(value, path=()):
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _places(item, (*path, key))
    elif isinstance(value, list):
        for i, item in enumerate(value[:50]):
            yield from _places(item, (*path, i))


def mutated_json(text, rng):
    """Returns JSON with a value changed, left out or added."""
    value = json.loads(text)
    places = list(_places(value))
    path = places[int(rng.integers(len(places)))]
    odd = ODD[int(rng.integers(len(ODD)))]
    if not path:
        return json.dumps(odd)
    inner = value
    for key in path[:-1]:
        inner = inner[key]
    way = rng.integers(4)
    if way == 0:
        del inner[path[-1]]
    elif way == 1 and isinstance(inner, dict):
        inner["surplus"] = odd
    elif way == 1:
        inner.append(odd)
    else:
        inner[path[-1]] = odd
    return json.dumps(value)


def mutated_text(content, rng):
    """Returns a JSON file's bytes, changed as JSON or as bytes."""
    if rng.random() < 0.7:
        return mutated_json(content, rng).encode("utf-8", "surrogatepass")
    return mutated_bytes(content, rng)


class Fuzz:
    """Tries mutated inputs of a kind, and counts how they ended.

    An input must end in a value that is right, which `check` says, or in a
    ValueError or OSError that says something. Anything else fails, and tells
    the seed.
    """

    def __init__(self, capsys):
        self._capsys = capsys

    def __call__(self, kind, times, make, call, check, refusals=()):
        """Tries `call(make(rng))` and checks the value with `check`.

        Args:
            kind: Str, what is tried.
            times: Int, how often in the quick form.
            make: Function of a generator of random numbers.
            call: Function of what `make` returned.
            check: Function of the value and what `make` returned.
            refusals: Other errors that are an answer.
        """
        ended = collections.Counter()
        for i in range(max(1, round(times * TIMES))):
            seed = [SEED, i, *kind.encode()]
            given = make(np.random.default_rng(seed))
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    value = call(given)
            except (ValueError, OSError, *refusals) as error:
                assert str(error).strip(), (kind, i, error)
                ended["refused"] += 1
                continue
            except BaseException as error:
                error.add_note(f"{kind}, number {i}, seed {SEED}: {given!r}")
                raise
            try:
                check(value, given)
            except BaseException as error:
                error.add_note(f"{kind}, number {i}, seed {SEED}: {given!r}")
                raise
            ended["right"] += 1
        with self._capsys.disabled():
            print(
                f"\n{kind}: {sum(ended.values()):,} inputs, {ended['right']:,}"
                f" gave what is right, {ended['refused']:,} were refused"
            )
        return ended


@pytest.fixture
def fuzz(capsys):
    return Fuzz(capsys)


@pytest.fixture(scope="session")
def mutate():
    """Functions by what they mutate."""
    return {"bytes": mutated_bytes, "json": mutated_text}


@pytest.fixture(scope="session")
def odd():
    return ODD


@pytest.fixture(scope="session")
def measured(config_of, tmp_path_factory):
    """A run that is trained and measured; do not write there."""
    import hashnet_tf as hn

    workdir = tmp_path_factory.mktemp("fuzz") / "run"
    run = hn.runs.train(config_of(), workdir)
    run.evaluate(at=100)
    return run
