"""Small files are read whole each time; of large ones a sample, until somebody writes to them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tuner.data.cache import cache_sums
from tuner.data.cache.cache_sums import STAMPS, Sums, check, sums_of

N_BLOCKS = 8


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file of eight blocks, which is large, and of which one is sampled."""
    monkeypatch.setattr(cache_sums, "_BLOCK_BYTES", 10)
    monkeypatch.setattr(cache_sums, "_SMALL_BYTES", 20)
    monkeypatch.setattr(cache_sums, "_N_SAMPLED", 1)
    (tmp_path / "large").write_bytes(bytes(range(10 * N_BLOCKS)))
    return tmp_path


def is_whole(folder: Path, sums: Sums) -> bool:
    try:
        check(folder, json.loads(json.dumps(sums)))
    except ValueError as error:
        assert str(error) in ("large has changed", "large has another size")
        return False
    return True


def change(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_untouched_file_is_whole(folder: Path) -> None:
    assert is_whole(folder, sums_of(folder, ["large"]))


@pytest.mark.parametrize("at", [0, 39, 79])
def test_file_that_was_written_to_is_read_whole(folder: Path, at: int) -> None:
    sums = sums_of(folder, ["large"])
    change(folder / "large", at)
    os.utime(folder / "large", ns=(1, 1))
    assert not is_whole(folder, sums)


def test_damage_that_left_the_time_alone_is_found_by_samples_sooner_or_later(folder: Path) -> None:
    sums, status = sums_of(folder, ["large"]), (folder / "large").stat()
    change(folder / "large", 45)
    os.utime(folder / "large", ns=(status.st_atime_ns, status.st_mtime_ns))
    found = [is_whole(folder, sums) for _ in range(200)]
    assert 5 < found.count(False) < 80


def test_file_that_was_copied_is_read_whole_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sums = sums_of(folder, ["large"])
    os.utime(folder / "large", ns=(1, 1))
    n_read: list[int] = []
    read = cache_sums._read_sums
    monkeypatch.setattr(
        cache_sums,
        "_read_sums",
        lambda path, starts: n_read.append(len(starts)) or read(path, starts),
    )
    assert is_whole(folder, sums)
    assert is_whole(folder, sums)
    assert n_read == [N_BLOCKS, 1]


def test_second_name_of_a_file_changes_nothing(folder: Path) -> None:
    sums_of(folder, ["large"])
    before = (folder / STAMPS).read_bytes()
    os.link(folder / "large", folder / "linked")
    sums_of(folder, ["large"])
    assert (folder / STAMPS).read_bytes() == before


def test_file_of_another_size_is_damaged(folder: Path) -> None:
    sums = sums_of(folder, ["large"])
    with open(folder / "large", "ab") as file:
        file.write(b"x")
    assert not is_whole(folder, sums)
