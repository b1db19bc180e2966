"""Tables of pixels as people download them: each is read, or refused with a hint that fits."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.data.own.pixel_tables import LABELS, NUMBERED, PIXELS, fer_text, load, refused
from tests.data.samples import write_fer
from tuner.data.own.resolve import resolve


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".TAB"])
def test_columns_may_be_separated_by_what_is_usual(
    tmp_path: Path, delimiter: str, suffix: str
) -> None:
    (tmp_path / f"x{suffix}").write_text(fer_text(delimiter=delimiter))
    loaded = load(tmp_path / f"x{suffix}")
    np.testing.assert_array_equal(loaded.images, PIXELS)
    assert loaded.labels.tolist() == LABELS


def test_delimiter_within_quotes_separates_nothing(tmp_path: Path) -> None:
    labels = ['"a;b,c|d"', '"e;f,g|h"'] * 3
    (tmp_path / "x.csv").write_text(fer_text(labels, ";").replace("kind", '"kind, of; it"'))
    assert load(tmp_path / "x.csv").class_names == ("a;b,c|d", "e;f,g|h")


def test_two_delimiters_that_would_do_are_refused(tmp_path: Path) -> None:
    rows = "\n".join("a;1|2" for _ in range(5))
    (tmp_path / "x.csv").write_text(f"kind;x|pixels\n{rows}\n")
    error = refused(tmp_path / "x.csv")
    assert error.message == "x.csv: its columns may be separated by semicolon or bar"
    assert error.hint == "separate them by commas, and put text that holds one in double quotes."


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: "\ufeff".encode("utf-16-be") + text.encode("utf-16-be"),
        lambda text: text.encode("utf-32"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: text.rstrip("\n").encode(),
        lambda text: text.replace("\n", "\n\n").encode(),
    ],
    ids="BOM,UTF-16,big-endian,UTF-32,Windows,old Mac,no last line end,blank lines".split(","),  # noqa: SIM905
)
def test_text_may_be_written_as_programs_do(tmp_path: Path, encode: Callable[[str], bytes]) -> None:
    (tmp_path / "x.csv").write_bytes(encode(fer_text(["Käse", "Brot"] * 3)))
    assert load(tmp_path / "x.csv").class_names == ("Brot", "Käse")


def test_text_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(fer_text(["Käse", "Brot"] * 3).encode("latin-1"))
    error = refused(tmp_path / "x.csv")
    assert error.message == "x.csv: cannot be read: it is not CSV text in UTF-8"
    assert error.hint.endswith("text in Latin-1 or another encoding: iconv -f latin1 -t utf-8.")


@pytest.mark.parametrize(
    ("suffix", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)]
)
def test_packed_tables_are_read_and_damaged_ones_named(
    tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / f"x.csv{suffix}"
    path.write_bytes(pack(fer_text().encode()))
    np.testing.assert_array_equal(load(path).images, PIXELS)
    assert resolve(str(path), [], tmp_path).name == "x"
    path.write_bytes(path.read_bytes()[:-20])
    assert refused(path).message == f"x.csv{suffix}: cannot be read: the compressed file is damaged"


def test_zipped_tables_are_read(tmp_path: Path) -> None:
    for name in ("x.csv", "x.tsv"):
        path = tmp_path / f"{name}.zip"
        with zipfile.ZipFile(path, "w") as file:
            file.writestr(name, fer_text())
        np.testing.assert_array_equal(load(path).images, PIXELS)
        assert resolve(str(path), [], tmp_path / "data").name == "x"


def test_packed_table_that_unpacks_to_far_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuner.data.tables.table._FREE_BYTES", 1000)
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(b"kind,pixels\n" + b"0" * 1_000_000))
    assert "more than 200 times its size" in refused(tmp_path / "x.csv.gz").message


@pytest.mark.parametrize(
    "between",
    [" ", "  ", ",", ", ", ";", "\n"],
    ids=["blank", "two", "comma", "both", "semicolon", "line"],
)
@pytest.mark.parametrize("around", ["{}", "[{}]", "[[{}]]", " {} "])
def test_values_of_one_field_may_be_a_list(tmp_path: Path, between: str, around: str) -> None:
    rows = [around.format(between.join(map(str, image.ravel()))) for image in PIXELS]
    lines = [f'{label},"{row}"' for label, row in zip(LABELS, rows, strict=True)]
    (tmp_path / "x.csv").write_text("\n".join(["label,pixels", *lines]))
    np.testing.assert_array_equal(load(tmp_path / "x.csv").images, PIXELS)


@pytest.mark.parametrize(
    ("values", "value_range"),
    [
        (lambda image: [f"{value}.0" for value in image], None),
        (lambda image: [f"{value:.3e}" for value in image], None),
        (lambda image: [repr(value / 255) for value in image], (0.0, 1.0)),
        (lambda image: [f"{value / 127.5 - 1:.6f}" for value in image], (-1.0, 1.0)),
        # A single image of whole numbers does not have a rule of its own.
        (
            lambda image: image if image[0] == PIXELS[1].ravel()[0] else [f"{v}.0" for v in image],
            None,
        ),
    ],
    ids=["248.0", "2.48e2", "0..1", "-1..1", "mixed"],
)
def test_fractions_are_brought_to_bytes_by_one_rule(
    tmp_path: Path,
    values: Callable[[list[int]], list[object]],
    value_range: tuple[float, float] | None,
) -> None:
    rows = [" ".join(map(str, values(image.ravel().tolist()))) for image in PIXELS]
    lines = [f"{label},{row}" for label, row in zip(LABELS, rows, strict=True)]
    (tmp_path / "x.csv").write_text("\n".join(["label,pixels", *lines]))
    for _ in range(2):  # decoded, then from the cache
        loaded = load(tmp_path / "x.csv")
        np.testing.assert_array_equal(loaded.images, PIXELS)
        assert loaded.value_range == value_range


def test_dark_image_does_not_get_a_scale_of_its_own(tmp_path: Path) -> None:
    rows = ["0," + " ".join(["0.1"] * 16), "1," + " ".join(["1.0"] * 16)] * 2
    (tmp_path / "x.csv").write_text("\n".join(["label,pixels", *rows]))
    assert load(tmp_path / "x.csv").images[:, 0, 0, 0].tolist() == [26, 255, 26, 255]


@pytest.mark.parametrize("word", ["nan", "inf", "abc", "1,5"])
def test_what_is_no_number_among_fractions_is_named(tmp_path: Path, word: str) -> None:
    lines = fer_text().replace("kind", "label").splitlines()
    lines[1] = "0," + " ".join(["0.5"] * 16)
    lines[3] = f'0,"{word} {" ".join(["1.0"] * 15)}"'
    (tmp_path / "x.csv").write_text("\n".join(lines))
    assert (
        refused(tmp_path / "x.csv").message
        == f'x.csv, line 4: pixel 1 is "{word}"; expected a number'
    )


def test_whole_numbers_above_a_byte_are_refused_with_what_a_card_may_state(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(f"label,pixels\n0,{' '.join(['4095'] * 16)}\n1,{'7 ' * 16}\n")
    error = refused(tmp_path / "x.csv")
    assert (
        error.message == 'x.csv, line 2: pixel 1 is "4095"; expected a whole number from 0 to 255'
    )
    assert error.hint.endswith("states value_range under image, such as [0, 65535].")


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["train", "val", "test"], ["train", "validation", "test"]),
        (["TRAIN", "Valid", "TEST"], ["train", "validation", "test"]),
        (["Training", "PublicTest", "PrivateTest"], ["train", "validation", "test"]),
        (["training", "publictest", "privatetest"], ["train", "validation", "test"]),
        (["Train", "dev", "hold-out"], ["train", "validation", "test"]),
        (["train", "train", "test"], ["train", "train", "test"]),
    ],
)
@pytest.mark.parametrize("column", ["Usage", "usage", "split", "Set", "data set"])
def test_parts_may_be_called_as_is_usual(
    tmp_path: Path, words: list[str], parts: list[str], column: str
) -> None:
    write_fer(tmp_path / "x.csv", LABELS, words * 2)
    text = (tmp_path / "x.csv").read_text().replace("Usage", column)
    (tmp_path / "x.csv").write_text(text)
    assert load(tmp_path / "x.csv").parts.tolist() == parts * 2


@pytest.mark.parametrize(
    "words", [["0", "1", "2"], ["train", "val", "validation"], ["a", "b", "a"]]
)
def test_parts_that_nothing_tells_are_asked_about(tmp_path: Path, words: list[str]) -> None:
    write_fer(tmp_path / "x.csv", LABELS, words * 2)
    error = refused(tmp_path / "x.csv")
    shown = ", ".join(f'"{word}"' for word in sorted(set(words)))
    assert (
        error.message
        == f'x.csv: the column "Usage" holds {shown}; expected train, validation or test'
    )
    assert error.hint.startswith("write a card that names the parts under splits, such as splits: ")


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["Happy", "SAD"] * 3, ("happy", "sad")),
        (["Sad", "Angry"] * 3, ("angry", "sad")),
        (["neutral", "contempt"] * 3, ("neutral", "contempt")),
        (["Happiness", "Sadness"] * 3, ("Happiness", "Sadness")),
        ([6, 3] * 3, ("happy", "neutral")),
        (["happy", "Happy", "sad"] * 2, ("happy", "sad")),
    ],
)
def test_emotions_keep_fers_order_in_any_case(
    tmp_path: Path, labels: list[object], names: tuple[str, ...]
) -> None:
    write_fer(tmp_path / "x.csv", labels)
    loaded = load(tmp_path / "x.csv")
    assert loaded.class_names == names
    assert len(loaded.labels) == 6


def test_headings_may_have_blanks(tmp_path: Path) -> None:
    write_fer(
        tmp_path / "icml_face_data.csv", LABELS, ["Training", "PublicTest", "PrivateTest"] * 2
    )
    lines = (tmp_path / "icml_face_data.csv").read_text().splitlines()
    lines[0] = "emotion, pixels, Usage"
    (tmp_path / "icml_face_data.csv").write_text("\n".join(lines))
    loaded = load(tmp_path / "icml_face_data.csv")
    assert loaded.class_names == ("angry", "disgust")
    assert loaded.parts.tolist() == ["train", "validation", "test"] * 2


def test_table_without_labels_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "test.csv").write_text("pixels\n" + " ".join("7" * 16) + "\n")
    (tmp_path / "mnist.csv").write_text(f"{NUMBERED}\n{','.join('7' * 16)}\n")
    for name in ("test.csv", "mnist.csv"):
        error = refused(tmp_path / name)
        assert error.message.startswith(f"{name}: it has pixels, but no column of labels; found ")
        assert error.hint == "give the table that has labels, such as train.csv."


def test_numeric_classes_are_in_numeric_order(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(fer_text([10, 9, "-1", 2, "1.5", 10]))
    assert load(tmp_path / "x.csv").class_names == ("-1", "1.5", "2", "9", "10")
