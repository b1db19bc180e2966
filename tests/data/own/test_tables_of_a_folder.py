"""Folders of tables: each is a part, or accounted for."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.data.own.pixel_tables import LABELS, NUMBERED, left_out, load, refused, wide_text
from tests.data.samples import write_fer


def test_unlabelled_table_of_a_folder_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "fer"
    folder.mkdir()
    write_fer(folder / "train.csv", LABELS)
    (folder / "test.csv").write_text("pixels\n" + (" ".join("7" * 16) + "\n") * 3)
    (folder / "README.md").write_text("faces")
    loaded = load(folder)
    assert (len(loaded.labels), set(loaded.parts.tolist())) == (6, {""})
    assert left_out(loaded) == [
        '1 file left out, tables without the column "emotion": test.csv (3 rows)',
        "1 file left out, not tables that are read: README.md",
    ]


def test_table_called_like_that_of_a_part_is_accounted_for(tmp_path: Path) -> None:
    for name in ("train/data.csv", "test/data.csv", "data.csv"):
        (tmp_path / "fer" / name).parent.mkdir(parents=True, exist_ok=True)
        write_fer(tmp_path / "fer" / name, LABELS)
    (tmp_path / "fer/data.csv").write_text("id\n1\n")
    assert left_out(load(tmp_path / "fer")) == [
        '1 file left out, tables without the column "emotion": data.csv (1 row)'
    ]


@pytest.mark.parametrize(
    "names",
    [
        ("train.csv", "test.csv"),
        ("sign_mnist_train.csv", "sign_mnist_test.csv"),
        ("mnist-train.csv.gz", "mnist-test.csv.gz"),
        ("train/data.csv", "test/data.csv"),
        ("training_set/data.csv", "hold_out/data.csv"),
        ("mnist_train/data.csv", "mnist_eval/data.csv"),
    ],
)
def test_tables_of_a_folder_may_be_parts(tmp_path: Path, names: tuple[str, str]) -> None:
    for name in names:
        path = tmp_path / "mnist" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = wide_text(f"label,{NUMBERED}").encode()
        path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    loaded = load(tmp_path / "mnist")
    assert loaded.parts.tolist() == ["train"] * 6 + ["test"] * 6
    assert loaded.left_out == ()
    assert len(set(loaded.origins)) == 12


def test_tables_of_a_folder_that_are_no_parts_are_asked_about(tmp_path: Path) -> None:
    (tmp_path / "both").mkdir()
    for name in ("a.csv", "b.csv"):
        write_fer(tmp_path / "both" / name, LABELS)
    error = refused(tmp_path / "both")
    assert (
        error.message == f"{tmp_path / 'both'}: it holds 2 tables of labelled images, a.csv, b.csv"
    )
    assert error.hint == "call them train.csv, validation.csv and test.csv; or give one of them."
