import asyncio
import threading
import time

import pytest

import hashnet_tf as hn
from hashnet_tf.serving import owner


@pytest.fixture
def path(tmp_path):
    hn.Index.open(tmp_path / "a.index", bits=8).close()
    return tmp_path / "a.index"


def test_one_thread_answers_all(path):
    owned = owner.IndexOwner(path)

    def where(index, number, *, more=0):
        return threading.get_ident(), number + more

    async def ask_all():
        asked = [owned.ask(where, i, more=1) for i in range(20)]
        return await asyncio.gather(*asked)

    threads, numbers = zip(*asyncio.run(ask_all()), strict=True)
    assert len(set(threads)) == 1 and threads[0] != threading.get_ident()
    assert list(numbers) == list(range(1, 21))
    owned.close()


def test_it_raises_what_is_raised_and_goes_on(path):
    owned = owner.IndexOwner(path)

    def wrong(index):
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        asyncio.run(owned.ask(wrong))
    assert asyncio.run(owned.ask(len)) == 0
    owned.close()


def test_what_nobody_waits_for_is_not_done(path):
    owned = owner.IndexOwner(path)
    held, done = threading.Event(), []

    async def give_up():
        first = asyncio.ensure_future(owned.ask(lambda _: held.wait(9)))
        second = asyncio.ensure_future(owned.ask(lambda _: done.append(2)))
        await asyncio.sleep(0.05)
        second.cancel()
        await asyncio.sleep(0)
        held.set()
        return await first

    assert asyncio.run(give_up())
    assert asyncio.run(owned.ask(len)) == 0
    owned.close()
    assert not done


def test_no_end_waits_for_a_long_answer(path, monkeypatch):
    monkeypatch.setattr(owner, "LAST", 0.1)
    owned, held = owner.IndexOwner(path), threading.Event()
    waiting = owned._worker.submit(held.wait, 30)
    begun = time.monotonic()
    owned.close()
    assert time.monotonic() - begun < 20 and not waiting.done()
    held.set()
    waiting.result()


def test_there_must_be_an_index(tmp_path):
    before = threading.active_count()
    with pytest.raises(FileNotFoundError, match="There must be an index"):
        owner.IndexOwner(tmp_path / "gone.index")
    time.sleep(0.1)
    assert threading.active_count() <= before
