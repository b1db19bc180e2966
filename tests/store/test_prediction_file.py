"""Predictions in a file."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tuner.errors import ConfigurationError
from tuner.store.prediction_file import check_prediction_file, partial_file, prediction_file

CLASSES = ("cat", "=dog()")
ROWS: tuple[dict[str, Any], ...] = (
    {"image": "a.png", "class": "cat", "probabilities": {"cat": 0.75, "=dog()": 0.25}},
    {"image": "=b.png", "class": None, "probabilities": {"cat": 0.5, "=dog()": 0.5}, "note": "n"},
    {"image": "c\udcff.png", "error": "not an image"},
)


def written(path: Path, rows: tuple[dict[str, Any], ...] = ROWS) -> str:
    check_prediction_file(path)
    with prediction_file(path, CLASSES) as write:
        for row in rows:
            write(row)
    assert not partial_file(path).exists()
    return path.read_text(encoding="utf-8", errors="surrogateescape")


def test_two_commands_write_a_file_each_and_the_last_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "p.jsonl"
    with prediction_file(path, CLASSES) as write:
        write(ROWS[0])
        with monkeypatch.context() as other:
            other.setattr("tuner.store.prediction_file.writer", lambda: "4711@0a1b2c3d")
            written(path, ROWS[1:])
    assert json.loads(path.read_text(encoding="utf-8")) == ROWS[0]
    assert list(tmp_path.iterdir()) == [path]


def test_folder_that_takes_the_place_meanwhile_is_said(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    with (
        pytest.raises(ConfigurationError, match=r"p\.csv: cannot be written: Is a directory"),
        prediction_file(path, CLASSES),
    ):
        path.mkdir()


def test_json_and_its_lines_give_the_rows_back(tmp_path: Path) -> None:
    assert json.loads(written(tmp_path / "new" / "p.json")) == list(ROWS)
    lines = written(tmp_path / "p.jsonl").splitlines()
    assert [json.loads(line) for line in lines] == list(ROWS)
    assert json.loads(written(tmp_path / "none.json", ())) == []


def test_csv_has_a_column_for_each_class_and_no_formula(tmp_path: Path) -> None:
    header, *rows = csv.reader(written(tmp_path / "p.CSV").splitlines())
    assert header == [
        *("image", "class", "confidence", "error", "note"),
        *("probability.cat", "probability.=dog()"),
    ]
    assert rows == [
        ["a.png", "cat", "0.75", "", "", "0.75", "0.25"],
        ["'=b.png", "", "0.5", "", "n", "0.5", "0.5"],
        ["c\udcff.png", "", "", "not an image", "", "", ""],
    ]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("p.parquet", "p.parquet: writing Parquet needs a package that tuner does not require"),
        ("p.xlsx", "p.xlsx: predictions are written as .csv, .json or .jsonl"),
        ("folder.csv", "folder.csv: is a folder"),
        ("file/p.csv", "file/p.csv: cannot be written: "),
    ],
)
def test_file_that_could_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder.csv").mkdir()
    Path("file").touch()
    with pytest.raises(ConfigurationError) as caught:
        check_prediction_file(Path(name))
    assert caught.value.message.startswith(message)
    assert {path.name for path in tmp_path.iterdir()} == {"folder.csv", "file"}
