"""Arrays become the data set of a file, whatever their layout, scale and labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tuner.api.given_data.place import place_of
from tuner.data.cards.card_files import card_folders
from tuner.data.images import Images
from tuner.data.load import load_images
from tuner.data.own.resolve import resolve
from tuner.errors import ConfigurationError, DataError, TunerError

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, size=(12, 8, 8, 3), dtype=np.uint8)
X[0, 0, 0] = (0, 255, 128)
Y = np.arange(12) % 3


def load(folder: Path, data: Any, **others: Any) -> Images:
    place = place_of(data, data_root=folder, **others)
    return load_images(resolve(place, card_folders(), folder), folder)


@pytest.mark.parametrize(
    "images",
    [X, X.astype(np.float64), X / 255, X.astype(np.float32) / 127.5 - 1, np.moveaxis(X, -1, 1),
     X.astype(np.int64), list(X)],
    ids=["bytes", "floats", "0-1", "-1-1", "channels first", "int64", "list"],
)  # fmt: skip
def test_forms_of_images_come_to_the_same_bytes(tmp_path: Path, images: Any) -> None:
    found = load(tmp_path, (images, Y))
    assert np.array_equal(found.images, X)
    assert found.labels.tolist() == Y.tolist()


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (Y, ("0", "1", "2")),
        (Y[:, None], ("0", "1", "2")),
        (np.eye(3)[Y], ("0", "1", "2")),
        (["abc"[y] for y in Y], ("a", "b", "c")),
        (np.array(["abc"[y] for y in Y], dtype=object), ("a", "b", "c")),
    ],
    ids=["numbers", "column", "one-hot", "text", "objects"],
)
def test_forms_of_labels(tmp_path: Path, labels: Any, names: tuple[str, ...]) -> None:
    found = load(tmp_path, (X, labels))
    assert (found.class_names, found.labels.tolist()) == (names, Y.tolist())


@pytest.mark.parametrize("labels", [Y, np.eye(3)[Y]], ids=["numbers", "one-hot"])
@pytest.mark.parametrize("class_names", [["x", "y", "z"], {0: "x", 1: "y", 2: "z"}], ids=str)
def test_classes_get_names(tmp_path: Path, labels: Any, class_names: Any) -> None:
    assert load(tmp_path, (X, labels), class_names=class_names).class_names == ("x", "y", "z")


@pytest.mark.parametrize(
    "labels",
    [
        Y.astype(np.float64),
        Y.astype(object),
        pd.Series(Y, dtype="Int64"),
        [str(float(label)) for label in Y],
        np.array([b"0", b"1", b"2"])[Y],
    ],
    ids=["floats", "objects", "nullable", "text", "bytes"],
)
def test_a_class_has_its_name_in_whatever_form_its_number_is(tmp_path: Path, labels: Any) -> None:
    found = load(tmp_path, (X, labels), class_names={0.0: "x", "1": "y", np.int64(2): "z"})
    assert (found.class_names, found.labels.tolist()) == (("x", "y", "z"), Y.tolist())


@pytest.mark.parametrize("class_names", [["no", "yes"], {False: "no", True: "yes"}], ids=str)
def test_switches_get_names(tmp_path: Path, class_names: Any) -> None:
    found = load(tmp_path, (X, Y == 1), class_names=class_names)
    assert (found.class_names, found.labels.tolist()) == (("no", "yes"), (Y == 1).tolist())


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA], ids=str)
def test_a_missing_label_needs_no_name(tmp_path: Path, missing: Any) -> None:
    labels = pd.Series([missing, *Y[1:].tolist()], dtype=object)
    assert len(load(tmp_path, (X, labels), class_names=["x", "y", "z"]).labels) == 11


def test_bytes_and_floats_of_0_to_1_are_one_scale(tmp_path: Path) -> None:
    found = load(tmp_path, (X, Y), test=(X / 255, Y))
    assert np.array_equal(found.images[:12], found.images[12:])


def test_parts_of_many_bits_need_not_reach_the_same_value(tmp_path: Path) -> None:
    deep = X.astype(np.int64) * 16
    found = load(tmp_path, (deep, Y), test=(deep // 8 + 300, Y))
    assert found.images[12:].max() < 128


def test_an_image_without_a_label_is_left_out_and_counted(tmp_path: Path) -> None:
    labels = np.array([None, *["abc"[y] for y in Y[1:]]], dtype=object)
    found = load(tmp_path, (X, labels))
    assert len(found.labels) == 11
    assert "without a label" in str(found.left_out)


def test_parts_are_kept(tmp_path: Path) -> None:
    found = load(tmp_path, (X[:6], Y[:6]), validation_data=(X[6:9], Y[6:9]), test=(X[9:], Y[9:]))
    assert found.parts.tolist() == ["train"] * 6 + ["validation"] * 3 + ["test"] * 3


def test_a_validation_part_validates_and_part_of_the_rest_is_sealed(tmp_path: Path) -> None:
    found = load(tmp_path, (X[:9], Y[:9]), validation_data=(X[9:], Y[9:]))
    parts, counts = np.unique(found.parts, return_counts=True)
    assert dict(zip(parts.tolist(), counts.tolist(), strict=True)) == {
        "train": 6, "validation": 3, "test": 3,
    }  # fmt: skip
    assert sorted(found.labels[found.parts == "test"].tolist()) == [0, 1, 2]
    assert np.array_equal(found.images[found.parts == "validation"], X[9:])


def test_the_same_arrays_are_written_once_and_others_beside_them(tmp_path: Path) -> None:
    first, again = place_of((X, Y), data_root=tmp_path), place_of((X, Y), data_root=tmp_path)
    other = place_of((X, Y[::-1]), data_root=tmp_path)
    assert first == again != other
    assert Path(first).name == Path(other).name == "arrays.npz"


@pytest.mark.parametrize(
    ("data", "others", "message"),
    [
        ((X, Y[:-1]), {}, "arrays, train: 12 images, but 11 labels"),
        ((X[:0], Y[:0]), {}, "arrays, train: there are no images"),
        (X, {}, "arrays, train: the labels of ndarray of shape (12, 8, 8, 3) are missing"),
        ((X,), {}, "arrays, train: expected (x, y), but got tuple"),
        ((X, Y), {"test": X}, "arrays, test: the labels of"),
        ((X.reshape(4, 3, 8, 8, 3), Y), {}, "arrays, train: the shape is 4 x 3 x 8 x 8 x 3"),
        (([X[0], X[1, :4]], Y[:2]), {}, "arrays, train: cannot convert list to an array"),
        ((X.astype(str), Y), {}, "arrays, train: the values are of type"),
        ((X, Y), {"class_names": ["x", "y"]}, "class_names has no name for the label 2"),
        (None, {}, "arrays: no data were given"),
        (5, {}, "arrays, train: int is not supported here"),
        ((X, None), {}, "arrays, train: the labels are None"),
        ((None, Y), {}, "arrays, train: the images are None"),
        ((X, 3), {}, "arrays, train: the labels are one value, 3"),
        ((X, np.arange(12).astype("M8[D]")), {}, "arrays, train: the labels are dates"),
        ((X, [b"\xff"] * 12), {}, "arrays, train: a label is not valid text"),
        (
            (X / 255, Y),
            {"validation_data": (X * 1.0, Y)},
            "arrays: train has values of 0 to 1, but validation of 0 to 255",
        ),
        (
            (X / 127.5 - 1, Y),
            {"test": (X / 255, Y)},
            "arrays: train has values of -1 to 1, but test of 0 to 1",
        ),
        (
            (X.astype(np.int64) * 16, Y),
            {"test": (X.astype(np.int64), Y)},
            "arrays: train has values of 0 to 4,095, but test of 0 to 255",
        ),
        ((X, Y), {"name": "a/b"}, 'name is "a/b", which cannot be the name of a folder'),
        ("digits", {"test": (X, Y)}, "test is given, but digits has its own"),
        ("digits", {"class_names": ["a"]}, "class_names is given, but digits"),
    ],
)
def test_what_cannot_be_images_and_labels_is_refused(
    tmp_path: Path, data: Any, others: dict[str, Any], message: str
) -> None:
    with pytest.raises((DataError, ConfigurationError)) as raised:
        place_of(data, data_root=tmp_path, **others)
    assert isinstance(raised.value, TunerError)
    assert message in raised.value.message
    assert raised.value.hint
    assert not list(tmp_path.iterdir())


def test_more_than_the_cache_may_take_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNER_CACHE_LIMIT", "1KB")
    with pytest.raises(DataError, match=r"arrays: the images take 0\.0 GB or more; at most"):
        place_of((X, Y), data_root=tmp_path)
