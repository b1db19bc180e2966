"""What `predict` prints of good, bad and other files; nothing is predicted here."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tuner.cli.endings.predictions import show_predictions
from tuner.cli.terminal import output
from tuner.commands.predict import Prediction
from tuner.errors import DataError
from tuner.production.decoded_images import NotPredicted

GOOD = Prediction(
    image=Path("a.png"), class_name="cat", probabilities=(0.75, 0.25), class_names=("cat", "dog")
)
LINE = "a.png: cat 75.0 %, dog 25.0 %\n"


def bad(name: str, *, is_bad: bool = True) -> NotPredicted:
    return NotPredicted(image=Path(name), reason="not an image", is_bad=is_bad)


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
        show_predictions([GOOD, bad("b.jpg"), GOOD, bad("c.jpg")], json_lines=False)
    assert out.getvalue() == LINE * 2
    assert caught.value.message == (
        "2 of 4 files cannot be read as images:\n  b.jpg: not an image\n  c.jpg: not an image"
    )
    assert (caught.value.exit_code, err) == (4, [])


def test_json_names_every_bad_file(out: io.StringIO) -> None:
    with pytest.raises(DataError) as caught:
        show_predictions([bad(f"{number}.jpg") for number in range(12)] + [GOOD], json_lines=True)
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
    show_predictions([*others, GOOD], json_lines=False)
    assert out.getvalue() == LINE
    assert err == ["left out, not images: 4 files: .txt (2), .db (1), no suffix (1)"]
    with pytest.raises(DataError, match="there is no image among the files"):
        show_predictions(others, json_lines=False)


def test_predictions_are_printed_as_they_come(out: io.StringIO) -> None:
    def endless() -> Iterator[Prediction]:
        yield GOOD
        assert out.getvalue() == LINE
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        show_predictions(endless(), json_lines=False)


def test_notes_are_told_once_for_many_files(err: list[str]) -> None:
    noted = Prediction(
        image=Path("a.tif"), class_name="a", probabilities=(1.0,), class_names=("a",), note="deep"
    )
    show_predictions([noted] * 12, json_lines=False)
    assert err == [*["note: a.tif: deep"] * 10, "note: the same for 2 more images"]
