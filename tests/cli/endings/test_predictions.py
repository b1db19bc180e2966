"""What `predict` prints of good, bad and other files; nothing is predicted here."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tuner.cli.endings.predictions import show_predictions
from tuner.cli.terminal import output
from tuner.commands.predict import Prediction, Predictions
from tuner.errors import DataError
from tuner.production.decoded_images import NotPredicted
from tuner.store.prediction_file import partial_file

GOOD = Prediction(
    image="a.png", class_name="cat", probabilities=(0.75, 0.25), class_names=("cat", "dog")
)
LINE = "a.png: cat 75.0 %, dog 25.0 %\n"


def bad(name: str, *, is_bad: bool = True) -> NotPredicted:
    return NotPredicted(image=name, reason="not an image", is_bad=is_bad)


def show(found: Iterable[Prediction | NotPredicted], **options: Any) -> None:
    """Show predictions as they come."""
    predictions = Predictions(class_names=("cat", "dog"), found=(one for one in found))
    show_predictions(predictions, 12, **options)


@pytest.fixture
def out(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What is printed as results."""
    printed = io.StringIO()
    monkeypatch.setattr(output, "RESULTS", printed)
    return printed


@pytest.fixture
def err(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Lines for people."""
    lines: list[str] = []
    monkeypatch.setattr("tuner.cli.endings.predictions.say", lines.append)
    return lines


def test_good_files_are_printed_though_others_are_bad(out: io.StringIO, err: list[str]) -> None:
    with pytest.raises(DataError) as caught:
        show([GOOD, bad("b.jpg"), GOOD, bad("c.jpg")], json_lines=False)
    assert out.getvalue() == LINE * 2
    assert caught.value.message == (
        "2 of 4 files cannot be read as images:\n  b.jpg: not an image\n  c.jpg: not an image"
    )
    assert (caught.value.exit_code, err) == (4, [])


def test_json_names_every_bad_file(out: io.StringIO) -> None:
    with pytest.raises(DataError) as caught:
        show([bad(f"{number}.jpg") for number in range(12)] + [GOOD], json_lines=True)
    records = [json.loads(line) for line in out.getvalue().splitlines()]
    assert records[0] == {"image": "0.jpg", "error": "not an image"}
    assert records[-1] == {
        "image": "a.png",
        "class": "cat",
        "probabilities": {"cat": 0.75, "dog": 0.25},
    }
    assert len(records) == 13
    assert caught.value.message.splitlines()[-1] == "  and 2 more; --json names them all"


def test_other_files_of_a_folder_are_counted(out: io.StringIO, err: list[str]) -> None:
    others = [bad(name, is_bad=False) for name in ("a.txt", "b.txt", "Thumbs.db", "noext")]
    show([*others, GOOD], json_lines=False)
    assert out.getvalue() == LINE
    assert err == ["left out, not images: 4 files: .txt (2), .db (1), no suffix (1)"]
    with pytest.raises(DataError, match="there is no image among the files"):
        show(others, json_lines=False)


def test_predictions_are_printed_as_they_come(out: io.StringIO) -> None:
    def endless() -> Iterator[Prediction]:
        yield GOOD
        assert out.getvalue() == LINE
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        show(endless(), json_lines=False)


def test_notes_are_told_once_for_many_files(err: list[str]) -> None:
    noted = Prediction(
        image="a.tif", class_name="a", probabilities=(1.0,), class_names=("a",), note="deep"
    )
    show([noted] * 12, json_lines=False)
    assert err == [*["note: a.tif: deep"] * 10, "note: the same for 2 more images"]


def test_unsure_image_has_no_class(out: io.StringIO) -> None:
    unsure = replace(GOOD, class_name=None)
    show([unsure], json_lines=False)
    show([unsure], json_lines=True)
    line, record = out.getvalue().splitlines()
    assert line == "a.png: unsure, cat 75.0 %, dog 25.0 %"
    assert json.loads(record)["class"] is None


def test_long_list_says_now_and_then_how_far_it_is(out: io.StringIO, err: list[str]) -> None:
    seconds = iter([0.0, *(4.0 * number for number in range(1, 9))])
    show([GOOD] * 8, json_lines=False, clock=lambda: next(seconds))
    assert err == ["  3 of 12 files, 0.2 per second", "  6 of 12 files, 0.2 per second"]


def test_file_takes_the_place_of_lines(out: io.StringIO, tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    with pytest.raises(DataError):
        show([GOOD, bad("b.jpg"), GOOD], json_lines=False, out=path)
    assert out.getvalue() == f"{path}\n"
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert [row["image"] for row in rows] == ["a.png", "b.jpg", "a.png"]
    assert [row["error"] for row in rows] == ["", "not an image", ""]


def test_interrupted_list_keeps_what_was_predicted(
    out: io.StringIO, err: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "predictions.jsonl"
    path.write_text("of an earlier list")

    def interrupted() -> Iterator[Prediction]:
        yield GOOD
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        show(interrupted(), json_lines=False, out=path)
    kept = partial_file(path)
    assert err == [f"{path} is incomplete; the predictions made so far are in {kept}"]
    assert [json.loads(line)["image"] for line in kept.read_text().splitlines()] == ["a.png"]
    assert path.read_text() == "of an earlier list"
