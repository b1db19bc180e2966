"""Tables with a column for each value: their headings, labels and colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.data.own.pixel_tables import (
    LABELS,
    NUMBERED,
    PIXELS,
    fer_text,
    left_out,
    load,
    refused,
    wide_text,
)
from tests.data.samples import random_images


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (f"label,{NUMBERED}", "{label},{pixels}"),
        (f"{NUMBERED},label", "{pixels},{label}"),
        (f"class,{NUMBERED.upper()}", "{label},{pixels}"),
        (
            "label," + ",".join(f"{y}x{x}" for y in range(1, 5) for x in range(1, 5)),
            "{label},{pixels}",
        ),
        ("label," + ",".join(f"p_{y}_{x}" for y in range(4) for x in range(4)), "{label},{pixels}"),
        ("y," + ",".join(f"x{i}" for i in range(16)), "{label},{pixels}"),
        (",".join(map(str, range(16))) + ",label", "{pixels},{label}"),
        (",label," + ",".join(f"px{i:03}" for i in range(16)), "{i},{label},{pixels}"),
        (f"id,species,{NUMBERED}", "{i},{label},{pixels}"),
        (f"Unnamed: 0,{NUMBERED},Target", "{i},{pixels},{label}"),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_column_for_each_value_is_an_image(
    tmp_path: Path, header: str, row: str, delimiter: str
) -> None:
    (tmp_path / "x.csv").write_text(wide_text(header, row, delimiter))
    loaded = load(tmp_path / "x.csv")
    np.testing.assert_array_equal(loaded.images, PIXELS)
    assert loaded.labels.tolist() == LABELS
    assert loaded.class_names == ("0", "1")


def test_columns_that_are_no_pixels_are_named(tmp_path: Path) -> None:
    text = wide_text(f"id,label,source,{NUMBERED},patient_id", "{i},{label},web,{pixels},p{i}")
    (tmp_path / "x.csv").write_text(text)
    loaded = load(tmp_path / "x.csv")
    assert left_out(loaded) == ["2 columns left out, neither label, part nor pixels: id, source"]
    assert loaded.groups.tolist() == [f"p{i}" for i in range(6)]


@pytest.mark.parametrize(("row", "at"), [("{label},{pixels}", 0), ("{pixels},{label}", -1)])
def test_label_of_a_table_without_header_is_found(tmp_path: Path, row: str, at: int) -> None:
    text = wide_text("", row).lstrip("\n")
    (tmp_path / "x.csv").write_text(text)
    loaded = load(tmp_path / "x.csv")
    np.testing.assert_array_equal(loaded.images, PIXELS)
    assert loaded.labels.tolist() == LABELS
    assert loaded.origins[0] == "line 1"


def test_label_of_a_table_without_header_counts_its_classes(tmp_path: Path) -> None:
    rows = [
        f"{i % 3},{','.join(map(str, random_images(1, 4, 1, i).ravel()[:15]))},{(0, 0, 9)[i % 3]}"
        for i in range(9)
    ]
    (tmp_path / "x.csv").write_text("\n".join(rows))
    loaded = load(tmp_path / "x.csv")
    assert loaded.labels.tolist() == [0, 1, 2] * 3
    assert loaded.images[2, 3, 3, 0] == 9


def test_header_that_pandas_made_of_a_row_is_one(tmp_path: Path) -> None:
    header = "0," + ",".join(f"0.{i}" for i in range(1, 17))
    for first in ("0,", "label,"):
        (tmp_path / "x.csv").write_text(wide_text(header.replace("0,", first, 1)))
        assert load(tmp_path / "x.csv").labels.tolist() == LABELS


@pytest.mark.parametrize("first", ["sep=;", "SEP=;"])
def test_line_that_names_the_separator_is_no_header(tmp_path: Path, first: str) -> None:
    (tmp_path / "x.csv").write_text(f"{first}\n{fer_text(delimiter=';')}")
    loaded = load(tmp_path / "x.csv")
    np.testing.assert_array_equal(loaded.images, PIXELS)
    assert loaded.origins[0] == "line 3"


def test_lines_of_nothing_but_separators_are_blank(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(fer_text() + " , \n,\n  \n")
    assert len(load(tmp_path / "x.csv").labels) == 6


def test_table_of_images_without_header_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("\n".join(fer_text().splitlines()[1:]))
    error = refused(tmp_path / "x.csv")
    assert error.message == "x.csv: there is no header: the first line holds an image"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("x.xlsx", "save the table as CSV (UTF-8)."),
        ("x.mat", "read it in Python, and save the arrays: "),
    ],
)
def test_files_of_another_kind_get_the_hint_that_fits(tmp_path: Path, name: str, hint: str) -> None:
    (tmp_path / name).write_bytes(b"1")
    error = refused(tmp_path / name)
    assert error.message == f"{tmp_path / name}: this kind of file is not supported"
    assert error.hint.startswith(hint)


def test_table_without_header_whose_label_is_not_clear_is_refused(tmp_path: Path) -> None:
    rows = "\n".join(f"{i % 2},{','.join('7' * 15)},{i % 2}" for i in range(8))
    (tmp_path / "x.csv").write_text(rows)
    error = refused(tmp_path / "x.csv")
    assert (
        error.message
        == "x.csv: there is no header, and the label may be the first or the last of 17 columns"
    )
    assert "header: false, label_column: 0" in error.hint


def colour_rows(order: str) -> tuple[str, np.ndarray]:
    """Lines of six colour images of 4 x 4, with the channel of their values last or first."""
    images = random_images(6, 4, 3)
    rows = [image if order == "last" else image.transpose(2, 0, 1) for image in images]
    lines = [f"{i % 2},{','.join(map(str, row.ravel()))}" for i, row in enumerate(rows)]
    return "\n".join(lines) + "\n", images


@pytest.mark.parametrize(
    ("names", "order"),
    [
        ([f"{colour}{i}" for i in range(16) for colour in "rgb"], "last"),
        ([f"{colour}{i}" for colour in "RGB" for i in range(16)], "first"),
        ([f"{colour}_{i}" for colour in ("red", "green", "blue") for i in range(16)], "first"),
    ],
)
def test_colours_are_told_by_the_names_of_columns(
    tmp_path: Path, names: list[str], order: str
) -> None:
    rows, images = colour_rows(order)
    (tmp_path / "x.csv").write_text("label," + ",".join(names) + "\n" + rows)
    np.testing.assert_array_equal(load(tmp_path / "x.csv").images, images)


def test_colours_are_told_by_the_name_of_the_file(tmp_path: Path) -> None:
    rows, images = colour_rows("last")
    header = "label," + ",".join(f"pixel{i:04}" for i in range(48)) + "\n"
    (tmp_path / "hmnist_4_4_RGB.csv").write_text(header + rows)
    np.testing.assert_array_equal(load(tmp_path / "hmnist_4_4_RGB.csv").images, images)


def test_as_many_values_as_a_colour_image_has_are_asked_about(tmp_path: Path) -> None:
    rows, _ = colour_rows("last")
    (tmp_path / "x.csv").write_text(
        "label," + ",".join(f"pixel{i}" for i in range(48)) + "\n" + rows
    )
    error = refused(tmp_path / "x.csv")
    assert error.message == "x.csv, line 2: it has 48 pixels: as many as 4 x 4 in colour"
    assert (
        error.hint
        == "write a card: files: {type: pixel_columns, path: FILE, ...}, channels_first: true where"
        " all red values come first; image: {height: 4, width: 4, channels: 3}."
    )


@pytest.mark.parametrize("nothing", ["", " ", "nan", "?"])
def test_rows_without_a_label_are_left_out_and_counted(tmp_path: Path, nothing: str) -> None:
    (tmp_path / "x.csv").write_text(fer_text(["a", "b", nothing, "a", nothing, "b"]))
    for _ in range(2):  # decoded, then from the cache
        loaded = load(tmp_path / "x.csv")
        np.testing.assert_array_equal(loaded.images, PIXELS[[0, 1, 3, 5]])
        assert loaded.class_names == ("a", "b")
        assert left_out(loaded) == ["2 rows left out, without a label: line 4, line 6"]
