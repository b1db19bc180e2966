"""What class folders say of their files, beside the pixels."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.samples import make_card, random_images, write_folders
from tuner.data.decoding import one_scale
from tuner.data.decoding.decode import UnreadableImageError
from tuner.data.decoding.file_facts import FileFacts
from tuner.data.decoding.image_settings import ImageSettings
from tuner.data.load import load_images


def test_facts_stand_beside_the_images_that_were_kept(tmp_path: Path) -> None:
    write_folders(tmp_path / "photos", {"cat": 2, "dog": 2})
    (tmp_path / "photos/cat/0.png").write_text("no image")
    Image.new("CMYK", (30, 20)).save(tmp_path / "photos/dog/0.png", format="JPEG")
    card = make_card({"type": "class_folders", "path": "photos"}, channels=3)
    for _ in range(2):  # decoded, then from the cache
        loaded = load_images(card, tmp_path)
        assert [facts.format for facts in loaded.files] == ["PNG", "JPEG", "PNG"]
        assert loaded.files[1] == FileFacts(
            format="JPEG",
            mode="CMYK",
            width=30,
            height=20,
            is_animated=False,
            is_rotated=False,
        )


def test_file_that_could_not_be_read_for_once_is_read_by_the_next_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folders(tmp_path / "photos", {"cat": 2, "dog": 2})
    card = make_card({"type": "class_folders", "path": "photos"}, channels=3)
    with monkeypatch.context() as patch:
        decode = one_scale.decode_or_measure

        def fail(path: Path, settings: ImageSettings) -> tuple[np.ndarray | None, FileFacts]:
            if path.match("cat/0.png"):
                raise UnreadableImageError("Input/output error", is_passing=True)
            return decode(path, settings)

        patch.setattr(one_scale, "decode_or_measure", fail)
        loaded = load_images(card, tmp_path)
        assert loaded.unreadable == ("cat/0.png: Input/output error",)
        assert loaded.images[:].shape == (3, 4, 4, 3)
    assert load_images(card, tmp_path).unreadable == ()


def test_sources_that_are_no_image_files_have_no_facts(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=random_images(4), y=[0, 1, 0, 1])
    assert load_images(make_card({"type": "npz", "path": "a.npz"}), tmp_path).files == ()


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (r"series(\d)", ["1", "2", "", "1"]),
        (r"series\d", ["series1", "series2", "", "series1"]),
        (r"^(cat)/|/x", ["cat", "cat", "cat", ""]),
        (None, ["", "", "", ""]),
    ],
)
def test_groups_are_what_the_rule_finds_below_the_part(
    tmp_path: Path, rule: str | None, expected: list[str]
) -> None:
    root = tmp_path / "photos"
    for number, name in enumerate(["cat/series1-a", "cat/series2-a", "cat/x", "dog/series1/b"]):
        for part in ("one", "two"):
            path = root / part / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(random_images(1, 4, 3, number)[0]).save(path)
    splits = {"train": "one", "test": "two", "group": rule}
    card = make_card({"type": "class_folders", "path": "photos"}, channels=3, splits=splits)
    assert load_images(card, tmp_path).groups.tolist() == expected * 2


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="file names are Unicode there")
def test_group_of_a_name_that_is_not_utf_8_can_be_written_and_stays_a_group_of_its_own(
    tmp_path: Path,
) -> None:
    write_folders(tmp_path / "photos", {"cat": 3, "dog": 3})
    for old, new in (("0", b"an\xe9-1"), ("1", b"an\xe9-2"), ("2", b"an\xe8-1")):
        (tmp_path / f"photos/cat/{old}.png").rename(
            tmp_path / "photos/cat" / os.fsdecode(new + b".png")
        )
    card = make_card(
        {"type": "class_folders", "path": "photos"}, channels=3, splits={"group": r"/([^-]+)-"}
    )
    for _ in range(2):  # decoded, then from the cache
        groups = load_images(card, tmp_path).groups.tolist()
        assert groups == ["an\\xe8", "an\\xe9", "an\\xe9", "", "", ""]
        assert all(group.encode() for group in groups if group)


def test_another_rule_is_noticed(tmp_path: Path) -> None:
    write_folders(tmp_path / "photos", {"cat": 2, "dog": 2})
    for rule, expected in (
        ("cat|dog", ["cat", "cat", "dog", "dog"]),
        (r"\d", ["0", "1", "0", "1"]),
    ):
        card = make_card(
            {"type": "class_folders", "path": "photos"}, channels=3, splits={"group": rule}
        )
        assert load_images(card, tmp_path).groups.tolist() == expected
