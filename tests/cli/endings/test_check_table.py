"""An examination in lines: counts, each finding with what to do, no control characters."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from tests.doctor.samples import data, look
from tuner.cli.endings.check_table import examination_table, records, show
from tuner.cli.terminal import output
from tuner.commands.check import Checked
from tuner.data.images import Images
from tuner.data.left_out import LeftOut
from tuner.store.files.whole_files import json_line

LABELS = [0, 1] * 20


@pytest.fixture
def err(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    text = io.StringIO()
    monkeypatch.setattr(output, "ERRORS", text)
    monkeypatch.setenv("COLUMNS", "200")
    return text


def shown(images: Images, err: io.StringIO) -> list[str]:
    show(examination_table(look(images)))
    return [line.rstrip() for line in err.getvalue().splitlines()]


def test_every_finding_says_how_bad_it_is_and_what_to_do(err: io.StringIO) -> None:
    lines = shown(data(LABELS, same=[(0, 1)], unreadable=("a.png: not an image",)), err)
    assert lines[1] == "data     Tiny, 8x8x1, 2 classes"
    assert lines[2] == "         40 images, 39 distinct"
    assert lines[3] == "         - cat: 20, dog: 20"
    assert lines[4] == "         1 file could not be read"
    assert "warning  1 image occurs with different labels (2 times in all, 5.0 %)." in lines
    assert "         - 000.jpg (cat) · 001.jpg (dog)" in lines
    assert "         - a.png: not an image" in lines
    assert sum(line.startswith("         To do: ") for line in lines) == 2
    assert lines[-2] == "verdict  You can use the data. Look at the 2 warnings first."


def test_what_is_left_out_and_what_parts_do_is_told(err: io.StringIO) -> None:
    left_out = (LeftOut(reason="not images", names=("a.xml", "b/"), n_names=2, n_files=30),)
    lines = shown(data(LABELS, parts=["train"] * 30 + ["validation"] * 10, left_out=left_out), err)
    assert lines[2:7] == [
        "         Training (trains): 30 images, 30 distinct",
        "         - cat: 15, dog: 15",
        "         PublicTest (tests): 10 images, 10 distinct",
        "         - cat: 5, dog: 5",
        "         30 files are not images and are ignored: a.xml, b/",
    ]


def test_long_groups_and_lists_are_cut_and_counted(err: io.StringIO) -> None:
    groups = [range(0, 12, 2), *((i, i + 2) for i in (20, 24, 28, 32))]
    lines = shown(data(LABELS, same=groups), err)
    first = lines.index(
        "         - 000.jpg (cat) · 002.jpg (cat) · 004.jpg (cat) · 006.jpg (cat) and 2 more"
    )
    assert lines[first + 3] == "         - and 2 more"


def test_files_with_wrong_suffixes_are_all_named(err: io.StringIO) -> None:
    lines = shown(data(LABELS, files={i: {"format": "PNG"} for i in range(9)}), err)
    assert "         - 008.jpg (cat): is PNG" in lines


def test_table_names_twenty_files_and_the_records_all(err: io.StringIO) -> None:
    images = data(LABELS, files={i: {"format": "PNG"} for i in range(30)})
    lines = shown(images, err)
    assert sum(line.endswith(": is PNG") for line in lines) == 20
    assert "         - and 10 more" in lines
    finding, _ = records(Checked(examination=look(images), page=Path("out/data.html")))
    assert [sample["origin"] for (sample,) in finding["examples"]] == [
        f"{i:03}.jpg" for i in range(30)
    ]


def test_names_cannot_steer_the_terminal(err: io.StringIO) -> None:
    images = data(
        LABELS, same=[(0, 1)], names={0: "\x1b[2J[red]x\x07"}, classes=("\x1b[31mred", "b")
    )
    text = "\n".join(shown(images, err))
    assert not set(text) & set("\x1b\x07\r")
    assert "[red]x" in text


def test_records_are_json_with_all_numbers_and_the_summary_last() -> None:
    images = data(LABELS, same=[(0, 1)])
    *findings, summary = records(Checked(examination=look(images), page=Path("out/data.html")))
    assert [finding["code"] for finding in findings] == ["conflicting-labels"]
    first = json.loads(json_line(findings[0]))
    assert first["event"] == "Finding"
    assert first["counts"] == {"distinct": 1, "images": 2}
    assert [sample["label"] for sample in first["examples"][0]] == ["cat", "dog"]
    last = json.loads(json_line(summary))
    found = (last["event"], last["n"], last["n_findings"], last["worthless"])
    assert found == ("CheckEnded", 40, 1, [])
    assert last["page"] == "out/data.html"
