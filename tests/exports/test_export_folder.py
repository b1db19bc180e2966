"""The folder of an export: whole, or not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tuner.errors import ConfigurationError
from tuner.exports.export_folder import (
    RECORD,
    check_folder,
    made_beside,
    put_in_place,
    put_rejected,
    size_of,
)

OWN = ("README.md", "export.json", "labels.json", "model.onnx", "predict.py")


def write_export(place: Path, text: str = "old") -> Path:
    place.mkdir(parents=True, exist_ok=True)
    for name in OWN:
        (place / name).write_text(text)
    return place


def texts(place: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in place.iterdir()}


def test_folder_takes_its_place_at_the_end(tmp_path: Path) -> None:
    place = tmp_path / "deep" / "out"
    with made_beside(place) as made:
        (made / "new").write_text("x")
        assert not place.exists()
        put_in_place(made, place)
    assert texts(place) == {"new": "x"}
    assert list(place.parent.iterdir()) == [place]


def test_earlier_export_is_replaced_whole(tmp_path: Path) -> None:
    place = write_export(tmp_path / "out")
    (place / "model.onnx.rejected").write_text("older")
    with made_beside(place) as made:
        (made / RECORD).write_text("new")
        put_in_place(made, place)
    assert texts(place) == {RECORD: "new"}
    assert list(tmp_path.iterdir()) == [place]


def test_failure_leaves_an_earlier_export_whole(tmp_path: Path) -> None:
    place = write_export(tmp_path / "out")
    with pytest.raises(ZeroDivisionError), made_beside(place) as made:
        (made / "half").write_text("x")
        raise ZeroDivisionError
    assert texts(place) == dict.fromkeys(OWN, "old")
    assert list(tmp_path.iterdir()) == [place]


def test_earlier_export_comes_back_where_the_new_one_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = write_export(tmp_path / "out")
    usual = os.replace

    def refusing(source: Path, target: Path) -> None:
        if target == place and ".old." not in source.name:
            raise PermissionError(13, "Permission denied")
        usual(source, target)

    monkeypatch.setattr(os, "replace", refusing)
    with (
        pytest.raises(ConfigurationError, match="out: cannot be written: Permission denied") as got,
        made_beside(place) as made,
    ):
        (made / RECORD).write_text("new")
        put_in_place(made, place)
    assert got.value.hint == "name another folder with --out."
    assert texts(place) == dict.fromkeys(OWN, "old")
    assert list(tmp_path.iterdir()) == [place]


def test_rejected_file_stands_beside_an_earlier_export(tmp_path: Path) -> None:
    place = write_export(tmp_path / "out")
    for text in ("first", "second"):
        with made_beside(place) as made:
            (made / "saved_model").mkdir()
            (made / "saved_model" / "part").write_text(text)
            (made / RECORD).write_text(text)
            kept = put_rejected(made, "saved_model", place)
        assert kept == place / "saved_model.rejected"
        assert (kept / "part").read_text() == text
        assert (place / "export.json.rejected").read_text() == text
    assert {name: (place / name).read_text() for name in OWN} == dict.fromkeys(OWN, "old")
    assert len(list(place.iterdir())) == len(OWN) + 2
    assert list(tmp_path.iterdir()) == [place]


def test_only_an_earlier_export_is_replaced(tmp_path: Path) -> None:
    check_folder(tmp_path / "new")
    check_folder(tmp_path)
    (tmp_path / "model.onnx").touch()
    with pytest.raises(ConfigurationError, match="holds files that no export wrote"):
        check_folder(tmp_path)
    (tmp_path / RECORD).touch()
    check_folder(tmp_path)


def test_files_of_yours_in_an_export_are_named_and_stay(tmp_path: Path) -> None:
    place = write_export(tmp_path / "out")
    for name in ("notes.txt", "b", "a", "c"):
        (place / name).touch()
    with pytest.raises(ConfigurationError, match=r"not replaced: a, b, c and 1 more\n"):
        check_folder(place)


def test_file_that_comes_while_the_model_is_converted_stays(tmp_path: Path) -> None:
    place = write_export(tmp_path / "out")
    with pytest.raises(ConfigurationError, match="mine"), made_beside(place) as made:
        (place / "mine").touch()
        put_in_place(made, place)
    assert set(texts(place)) == {*OWN, "mine"}


@pytest.mark.parametrize("words", [".", "..", "../inside"])
def test_working_directory_is_not_pulled_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    (tmp_path / "inside").mkdir()
    monkeypatch.chdir(tmp_path / "inside")
    with pytest.raises(ConfigurationError, match="is the current folder or contains it") as raised:
        check_folder(Path(words))
    assert raised.value.hint == "name a folder in it, such as --out exported."


def test_paths_with_dots_are_resolved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "inside").mkdir()
    monkeypatch.chdir(tmp_path / "inside")
    with made_beside(Path("deep/..")) as made:
        assert made.parent == tmp_path
    place = Path("../out/.")
    check_folder(place)
    with made_beside(place) as made:
        (made / RECORD).touch()
        put_in_place(made, place)
    assert (tmp_path / "out" / RECORD).is_file()


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="cannot be written"):
        check_folder(tmp_path / "file")
    with (
        pytest.raises(ConfigurationError, match="cannot be written"),
        made_beside(tmp_path / "file" / "out"),
    ):
        pass


def test_size_is_of_all_files(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a").write_bytes(b"123")
    (tmp_path / "sub" / "b").write_bytes(b"45")
    assert size_of(tmp_path) == 5
    assert size_of(tmp_path / "a") == 3
