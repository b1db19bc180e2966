"""Files that are not what they seem, and images without content."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.data.samples import make_card, random_images, write_folders
from tuner.data.load import load_images
from tuner.doctor.pixel_checks import constant_rows

from .samples import codes, data, find, look, origins

LABELS = [0, 1] * 20


def test_ordinary_files_and_rows_of_a_csv_give_no_finding() -> None:
    assert codes(data(LABELS, files={})) == []
    assert codes(data(LABELS, files=None)) == []


@pytest.mark.parametrize(
    ("name", "file_format", "is_wrong"),
    [
        ("a.png", "JPEG", True),
        ("a.jpg", "GIF", True),
        ("a.jpg!d", "JPEG", True),
        ("a.JPEG", "JPEG", False),
        ("a.tif", "TIFF", False),
        ("a", "PNG", False),
    ],
)
def test_wrong_suffixes_are_named_with_the_format(
    name: str, file_format: str, is_wrong: bool
) -> None:
    images = data(LABELS, files={3: {"format": file_format}}, names={3: f"cat/{name}"})
    assert ("wrong-suffix" in codes(images)) is is_wrong
    if is_wrong:
        found = find(images, "wrong-suffix")
        assert found.summary == "1 of 40 files is named with the suffix of another format."
        assert [(s.origin, s.note) for (s,) in found.examples] == [
            (f"cat/{name}", f"is {file_format}")
        ]


def test_odd_modes_are_counted_by_kind() -> None:
    modes = {0: "P", 1: "RGBA", 2: "LA", 3: "CMYK", 4: "I;16B", 5: "1", 6: "L", 7: "HSV"}
    found = find(data(LABELS, files={i: {"mode": mode} for i, mode in modes.items()}), "odd-mode")
    assert (
        found.summary == "7 of 40 files are neither 8-bit grey nor 8-bit RGB: "
        "transparency (2), palette (1), CMYK (1), 16 or 32 bits (1), 1 bit (1), HSV (1)."
    )
    assert found.examples[1][0].note == "transparency (RGBA)"


@pytest.mark.parametrize(
    ("facts", "code", "severity", "note"),
    [
        ({"is_rotated": True}, "exif-rotated", "info", "EXIF rotation"),
        ({"is_animated": True}, "animated", "warning", "several frames"),
        ({"width": 7, "height": 9}, "tiny-image", "warning", "7 x 9"),
        ({"width": 7360, "height": 4912}, "huge-image", "info", "7360 x 4912"),
        ({"width": 100, "height": 40}, "stretched", "warning", "100 x 40"),
        ({"width": 40, "height": 100, "is_rotated": True}, "stretched", "warning", "40 x 100"),
    ],
)
def test_odd_files_are_found(facts: dict[str, Any], code: str, severity: str, note: str) -> None:
    found = find(data(LABELS, files={5: facts}), code)
    assert (found.severity, found.examples[0][0].origin, found.examples[0][0].note) == (
        severity,
        "005.jpg",
        note,
    )


def test_files_as_small_as_the_images_are_not_tiny() -> None:
    assert codes(data(LABELS, files={5: {"width": 8, "height": 8}})) == []


def test_unreadable_files_are_named_with_the_reason() -> None:
    found = find(
        data(LABELS, unreadable=("cat/a: b.png: not an image", "dog/c.png: damaged image")),
        "unreadable",
    )
    assert (
        found.summary
        == "2 of 42 files (4.8 %) cannot be read: not an image (1), damaged image (1)."
    )
    assert [(s.origin, s.note, s.index) for (s,) in found.examples] == [
        ("cat/a: b.png", "not an image", None),
        ("dog/c.png", "damaged image", None),
    ]


@pytest.mark.parametrize(("n", "severity"), [(40, "warning"), (41, "error")])
def test_more_unreadable_than_readable_files_make_results_worthless(n: int, severity: str) -> None:
    assert (
        find(data(LABELS, unreadable=("x.png: not an image",) * n), "unreadable").severity
        == severity
    )


def test_policy_to_fail_makes_unreadable_files_an_error() -> None:
    images = data(LABELS, unreadable=("cat/a.png: not an image",))
    left_out = find(images, "unreadable")
    assert (left_out.severity, left_out.meaning[:18]) == ("warning", "They are left out.")
    refused = find(images, "unreadable", policies={"unreadable": "fail"})
    assert (refused.severity, refused.meaning) == (
        "error",
        "A run refuses this data, as the card requires.",
    )
    assert (
        refused.advice == "replace or delete them, or set policies.unreadable to skip in the card."
    )


def test_images_of_a_single_colour_are_found_and_worthless_if_all_are() -> None:
    images = data(LABELS)
    images.images[[3, 7]] = np.array([0, 200], dtype=np.uint8).reshape(2, 1, 1, 1)
    found = find(images, "constant-images")
    assert (found.severity, found.summary) == ("warning", "2 of 40 images are of a single colour.")
    assert origins(found) == [["003.jpg"], ["007.jpg"]]
    images.images[:] = 9
    assert find(images, "constant-images").severity == "error"


def test_streamed_images_are_examined_for_copies_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNER_CACHE_LIMIT", "100B")
    write_folders(tmp_path / "photos", {"cat": 12, "dog": 12})
    # Other bytes with the same pixels.
    with Image.open(tmp_path / "photos/cat/0.png") as image:
        image.save(tmp_path / "photos/cat/copy.bmp")
    photos = make_card({"type": "class_folders", "path": "photos"}, channels=3)
    found = {finding.code: finding for finding in look(load_images(photos, tmp_path)).findings}
    assert found["copies"].summary == "25 images, 24 distinct; 1 copy."
    assert (
        found["not-examined"].summary
        == "There are too many images for the cache, so the check skipped near copies and images"
        " of a single colour. It did look for images with the same pixels."
    )


def test_one_line_or_one_channel_of_a_single_value_is_no_constant_image() -> None:
    images = random_images(3, size=8, channels=3)
    images[0, 4] = 7
    images[1, ..., 0] = 7
    images[2] = [10, 20, 30]
    assert constant_rows(images).tolist() == [2]


def test_values_of_tables_and_arrays_that_were_no_bytes_are_told() -> None:
    finding = find(data(LABELS, files=None, value_range=(0.0, 4095.0)), "rescaled-values")
    assert finding.summary == "Values of 0 to 4,095 were scaled to 0 to 255, all in the same way."
    assert finding.severity == "info"
