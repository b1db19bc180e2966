"""Layouts of image sets as people download them: read rightly, or refused with what was seen."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from tests.data.layouts import COMMON, NO_CLASS, NO_IMAGES, NO_PART, Layout, Read, write
from tests.data.own.layouts import load, refusal, told


@pytest.mark.parametrize("name", COMMON)
def test_common_layout_is_read_rightly_or_refused(tmp_path: Path, name: str) -> None:
    layout, expected = COMMON[name]
    if isinstance(expected, str):
        assert refusal(tmp_path, layout)[0] == expected
        return
    n_files = write(tmp_path / "given", layout)
    images = load(tmp_path)
    assert told(images) == expected
    assert len(images.labels) + sum(one.n_files for one in images.left_out) == n_files


@pytest.mark.parametrize(
    "names",
    [
        ("training_set", "test_set"), ("seg_train", "seg_test"), ("train1", "test1"),
        ("train_data", "test_data"), ("train_images", "test_images"), ("train", "eval"),
        ("x_train", "x_test"), ("train", "holdout"), ("Training", "Testing"), ("TRAIN", "TEST"),
        ("train (1)", "test (1)"), ("trainset", "testset"), ("xTrain", "xTest"),
        ("trainingData", "testingData"), ("flowers_train", "flowers_test"), ("train", "hold-out"),
        ("train2017", "test2017"), ("01_train", "02_test"), ("train.cropped", "test.cropped"),
        ("training images", "tests"), ("trainval", "test"), ("train_val", "test"),
    ],
)  # fmt: skip
def test_folders_called_like_parts_are_parts(tmp_path: Path, names: tuple[str, str]) -> None:
    train, test = names
    write(
        tmp_path / "given",
        [f"{part}/{c}/*.png 2" for part in (train, test) for c in ("cat", "dog")],
    )
    images = load(tmp_path)
    assert told(images) == Read(classes=("cat", "dog"), parts={"train": 4, "test": 4})
    assert {origin.split("/")[0] for origin in images.origins} == {train, test}


@pytest.mark.parametrize(
    "name", ["val", "valid", "validation", "dev", "val_set", "x_val", "Validation (1)", "devset"]
)
def test_folders_called_like_validation_parts_validate(tmp_path: Path, name: str) -> None:
    write(
        tmp_path / "given",
        [f"{part}/{c}/*.png 2" for part in ("train", name, "holdout") for c in ("cat", "dog")],
    )
    assert told(load(tmp_path)).parts == {"train": 4, "validation": 4, "test": 4}


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        # Names of parts that are classes.
        (["bus/*.png 2", "train/*.png 2"], Read(classes=("bus", "train"), parts={"": 4})),
        (["valid/*.png 2", "invalid/*.png 2"], Read(classes=("invalid", "valid"), parts={"": 4})),
        (["blood_test/*.png 2", "rapid_test/*.png 2"],
         Read(classes=("blood_test", "rapid_test"), parts={"": 4})),
        # Classes above parts.
        (
            ["cat/train/*.png 2", "cat/test/*.png 1", "dog/train/*.png 2", "dog/test/*.png 1",
             "dog/old/*.png 1"],
            Read(classes=("cat", "dog"), parts={"train": 4, "test": 2}, left_out={NO_CLASS: 1}),
        ),
        # Sub-classes, and folders that say nothing.
        (["cat/tabby/*.png 2", "cat/siam/*.png 2", "dog/pug/*.png 2"],
         Read(classes=("cat", "dog"), parts={"": 6})),
        (["cat/images/*.png 2", "dog/images/*.png 2"], Read(classes=("cat", "dog"), parts={"": 4})),
        # Wrappers.
        (
            ["archive/data/train/cat/*.png 2", "archive/data/train/dog/*.png 2",
             "archive/data/test/cat/*.png 1",
             "archive/data/test/dog/*.png 1", "archive/README.md", "preview.png"],
            Read(classes=("cat", "dog"), parts={"train": 4, "test": 2},
                 left_out={NO_CLASS: 1, NO_IMAGES: 1}),
        ),
        (["train/cat/*.png 2", "train/dog/*.png 2"], Read(classes=("cat", "dog"), parts={"": 4})),
        (
            ["Pets/cat/*.png 2", "Pets/dog/*.png 2", "samples/*.png 2", "figures/*.png 1"],
            Read(classes=("cat", "dog"), parts={"": 4}, left_out={NO_CLASS: 3}),
        ),
        # A second part of one role, and what has no class.
        (
            [f"{part}/{c}/*.png 1"
             for part in ("train", "test", "holdout") for c in ("cat", "dog")],
            Read(classes=("cat", "dog"), parts={"train": 2, "test": 2}, left_out={NO_PART: 2}),
        ),
        (
            ["train/cat/*.png 2", "train/dog/*.png 2", "train/loose*.png 3", "test/cat/*.png 1",
             "test/dog/*.png 1"],
            Read(classes=("cat", "dog"), parts={"train": 4, "test": 2}, left_out={NO_CLASS: 3}),
        ),
        # Names of files.
        (["happy1-*.png 3", "sad2-*.png 3", "notes.txt"],
         Read(classes=("happy", "sad"), parts={"": 6}, left_out={NO_IMAGES: 1})),
        (["dog_1*.png 3", "golden cat (*).png 2"],
         Read(classes=("dog", "golden cat"), parts={"": 5})),
        (
            ["train/cat.*.jpg 3", "train/dog.*.jpg 3", "test/cat.*.jpg 2", "test/dog.*.jpg 2"],
            Read(classes=("cat", "dog"), parts={"train": 6, "test": 4}),
        ),
    ],
)  # fmt: skip
def test_clear_layout_is_read(tmp_path: Path, layout: Layout, expected: Read) -> None:
    write(tmp_path / "given", layout)
    assert told(load(tmp_path)) == expected


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        (["cells/ill/*.png 2", "cells/well/*.png 2", "ill/*.png 2", "well/*.png 2"],
         "cells/ holds folders that lie beside it as well (ill/ and well/)"),
        (["rps/rps/rock/*.png 2", "rps/rps/paper/*.png 2", "rps-test-set/rps-test-set/rock/*.png 2",
          "rps-test-set/rps-test-set/paper/*.png 2"],
         "rps/ and rps-test-set/ hold the same folders (paper/ and rock/), so they look like "
         "parts or versions of the data, not classes"),
        ([f"{top}/{part}/{c}/*.png 1"
          for top in ("a", "b") for part in ("train", "test") for c in ("cat", "dog")],
         "a/ and b/ each hold parts (test/ and train/) with class folders, so each looks like a "
         "whole data set"),
        (["cat/images/*.png 2", "cat/masks/*.png 2", "dog/images/*.png 2", "dog/masks/*.png 2"],
         "class folders hold images beside what describes them, such as images/ and masks/ in "
         "cat/"),
        (["raw/cat/*.png 2", "raw/dog/*.png 2", "clean/cat/*.png 2", "clean/dog/*.png 2"],
         "clean/ and raw/ hold the same folders (cat/ and dog/), so they look like parts or "
         "versions of the data, not classes"),
        (["train/cat/*.png 2", "train/dog/*.png 2", "cat/*.png 2", "dog/*.png 2"],
         "train/ holds class folders, but cat/ and dog/ beside it are not named like a part"),
        (["train/cat/*.png 2", "train/dog/*.png 2", "mine/cat/*.png 2", "mine/dog/*.png 2"],
         "train/ holds class folders, but mine/ beside it is not named like a part"),
        (["val/cat/*.png 2", "val/dog/*.png 2", "test/cat/*.png 2", "test/dog/*.png 2"],
         "there is no training part beside test/ and val/"),
        (["cat/*.png 2", "dog/*.png 2", "test/*.png 2"],
         "test/ is named like a part, but beside cat/ and dog/"),
        (["train/cat/*.png 2", "train/dog/*.png 2", "train2/cat/*.png 2", "train2/dog/*.png 2"],
         "train/ and train2/ are all named like training parts"),
        (["cat/train/*.png 2", "cat/test/*.png 2", "dog/*.png 2"],
         "cat/ holds parts (test/ and train/), but dog/ does not"),
        (["images/cat/*.png 2", "images/dog/*.png 2", "more/*.png 2"],
         "images/ holds folders (cat/ and dog/), and beside it lies more/"),
        (["IMG_*.png 3", "DSC_*.png 3"],
         "6 image files directly in it, such as DSC_0.png, but neither folders nor file names "
         "say which class each belongs to"),
        (["a/photo*.png 3"],
         'only one class folder holds images, "a" (3 image files), and their names '
         "tell no classes"),
        (["cat/*.png 3", "dog/list.txt"],
         'only one class folder holds images, "cat" (3 image files), and their names '
         "tell no classes; no image lies in dog/"),
        (["train/*.png 3", "labels.csv"],
         "all images lie in train/ (3 image files), which is named like a part, "
         "but neither folders nor file names say which class each belongs to"),
        (["train.csv", "test.csv"], "there are no images; it holds 2 files, such as test.csv"),
        ([".hidden/*.png 3"],
         "there are no images; .hidden/ is left out, hidden or made by the system"),
    ],
)  # fmt: skip
def test_layout_that_is_not_clear_is_refused_with_what_was_seen(
    tmp_path: Path, layout: Layout, message: str
) -> None:
    seen, hint = refusal(tmp_path, layout)
    assert seen == message
    assert hint


def test_numbers_in_names_of_classes_count_as_numbers(tmp_path: Path) -> None:
    write(tmp_path / "a", [f"{i}/*.png 1" for i in range(12)])
    write(tmp_path / "b", [f"class_{i}/*.png 1" for i in (10, 2, 1)])
    write(tmp_path / "c", [f"{i}/*.png 1" for i in ("10.5", "-1", "9")])
    assert load(tmp_path, "a").class_names == tuple(map(str, range(12)))
    assert load(tmp_path, "b").class_names == ("class_1", "class_2", "class_10")
    assert load(tmp_path, "c").class_names == ("-1", "9", "10.5")
    images = load(tmp_path, "a")
    assert all(
        origin.startswith(f"{images.class_names[n]}/")
        for origin, n in zip(images.origins, images.labels, strict=True)
    )


def test_one_name_in_two_unicode_forms_is_one_class(tmp_path: Path) -> None:
    composed, apart = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))
    layout = [
        f"train/{composed}/*.png 2",
        f"test/{apart}/*.png 2",
        "train/tea/*.png 2",
        "test/tea/*.png 2",
    ]
    write(tmp_path / "given", layout)
    assert load(tmp_path).class_names == (composed, "tea")


@pytest.mark.skipif(
    os.name == "nt" or os.uname().sysname == "Darwin", reason="the file system takes both for one"
)
@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            ("café", "cafe\u0301"),
            'two folders are called "café", in two Unicode forms of the same letters',
        ),
        (("Cat", "cat"), '"Cat" and "cat" may be one class, written in two ways'),
    ],
)
def test_two_names_of_one_class_are_asked_about(
    tmp_path: Path, names: tuple[str, str], message: str
) -> None:
    assert refusal(tmp_path, [f"{name}/*.png 2" for name in (*names, "tea")])[0] == message


def test_case_that_differs_between_parts_is_asked_about(tmp_path: Path) -> None:
    layout = ["train/Cat/*.png 2", "train/dog/*.png 2", "test/cat/*.png 2", "test/dog/*.png 2"]
    assert refusal(tmp_path, layout)[0] == '"Cat" and "cat" may be one class, written in two ways'
