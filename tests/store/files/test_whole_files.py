"""Files that are whole or not there at all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tuner.store.files.whole_files import put_beside, write_atomically, write_text


def test_file_takes_its_place_when_all_is_written(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    with write_atomically(path) as file:
        file.write(b"whole")
        assert not path.exists()
    assert path.read_bytes() == b"whole"
    assert list(path.parent.iterdir()) == [path]


def test_failed_writing_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="no more room"), write_atomically(path) as file:
        file.write(b"half of the n")
        raise RuntimeError("no more room")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_text_is_utf_8_with_unix_line_ends(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "Größe 😀\nend\n")
    assert (tmp_path / "a.txt").read_bytes() == "Größe 😀\nend\n".encode()


def test_store_loads_without_any_framework() -> None:
    script = (
        "import sys, tuner.store.run_folder, tuner.store.recipe_file\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "assert not loaded & {'tensorflow', 'keras', 'keras_tuner'}, loaded\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


def test_second_name_is_the_same_file_and_may_be_given_again(tmp_path: Path) -> None:
    source, target = tmp_path / "a", tmp_path / "b"
    source.write_text("new")
    target.write_text("old")
    for _ in range(2):
        put_beside(source, target)
        assert target.samefile(source)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_second_name_of_a_missing_file_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "b"
    target.write_text("old")
    with pytest.raises(FileNotFoundError):
        put_beside(tmp_path / "a", target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]
