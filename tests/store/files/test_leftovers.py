"""What killed commands leave half written goes; what a live one writes stays."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tuner.store.files import leftovers
from tuner.store.files.leftovers import sweep, writer
from tuner.store.files.whole_files import write_atomically

NAMES = (
    ".index.html.{}.tmp",
    ".{}-model.keras",
    ".{}-model.weights.h5",
    ".model.keras.{}.npz",
    ".unpacking-{}-a1b2c3d4",
)
OLD_S = 3 * 86_400


@pytest.fixture(scope="module")
def gone() -> int:
    """The number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return process.pid


def left(folder: Path, name: str, age_s: float = 0.0) -> bool:
    """Whether a file of this name and age is still there after a sweep."""
    path = folder / name
    path.write_bytes(b"half")
    os.utime(path, (time.time() - age_s,) * 2)
    n = sweep(folder.glob(".*"))
    assert n == (not path.exists())
    return path.exists()


def machine() -> str:
    return writer().partition("@")[2]


@pytest.mark.parametrize("name", NAMES)
def test_file_of_a_process_that_has_ended_goes(tmp_path: Path, name: str, gone: int) -> None:
    assert not left(tmp_path, name.format(f"{gone}@{machine()}"))
    assert not left(tmp_path, name.format(gone))


@pytest.mark.parametrize("name", NAMES)
def test_file_of_a_live_process_stays(tmp_path: Path, name: str) -> None:
    assert left(tmp_path, name.format(writer()))
    assert left(tmp_path, name.format(os.getpid()))


@pytest.mark.parametrize("name", NAMES)
def test_file_of_another_machine_stays_until_it_is_old(
    tmp_path: Path, name: str, gone: int
) -> None:
    other = name.format(f"{gone}@00000000")
    assert left(tmp_path, other, age_s=86_400)
    assert not left(tmp_path, other, age_s=OLD_S)


def test_process_that_has_only_got_the_number_of_the_writer_keeps_nothing(tmp_path: Path) -> None:
    assert not left(tmp_path, f".a.{writer()}.tmp", age_s=OLD_S)


@pytest.mark.parametrize(
    "name", [".index.html.tmp", "index.html.1.tmp", ".cache", ".1.keras", ".bashrc", ".a.1.npz"]
)
def test_file_of_another_name_is_nobodys_business(tmp_path: Path, name: str) -> None:
    assert left(tmp_path, name, age_s=OLD_S)


def test_everything_half_written_goes_where_a_lock_keeps_others_away(tmp_path: Path) -> None:
    (tmp_path / f".a.{writer()}.tmp").write_bytes(b"")
    (tmp_path / ".unpacking-1@00000000-x").mkdir()
    (tmp_path / "whole").write_bytes(b"")
    assert sweep(tmp_path.iterdir(), is_alone=True) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]


def test_what_is_being_written_is_named_after_its_process(tmp_path: Path) -> None:
    with write_atomically(tmp_path / "a"):
        (path,) = tmp_path.iterdir()
        assert path.name == f".a.{os.getpid()}@{machine()}.tmp"
        assert sweep([path]) == 0
    assert leftovers.sweep([tmp_path / "a"]) == 0
