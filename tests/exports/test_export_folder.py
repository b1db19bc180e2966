"""The folder of an export: whole, or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuner.errors import ConfigurationError
from tuner.exports.export_folder import RECORD, check_folder, export_folder, size_of


def test_folder_takes_its_place_at_the_end(tmp_path: Path) -> None:
    place = tmp_path / "deep" / "out"
    with export_folder(place) as folder:
        (folder / "new").write_text("x")
        assert not place.exists()
    assert [path.name for path in place.iterdir()] == ["new"]
    assert list(place.parent.iterdir()) == [place]


def test_failure_leaves_an_earlier_export_whole(tmp_path: Path) -> None:
    place = tmp_path / "out"
    place.mkdir()
    (place / RECORD).write_text("{}")
    with pytest.raises(ZeroDivisionError), export_folder(place) as folder:
        (folder / "half").write_text("x")
        raise ZeroDivisionError
    assert [path.name for path in place.iterdir()] == [RECORD]
    assert list(tmp_path.iterdir()) == [place]


def test_only_an_earlier_export_is_replaced(tmp_path: Path) -> None:
    check_folder(tmp_path / "new")
    check_folder(tmp_path)
    (tmp_path / "mine").touch()
    with pytest.raises(ConfigurationError, match="holds files that no export wrote"):
        check_folder(tmp_path)
    (tmp_path / RECORD).touch()
    check_folder(tmp_path)


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="cannot be written"):
        check_folder(tmp_path / "file")
    with (
        pytest.raises(ConfigurationError, match="cannot be written"),
        export_folder(tmp_path / "file" / "out"),
    ):
        pass


def test_size_is_of_all_files(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a").write_bytes(b"123")
    (tmp_path / "sub" / "b").write_bytes(b"45")
    assert size_of(tmp_path) == 5
    assert size_of(tmp_path / "a") == 3
