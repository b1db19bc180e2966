"""`datasets check`: findings, page and exit code."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.cli.calling import call, write_photos


def test_own_folder_is_examined_and_its_page_written(tmp_path: Path) -> None:
    photos = write_photos(tmp_path / "photos", ["happy", "sad"])
    shutil.copy(photos / "happy" / "03.png", photos / "sad" / "copy.jpg")
    done = call("datasets", "check", "photos", "--out", "out", cwd=tmp_path)
    assert (done.code, done.out) == (0, "out/photos/data.html\n")
    assert "1 image occurs with different labels (2 times in all, 3.9 %)." in " ".join(
        done.err.split()
    )
    assert "sad/copy.jpg (sad): is PNG" in done.err
    assert "One image, several labels" in (tmp_path / "out" / "photos" / "data.html").read_text(
        encoding="utf-8"
    )


def test_hostile_class_names_reach_terminal_and_page_as_text(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", n=4)
    done = call("datasets", "check", "photos", cwd=tmp_path)
    assert done.code == 0
    assert not set(done.err) & set("\x1b\x07")
    assert "<b>loud" not in (tmp_path / "reports" / "photos" / "data.html").read_text(
        encoding="utf-8"
    )


def test_json_has_one_line_per_finding_and_a_summary(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", ["happy", "sad"], n=4)
    done = call("datasets", "check", "photos", "--json", cwd=tmp_path)
    assert done.err == ""
    assert [(record["event"], record.get("code")) for record in done.records] == [
        ("Finding", "tiny-classes"),
        ("CheckEnded", None),
    ]
    assert done.records[-1]["page"] == "reports/photos/data.html"


def test_worthless_data_end_with_exit_code_4_after_all_is_told(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", ["happy", "sad"], n=2)
    done = call("datasets", "check", "photos", cwd=tmp_path)
    assert (done.code, done.out) == (4, "reports/photos/data.html\n")
    assert done.err.splitlines()[-3:] == [
        "photos: results would be worthless:",
        '  2 classes with fewer than 3 distinct images: "happy" (2), "sad" (2).',
        "  Fix: add images of this class, or leave the class out.",
    ]
    assert (tmp_path / "reports" / "photos" / "data.html").is_file()


def test_options_before_the_subcommand_count_too(tmp_path: Path) -> None:
    write_photos(tmp_path / "root" / "photos", ["happy", "sad"])
    done = call("datasets", "--data-dir", "root", "--json", "check", "photos", cwd=tmp_path)
    assert done.code == 0
    assert done.records[-1]["event"] == "CheckEnded"


def test_missing_data_and_unknown_names_are_told(tmp_path: Path) -> None:
    done = call("datasets", "check", "fer2013", cwd=tmp_path)
    assert done.code == 4
    assert done.err.startswith("fer2013: the data are missing")
    assert call("datasets", "check", "nowhere", cwd=tmp_path).code == 2


def test_page_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", ["happy", "sad"])
    (tmp_path / "out").write_text("")
    done = call("datasets", "check", "photos", "--out", "out", cwd=tmp_path)
    assert done.code == 2
    assert done.err.splitlines()[-1] == "  Fix: choose another folder with --out."
