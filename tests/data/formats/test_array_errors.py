"""Mistakes in arrays, and in CSV files of them, end in a message that says how to fix it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.data.formats.good_cards import GOOD, fer_card
from tests.data.samples import make_card, random_images, write_fer
from tuner.data.arrays import array_checks, array_file, array_labels, array_values
from tuner.data.load import load_images
from tuner.errors import DataError


def test_bad_row_of_an_array_csv_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("1,2,3\n")
    (tmp_path / "y.csv").write_text("0\n")
    card = make_card({"type": "array_csv", "train_images": "x.csv", "train_labels": "y.csv"})
    with pytest.raises(DataError) as caught:
        load_images(card, tmp_path)
    assert caught.value.message == "x.csv, line 1: it has 3 pixels; expected 16 (4 x 4)"


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a": [1]}, "a.npz: expected the arrays x_train and y_train, or x and y; found a (1)"),
        (
            {"x": np.zeros((2, 17)), "y": [0, 1]},
            (
                "a.npz, x: the shape is 2 x 17; expected n x height x width, or that x 1, 3 or 4"
                " channels"
            ),
        ),
        (
            {"x": np.zeros((2, 5, 5), "u1"), "y": [0, 1]},
            "a.npz, x: images are 5 x 5 x 1; expected 4 x 4 x 1",
        ),
        ({"x": np.zeros((2, 4, 4), "u1"), "y": [0]}, "a.npz: x has 2 images, but y has 1 labels"),
        (
            {"x": np.full((2, 4, 4), np.nan), "y": [0, 1]},
            "a.npz, x: the values reach from nan to nan; expected numbers",
        ),
    ],
)
def test_unusable_arrays_are_explained(
    tmp_path: Path, arrays: dict[str, object], message: str
) -> None:
    np.savez(tmp_path / "a.npz", **{name: np.asarray(array) for name, array in arrays.items()})
    with pytest.raises(DataError) as caught:
        load_images(make_card({"type": "npz", "path": "a.npz"}), tmp_path)
    assert caught.value.message == message


def test_labels_of_endless_text_are_refused_by_their_header(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=random_images(2), y=np.zeros(2, dtype="<U5000"))
    with pytest.raises(DataError) as caught:
        load_images(make_card({"type": "npz", "path": "a.npz"}), tmp_path)
    assert (
        caught.value.message
        == "a.npz, y: labels are of type <U5000; expected whole numbers or short text"
    )


def test_rows_of_more_labels_than_anything_has_classes_are_refused_by_their_header(
    tmp_path: Path,
) -> None:
    np.savez(tmp_path / "a.npz", x=random_images(2), y=np.eye(2, 65_537, dtype="u1"))
    with pytest.raises(DataError) as caught:
        load_images(make_card({"type": "npz", "path": "a.npz"}), tmp_path)
    message = "a.npz, y: 65,537 labels for each image; at most 65,536 can be read"
    assert caught.value.message == message


@pytest.mark.parametrize(
    "labels", [np.zeros(2, dtype="M8[s]"), np.zeros(2, dtype="u1,u1"), np.zeros(2, dtype="c16")]
)
def test_labels_that_are_neither_numbers_nor_text_are_refused(
    tmp_path: Path, labels: np.ndarray
) -> None:
    np.savez(tmp_path / "a.npz", x=random_images(2), y=labels)
    with pytest.raises(
        DataError,
        match=r"^a\.npz, y: labels are of type .*; expected whole numbers or short text\n",
    ):
        load_images(make_card({"type": "npz", "path": "a.npz"}), tmp_path)


def test_large_arrays_in_fortrans_order_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = random_images(10)
    np.savez(tmp_path / "a.npz", x=np.asfortranarray(x), y=np.arange(10) % 2)
    card = make_card({"type": "npz", "path": "a.npz"})
    monkeypatch.setattr(array_checks, "MOST_BY_COLUMNS_BYTES", 100)
    with pytest.raises(DataError) as caught:
        load_images(card, tmp_path)
    message = "a.npz, x: it takes 0.0 GB in Fortran's order; at most 1e-07 GB can be read so"
    assert caught.value.message == message
    assert caught.value.hint == "save it by rows: numpy.ascontiguousarray(x)."
    monkeypatch.setattr(array_checks, "MOST_BY_COLUMNS_BYTES", 160)
    np.testing.assert_array_equal(load_images(card, tmp_path).images, x)


@pytest.mark.parametrize("block_bytes", [1, 40, 10**6])
@pytest.mark.parametrize("arrange", [np.ascontiguousarray, np.asfortranarray])
def test_arrays_are_read_in_blocks_of_limited_size(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    block_bytes: int,
    arrange: Callable[[np.ndarray], np.ndarray],
) -> None:
    monkeypatch.setattr(array_file, "_BLOCK_BYTES", block_bytes)
    x, lengths, blocks = random_images(10), [], array_file.blocks

    def watched(values: np.ndarray) -> Iterator[np.ndarray]:
        for block in blocks(values):
            lengths.append(block.nbytes)
            yield block

    for user in (array_labels, array_values):
        monkeypatch.setattr(user, "blocks", watched)
    np.savez(tmp_path / "a.npz", x=arrange(x), y=np.arange(10) % 2)
    loaded = load_images(make_card({"type": "npz", "path": "a.npz"}), tmp_path)
    np.testing.assert_array_equal(loaded.images, x)
    assert loaded.labels.tolist() == [0, 1] * 5
    assert max(lengths) == {1: 16, 40: 40, 10**6: 160}[block_bytes]


@pytest.mark.parametrize("dtype", ["<U5", ">U5", "S5"])
def test_text_labels_are_read_in_every_byte_order_and_as_bytes(tmp_path: Path, dtype: str) -> None:
    np.savez(tmp_path / "a.npz", x=random_images(4), y=np.array(["cat", "dog"] * 2, dtype=dtype))
    assert load_images(make_card({"type": "npz", "path": "a.npz"}), tmp_path).class_names == (
        "cat",
        "dog",
    )


@pytest.mark.parametrize(
    "labels",
    [
        np.array([0xFFFFFFFF, 65], dtype="<u4").view("<U1"),
        np.array([65, 0xD800], dtype="<u4").view("<U1"),
        np.array([b"caf\xe9", b"bar"]),
    ],
    ids=["no code point", "half a pair", "no UTF-8"],
)
def test_labels_that_are_no_text_are_refused(tmp_path: Path, labels: np.ndarray) -> None:
    np.savez(tmp_path / "a.npz", x=random_images(2), y=labels)
    with pytest.raises(DataError) as caught:
        load_images(make_card({"type": "npz", "path": "a.npz"}), tmp_path)
    assert caught.value.message == "a.npz, y: a label is not valid text"
    assert caught.value.hint == "save whole numbers as labels, or text in UTF-8."


def test_blank_lines_of_an_array_csv_count_in_the_numbers_of_lines(tmp_path: Path) -> None:
    row = GOOD.replace(" ", ",")
    (tmp_path / "x.csv").write_text(f"\n{row}\n \n{row}\n")
    (tmp_path / "y.csv").write_text("0\n\n\n1\x0b\n")
    card = make_card(
        {"type": "array_csv", "train_images": "x.csv", "train_labels": "y.csv"},
        class_names=["a", "b"],
    )
    assert load_images(card, tmp_path).origins == ("x.csv, line 2", "x.csv, line 4")
    (tmp_path / "y.csv").write_text("0\n\n\n7\n")
    with pytest.raises(DataError) as caught:
        load_images(card, tmp_path)
    assert caught.value.message == 'y.csv, line 4: the label is "7"; expected 0 to 1'


def test_text_behind_the_pixels_is_refused_by_every_version_of_numpy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def old(text: str, **options: object) -> np.ndarray:
        warnings.warn(
            "string or file could not be read to its end", DeprecationWarning, stacklevel=2
        )
        return np.full(16, 7)

    write_fer(tmp_path / "fer.csv", [0, 1])
    path = tmp_path / "fer.csv"
    path.write_text(f'emotion,pixels\n0,"{GOOD} x"\n1,"{GOOD}"\n')
    for parser in (np.fromstring, old):
        monkeypatch.setattr(np, "fromstring", parser)
        with pytest.raises(DataError) as caught:
            load_images(fer_card(), tmp_path)
        assert (
            caught.value.message
            == 'fer.csv, line 2: pixel 17 is "x"; expected a whole number from 0 to 255'
        )


def test_pickled_arrays_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.array([{}], dtype=object), y=np.zeros(1))
    with pytest.raises(DataError) as caught:
        load_images(make_card({"type": "npz", "path": "a.npz"}), tmp_path)
    assert caught.value.message == "a.npz: it is not an NPZ of plain arrays"


def test_single_array_with_the_suffix_of_an_npz_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", random_images(4))
    (tmp_path / "a.npy").rename(tmp_path / "a.npz")
    with pytest.raises(DataError) as caught:
        load_images(make_card({"type": "npz", "path": "a.npz"}), tmp_path)
    assert caught.value.message == "a.npz: it is not an NPZ of plain arrays"
    assert caught.value.hint == "save it with numpy.savez."


def test_far_more_labels_than_images_are_not_read_to_their_end(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(",".join("7" * 16) + "\n")
    (tmp_path / "y.csv").write_text("0\n" * 5000)
    card = make_card({"type": "array_csv", "train_images": "x.csv", "train_labels": "y.csv"})
    with pytest.raises(DataError) as caught:
        load_images(card, tmp_path)
    assert caught.value.message == "y.csv has over 1,001 labels, more than x.csv can hold images"
