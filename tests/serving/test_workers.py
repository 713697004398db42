import subprocess
import sys
import threading
import time

import pytest

from hashnet_tf.serving import service, workers

# Ends while a picture is decoded that takes longer than anyone waits.
ENDING = """
import sys, threading, time
from hashnet_tf.serving.service import Service
served, begun = Service(sys.argv[1]), threading.Event()
for each in (served._decoding, served._drawing):
    each.submit(lambda: begun.set() or time.sleep(100))
begun.wait()
served.close()
print("closed")
"""


def test_several_share_the_work():
    some, meeting = workers.Workers(2), threading.Barrier(2)
    # Neither would come back alone.
    both = [some.submit(meeting.wait, 20) for _ in range(2)]
    assert sorted(each.result() for each in both) == [0, 1]
    some.close()


def test_they_raise_what_is_raised_and_go_on():
    some = workers.Workers(1)
    with pytest.raises(ZeroDivisionError):
        some.submit(divmod, 1, 0).result()
    assert some.submit(divmod, 7, 2).result() == (3, 1)
    some.close()


def test_a_close_waits_for_none_and_begins_nothing_more():
    some, held, done = workers.Workers(1), threading.Event(), []
    begun = threading.Event()
    first = some.submit(lambda: begun.set() or held.wait(30))
    second = some.submit(done.append, 1)
    assert begun.wait(30)
    some.close()
    assert second.cancelled() and not first.done()
    held.set()
    assert first.result()
    some.end(30)
    assert not done


def test_no_picture_keeps_the_process_from_ending(codes_only):
    begun = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", ENDING, codes_only],
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert (ended.returncode, ended.stdout) == (0, "closed\n"), ended.stderr
    assert time.monotonic() - begun < 90


def test_a_service_ends_what_it_began(codes_only):
    before = threading.active_count()
    served = service.Service(codes_only)
    assert threading.active_count() > before
    served.close()
    for _ in range(100):
        if threading.active_count() == before:
            break
        time.sleep(0.1)
    assert threading.active_count() == before
