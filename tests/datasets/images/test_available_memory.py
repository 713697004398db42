import pytest

from hashnet_tf.datasets.images import decoded_images as module


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Writes what the kernel tells: kilobytes, and bytes of the container."""
    monkeypatch.setattr(module, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(module, "_CGROUP", tmp_path)

    def write(kilobytes=None, limit=None, taken=0):
        if kilobytes is not None:
            text = f"MemTotal: 9 kB\nMemAvailable:   {kilobytes} kB\n"
            (tmp_path / "meminfo").write_text(text)
        if limit is not None:
            (tmp_path / "memory.max").write_text(f"{limit}\n")
            (tmp_path / "memory.current").write_text(f"{taken}\n")

    return write


@pytest.mark.parametrize(
    "told, expected",
    [
        ((8,), 8192),
        ((8, "max"), 8192),
        ((8, 5000, 1000), 4000),
        ((8, 50_000, 1000), 8192),
        ((8, 1000, 1001), 0),
    ],
)
def test_is_the_least_that_is_told(told, expected, machine):
    machine(*told)
    assert module.available_memory() == expected


def test_by_the_pages_where_there_is_no_list(machine, monkeypatch):
    pages = {"SC_AVPHYS_PAGES": 3, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr(module.os, "sysconf", pages.__getitem__)
    assert module.available_memory() == 3 * 4096


def test_is_not_known_where_nothing_tells(machine, monkeypatch):
    monkeypatch.delattr(module.os, "sysconf")
    assert module.available_memory() is None
