"""What the fuzzing of the loaders once found, each as a small test of its own."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from tests.data.samples import make_card, write_fer, write_folders
from tuner.data.labels import plain_label
from tuner.data.load import load_images
from tuner.data.own.resolve import resolve
from tuner.errors import DataError


def refused(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        load_images(resolve(str(path), [], path.parent), path.parent)
    assert caught.value.hint
    return caught.value.message


def test_label_of_very_many_digits_is_shown_in_part(tmp_path: Path) -> None:
    write_fer(tmp_path / "x.csv", ["9" * 10_000, 1])
    assert (
        refused(tmp_path / "x.csv")
        == f'x.csv, line 2: the label is "{"9" * 57}..."; expected 0 to 6'
    )


@pytest.mark.parametrize(
    ("label", "plain"), [("007", "7"), ("000", "0"), (" 3.0 ", "3"), ("0" * 9000 + "1", "1")]
)
def test_numbers_as_labels_lose_what_says_nothing(label: str, plain: str) -> None:
    assert plain_label(label) == plain


def test_text_much_longer_than_an_image_is_not_parsed_to_its_end(tmp_path: Path) -> None:
    lines = write_fer(tmp_path / "x.csv", [0, 1])
    lines[2] = f'1,"{"7 " * 100_000}"'
    (tmp_path / "x.csv").write_text("\n".join(lines))
    assert (
        refused(tmp_path / "x.csv")
        == "x.csv, line 3: it has more than 16 pixels; expected 16 (4 x 4)"
    )


def test_images_of_a_csv_that_are_too_large_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(f"emotion,pixels\n0,{'7 ' * 2100**2}\n")
    message = "x.csv, line 2: images are 2,100 x 2,100; expected 4 to 2,048 pixels a side"
    assert refused(tmp_path / "x.csv") == message


def test_table_of_very_many_columns_is_refused_by_their_number(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("," * 200_000)
    assert refused(tmp_path / "x.csv") == "x.csv: it has 200,001 columns; expected at most 200,000"


@pytest.mark.parametrize(("height", "width"), [(2, 2), (1, 5000)])
def test_images_of_an_npz_that_are_too_large_or_small_are_refused(
    tmp_path: Path, height: int, width: int
) -> None:
    np.savez(tmp_path / "x.npz", x=np.zeros((2, height, width), np.uint8), y=[0, 1])
    message = f"x.npz: images are {height:,} x {width:,}; expected 4 to 2,048 pixels a side"
    assert refused(tmp_path / "x.npz") == message


def test_header_that_nests_is_refused(tmp_path: Path) -> None:
    header = b"(" * 5000 + b"\n"
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as file:
        file.writestr("x.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
    assert refused(tmp_path / "x.npz") == "x.npz: it is not an NPZ of plain arrays"


def test_image_of_millions_of_rows_is_skipped(tmp_path: Path) -> None:
    write_folders(tmp_path / "photos", {"cat": 1, "dog": 1})
    header = b"IHDR" + struct.pack(">IIBBBBB", 1, 40_000_000, 1, 0, 0, 0, 0)
    png = (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + header
        + struct.pack(">I", zlib.crc32(header))
    )
    rows = b"IDAT" + zlib.compress(bytes(2))
    png += struct.pack(">I", len(rows) - 4) + rows + struct.pack(">I", zlib.crc32(rows))
    (tmp_path / "photos/cat/long.png").write_bytes(png)
    loaded = load_images(
        make_card({"type": "class_folders", "path": "photos"}, channels=3), tmp_path
    )
    assert loaded.unreadable == ("cat/long.png: a side of more than 65,535 pixels",)
