"""NPZ files and folders of NPY files as people download them: read, or refused with a hint."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.data.samples import random_images
from tuner.data.images import Images
from tuner.data.load import load_images
from tuner.data.own.resolve import resolve
from tuner.errors import DataError

X = random_images(6, 8)[..., 0]
RGB = random_images(6, 8, 3)
Y = np.array([0, 1] * 3)


def load(path: Path) -> Images:
    return load_images(resolve(str(path), [], path.parent / "data"), path.parent / "data")


def saved(root: Path, **arrays: Any) -> Path:
    np.savez(root / "a.npz", **{name: np.asarray(array) for name, array in arrays.items()})
    return root / "a.npz"


def refused(path: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        load(path)
    return caught.value


PARTS = {"train": slice(0, 2), "validation": slice(2, 4), "test": slice(4, 6)}
NAMES = {
    "keras": ("x_train", "y_train", "x_val", "y_val", "x_test", "y_test"),
    "capital": ("X_train", "y_train", "X_valid", "y_valid", "X_test", "y_test"),
    "MedMNIST": (
        "train_images",
        "train_labels",
        "val_images",
        "val_labels",
        "test_images",
        "test_labels",
    ),
    "role first": ("train_x", "train_y", "dev_x", "dev_y", "test_x", "test_y"),
    "camel": ("trainX", "trainY", "valX", "valY", "testX", "testY"),
    "joined": ("xtrain", "ytrain", "xval", "yval", "xtest", "ytest"),
    "data": ("train_data", "train_target", "val_data", "val_target", "test_data", "test_target"),
    "role last": (
        "images_train",
        "labels_train",
        "images_dev",
        "labels_dev",
        "images_test",
        "labels_test",
    ),
}


def test_files_beside_the_arrays_of_a_folder_are_accounted_for(tmp_path: Path) -> None:
    folder = tmp_path / "arrays"
    folder.mkdir()
    np.save(folder / "x.npy", X)
    np.save(folder / "y.npy", Y)
    assert load(folder).left_out == ()
    (folder / "README.md").write_text("arrays")
    (folder / "._x.npy").write_bytes(b"macOS")
    assert [one.text for one in load(folder).left_out] == [
        "1 file left out, not arrays that are read: README.md",
        "1 file left out, hidden or made by the system: ._x.npy",
    ]


def test_evaluation_takes_the_part_that_is_free(tmp_path: Path) -> None:
    names = ("train", "eval", "test")
    arrays = {
        f"{kind}_{name}": whole[at : at + 2]
        for at, name in enumerate(names)
        for kind, whole in (("x", X), ("y", Y))
    }
    assert (
        load(saved(tmp_path, **arrays)).parts.tolist()
        == ["train"] * 2 + ["validation"] * 2 + ["test"] * 2
    )


@pytest.mark.parametrize("form", NAMES)
@pytest.mark.parametrize("as_folder", [False, True])
def test_parts_are_found_by_the_names_in_use(tmp_path: Path, form: str, as_folder: bool) -> None:
    arrays = {}
    for at, rows in enumerate(PARTS.values()):
        arrays[NAMES[form][2 * at]] = X[rows]
        arrays[NAMES[form][2 * at + 1]] = Y[rows]
    path = saved(tmp_path, **arrays)
    if as_folder:
        path = tmp_path / "arrays"
        path.mkdir()
        for name, array in arrays.items():
            np.save(path / f"{name}.npy", array)
    loaded = load(path)
    assert loaded.parts.tolist() == ["train"] * 2 + ["validation"] * 2 + ["test"] * 2
    np.testing.assert_array_equal(loaded.images[..., 0], X)
    assert loaded.labels.tolist() == Y.tolist()
    assert loaded.left_out == ()


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        ("x", "y"), ("X", "y"), ("images", "labels"), ("data", "target"), ("imgs", "classes"),
        ("features", "targets"), ("arr_0", "arr_1"), ("arr_1", "arr_0"), ("faces", "ids"),
        ("image", "label"), ("x_train", "y_train"),
    ],
)  # fmt: skip
def test_one_pair_is_found_by_its_names_or_shapes(tmp_path: Path, images: str, labels: str) -> None:
    loaded = load(saved(tmp_path, **{labels: Y, images: X}))
    np.testing.assert_array_equal(loaded.images[..., 0], X)
    assert set(loaded.parts.tolist()) == {""}


def test_arrays_that_are_not_used_are_named(tmp_path: Path) -> None:
    flat = X.reshape(6, 64)
    names = np.array(["cat", "dog"])
    path = saved(tmp_path, data=flat, images=X, target=Y, target_names=names, seed=3)
    assert [one.text for one in load(path).left_out] == [
        "3 arrays left out, neither images with labels nor labels: data (6 x 64), target_names (2),"
        " seed (one value)"
    ]
    path = saved(tmp_path, x_train=X, y_train=Y, x_test=X)
    for _ in range(2):  # decoded, then from the cache
        (found,) = load(path).left_out
        assert (
            found.text
            == "1 array left out, neither images with labels nor labels: x_test (6 x 8 x 8)"
        )


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (Y[:, None], ("0", "1")),
        (Y[None, :].T.astype(float), ("0", "1")),
        (np.eye(2, dtype=int)[Y], ("0", "1")),
        (np.eye(2)[Y], ("0", "1")),
        (np.eye(2, dtype=bool)[Y], ("0", "1")),
        (np.array(["dog", "cat"])[Y], ("cat", "dog")),
        (np.array([b"dog", b"cat"])[Y], ("cat", "dog")),
        (np.array([10, 9])[Y], ("9", "10")),
        (Y.astype(bool), ("False", "True")),
        (np.array([-1, 1])[Y], ("-1", "1")),
    ],
)
def test_labels_may_have_any_form(
    tmp_path: Path, labels: np.ndarray, names: tuple[str, ...]
) -> None:
    loaded = load(saved(tmp_path, x=X, y=labels))
    assert loaded.class_names == names
    assert loaded.labels.tolist() in ([0, 1] * 3, [1, 0] * 3)


@pytest.mark.parametrize(
    "labels", [np.ones((6, 2), int), np.full((6, 2), 0.5), np.zeros((6, 3), int)]
)
def test_several_classes_for_an_image_are_refused(tmp_path: Path, labels: np.ndarray) -> None:
    error = refused(saved(tmp_path, x=X, y=labels))
    assert error.message == (
        f"a.npz, y: {labels.shape[1]} labels for each image, but some images do not have"
        " exactly one 1"
    )
    assert (
        error.hint == "give each image one class; several classes for one image are not supported."
    )


def test_images_without_a_label_are_left_out_and_counted(tmp_path: Path) -> None:
    loaded = load(saved(tmp_path, x=X, y=[0.0, np.nan, 1, 0, np.nan, 1]))
    np.testing.assert_array_equal(loaded.images[..., 0], X[[0, 2, 3, 5]])
    assert loaded.labels.tolist() == [0, 1, 0, 1]
    assert [one.text for one in loaded.left_out] == [
        "2 images left out, without a label: x[1], x[4]"
    ]


def with_alpha(alpha: int) -> np.ndarray:
    return np.concatenate([RGB, np.full((6, 8, 8, 1), alpha, np.uint8)], axis=-1)


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (RGB, RGB),
        (RGB.transpose(0, 3, 1, 2), RGB),
        (X[:, None], X[..., None]),
        (X[..., None], X[..., None]),
        (X.reshape(6, 64), X[..., None]),
        (with_alpha(255), RGB),
        (with_alpha(255).transpose(0, 3, 1, 2), RGB),
        (with_alpha(0), np.full_like(RGB, 255)),
        (X.astype(">i8"), X[..., None]),
        (X.astype(np.float32), X[..., None]),
        (X / 255, X[..., None]),
        (RGB / 127.5 - 1, RGB),
        (X.astype(np.uint16) * 257, X[..., None]),
        (X > 127, (X > 127)[..., None] * 255),
        (np.asfortranarray(RGB), RGB),
    ],
    ids=[
        *["RGB", "CHW", "1HW", "HW1", "flat", "RGBA", "ARGB first", "clear", "big-endian"],
        *["0..255", "0..1", "-1..1", "16 bits", "bool", "Fortran"],
    ],
)
def test_images_may_have_any_form(tmp_path: Path, images: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_array_equal(load(saved(tmp_path, x=images, y=Y)).images, expected)


def test_all_arrays_have_one_scale(tmp_path: Path) -> None:
    dark = np.full((2, 8, 8), 300, np.uint16)
    bright = np.full((2, 8, 8), 4095, np.uint16)
    path = saved(tmp_path, x_train=dark, y_train=[0, 1], x_test=bright, y_test=[0, 1])
    for _ in range(2):  # decoded, then from the cache
        loaded = load(path)
        assert loaded.images[:, 0, 0, 0].tolist() == [19, 19, 255, 255]
        assert loaded.value_range == (0.0, 4095.0)


def test_card_may_state_the_range_of_values(tmp_path: Path) -> None:
    path = saved(tmp_path, x=np.full((6, 8, 8), 300), y=Y)
    card = resolve(str(path), [], tmp_path)
    stated = card.model_copy(
        update={"image": card.image.model_copy(update={"value_range": [0.0, 600.0]})}
    )
    assert load_images(stated, tmp_path / "data").images[0, 0, 0, 0] == 128


def test_whole_numbers_beyond_a_stated_byte_are_cut_off(tmp_path: Path) -> None:
    path = saved(tmp_path, x=X.astype(np.int16) + 200, y=Y)
    card = resolve(str(path), [], tmp_path)
    stated = card.model_copy(
        update={"image": card.image.model_copy(update={"value_range": [0.0, 255.0]})}
    )
    expected = np.minimum(X.astype(np.int16) + 200, 255)
    np.testing.assert_array_equal(load_images(stated, tmp_path).images[..., 0], expected)


def test_the_largest_floats_of_16_bits_are_read(tmp_path: Path) -> None:
    images = X.astype(np.float16)
    images[0, 0, 0] = 65504
    assert load(saved(tmp_path, x=images, y=Y)).images.max() == 255


def test_two_scales_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, x_train=X / 255, y_train=Y, x_test=X.astype(int) * 16, y_test=Y)
    assert refused(path).message == "a.npz: its arrays have values of 0 to 1 and 0 to 4,095"


@pytest.mark.parametrize(
    ("arrays", "message", "hint"),
    [
        (
            {"x": np.zeros((6, 8, 8, 2), np.uint8), "y": Y},
            (
                "a.npz, x: the shape is 6 x 8 x 8 x 2; expected n x height x width, or that x 1, 3"
                " or 4 channels"
            ),
            "reshape it, channels last.",
        ),
        (
            {"x": np.zeros((8, 8, 3, 6), np.uint8), "y": Y},
            (
                "a.npz, x: the shape is 8 x 8 x 3 x 6; expected n x height x width, or that x 1, 3"
                " or 4 channels"
            ),
            "the images are along the last axis: numpy.moveaxis(x, -1, 0) puts them first.",
        ),
        (
            {"x": np.zeros((6, 3072), np.uint8), "y": Y},
            (
                "a.npz, x: the shape is 6 x 3072; expected n x height x width, or that x 1, 3 or 4"
                " channels"
            ),
            (
                "32 x 32 colour images? Then x.reshape(-1, 32, 32, 3); or, where all red values"
                " come first as in CIFAR, x.reshape(-1, 3, 32, 32)."
            ),
        ),
        (
            {"x": np.zeros((6, 8, 8, 8, 1), np.uint8), "y": Y},
            (
                "a.npz, x: the shape is 6 x 8 x 8 x 8 x 1; expected n x height x width, or that x"
                " 1, 3 or 4 channels"
            ),
            "volumes and videos are not supported: save single images.",
        ),
        (
            {"a": X, "b": X, "c": Y},
            (
                "a.npz: expected the arrays x_train and y_train, or x and y; found a (6 x 8 x 8), b"
                " (6 x 8 x 8), c (6)"
            ),
            (
                "save it with numpy.savez(path, x=images, y=labels); or name them in a card, such"
                " as files: {type: npz, path: FILE, train_images: NAME, train_labels: NAME}."
            ),
        ),
    ],
)
def test_what_is_not_clear_is_refused_with_the_way_out(
    tmp_path: Path, arrays: dict[str, Any], message: str, hint: str
) -> None:
    error = refused(saved(tmp_path, **arrays))
    assert (error.message, error.hint) == (message, hint)


def test_card_may_name_the_arrays(tmp_path: Path) -> None:
    path = saved(tmp_path, a=X, b=X, c=Y, d=Y)
    card = resolve(str(saved(tmp_path / "..", x=X, y=Y)), [], tmp_path)
    named = {"train_images": "a", "train_labels": "c", "test_images": "b", "test_labels": "d"}
    files = card.files.model_copy(update={"path": str(path), **named})
    loaded = load_images(card.model_copy(update={"files": files}), tmp_path / "data")
    assert loaded.parts.tolist() == ["train"] * 6 + ["test"] * 6
    wrong = card.model_copy(update={"files": files.model_copy(update={"train_images": "z"})})
    with pytest.raises(DataError, match=r"^a\.npz: there is no array z; found a \(6 x 8 x 8\), b "):
        load_images(wrong, tmp_path / "data")


def test_single_array_is_refused_with_what_to_do(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    error = refused(tmp_path / "x.npy")
    assert error.hint.startswith(
        "give the folder that holds the arrays of images and labels; or save both"
    )


def test_folder_with_one_npz_is_that_file(tmp_path: Path) -> None:
    (tmp_path / "medmnist").mkdir()
    saved(tmp_path / "medmnist", x=X, y=Y)
    card = resolve(str(tmp_path / "medmnist"), [], tmp_path)
    assert (card.name, card.files.type) == ("medmnist", "npz")


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-9], lambda data: data + b"1", lambda data: b""]
)
def test_damaged_array_of_a_folder_is_refused(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    folder = tmp_path / "arrays"
    folder.mkdir()
    np.save(folder / "x.npy", X)
    np.save(folder / "y.npy", Y)
    (folder / "x.npy").write_bytes(damage((folder / "x.npy").read_bytes()))
    assert refused(folder).message == "x.npy: it is not an NPZ of plain arrays"
