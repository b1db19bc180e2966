"""`datasets check` and the check before a run: findings, page and exit code."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.calling import call, write_photos
from tests.doctor.samples import card, data
from tuner.errors import DataError
from tuner.pipeline.preparation.examination import check_before_run


def test_own_folder_is_examined_and_its_page_written(tmp_path: Path) -> None:
    photos = write_photos(tmp_path / "photos", ["happy", "sad"])
    shutil.copy(photos / "happy" / "03.png", photos / "sad" / "copy.jpg")
    done = call("datasets", "check", "photos", "--out", "out", cwd=tmp_path)
    assert (done.code, done.out) == (0, "out/photos/data.html\n")
    assert "1 distinct image (2 images in all, 3.9 %) carries more than one label." in " ".join(
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
        "  Fix: add images of it, or leave the class out.",
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


def told(images: object, target: str = "tiny", **fields: object) -> list[str]:
    return check_before_run(images, card(**fields), target)  # type: ignore[arg-type]


def test_run_is_told_what_would_mislead_and_nothing_else() -> None:
    assert told(data([0, 1] * 20)) == []
    assert told(data([0, 1] * 20, same=[(0, 2)], unreadable=("x.png: not an image",))) == []
    images = data([0, 1] * 20, parts=["train"] * 20 + ["test"] * 20, same=[(0, 20)])
    assert told(images) == ["1 of 20 PrivateTest images (5.0 %) copies an image of Training"]


def test_run_is_told_at_most_four_lines() -> None:
    odd = {"width": 6, "height": 20, "is_animated": True}
    images = data(
        [0] * 32 + [1] * 8,
        parts=["train", "test"] * 20,
        same=[(0, 1)],
        near=[(2, 33)],
        files={3: odd},
    )
    lines = told(images)
    assert len(lines) == 4
    assert lines[-1].endswith("findings more: python -m tuner datasets check tiny")
    assert told(images, "../my photos")[-1].endswith(
        "findings more: python -m tuner datasets check '../my photos'"
    )


def test_run_on_worthless_data_is_refused_with_every_reason() -> None:
    images = data([0] * 20 + [1] * 2, unreadable=("x.png: not an image",) * 30)
    with pytest.raises(DataError) as refused:
        told(images)
    assert refused.value.exit_code == 4
    assert str(refused.value).splitlines() == [
        "tiny: results would be worthless:",
        "  30 of 52 files (57.7 %) cannot be read: not an image (30).",
        '  1 class with fewer than 3 distinct images: "dog" (2).',
        "  Fix: replace or delete them.",
    ]
