"""A test part that the API seals shares no patient and no picture with what trains or validates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.api.given_data.test_arrays import load
from tuner.api.given_data.place import place_of
from tuner.data.images import Images
from tuner.errors import DataError

RNG = np.random.default_rng(0)


def pictures(n: int, side: int = 32) -> np.ndarray:
    """Smooth pictures, of which no two are near-identical."""
    small = RNG.integers(0, 256, size=(n, 4, 4, 3), dtype=np.uint8)
    return np.stack(
        [
            np.asarray(Image.fromarray(one).resize((side, side), Image.Resampling.BICUBIC))
            for one in small
        ]
    )


def frame_of(folder: Path, pixels: np.ndarray, **columns: Any) -> pd.DataFrame:
    folder.mkdir()
    paths = [folder / f"{number}.png" for number in range(len(pixels))]
    for path, image in zip(paths, pixels, strict=True):
        Image.fromarray(image).save(path)
    return pd.DataFrame({"path": paths, **columns})


def sealed(found: Images) -> np.ndarray:
    return found.parts == "test"


def test_whole_patients_are_sealed(tmp_path: Path) -> None:
    patients = [f"p{number // 4}" for number in range(80)]
    frame = frame_of(tmp_path / "a", pictures(80), label=[*"ab"] * 40, patient=patients)
    found = load(tmp_path / "data", frame[:64], validation_data=frame[64:])
    groups = np.asarray(found.groups)
    test, others = set(groups[sealed(found)]), set(groups[~sealed(found)])
    assert test
    assert not test & others


def test_patients_who_validate_do_not_test(tmp_path: Path) -> None:
    patients = [f"p{number // 4}" for number in range(80)]
    frame = frame_of(tmp_path / "a", pictures(80), label=[*"aabb"] * 20, patient=patients)
    found = load(tmp_path / "data", frame[::2], validation_data=frame[1:20:2])
    groups = np.asarray(found.groups)
    validates = set(groups[found.parts == "validation"])
    assert len(validates) == 5
    assert not validates & set(groups[sealed(found)])


def test_a_class_with_one_patient_is_refused(tmp_path: Path) -> None:
    frame = frame_of(
        tmp_path / "a",
        pictures(24),
        label=["a"] * 8 + ["b"] * 16,
        patient=["p"] * 8 + [f"q{number // 4}" for number in range(16)],
    )
    with pytest.raises(DataError, match="a class has too few groups") as raised:
        place_of(frame[:20], validation_data=frame[20:], data_root=tmp_path / "data")
    assert "give test= too" in raised.value.hint


def test_copies_of_files_stay_on_one_side(tmp_path: Path) -> None:
    pixels = np.repeat(pictures(20), 3, axis=0)
    frame = frame_of(tmp_path / "a", pixels, label=["a"] * 30 + ["b"] * 30)
    parts = load(
        tmp_path / "data",
        frame,
        validation_data=frame_of(tmp_path / "b", pictures(4), label=[*"abab"]),
    ).parts
    of_picture = [set(parts[start : start + 3]) for start in range(0, 60, 3)]
    assert {"test"} in of_picture
    assert all(len(one) == 1 for one in of_picture)


@pytest.mark.parametrize("is_near", [False, True], ids=["identical", "near-identical"])
@pytest.mark.parametrize("scale", [1, 255], ids=["bytes", "floats"])
def test_copies_of_arrays_stay_on_one_side(tmp_path: Path, *, is_near: bool, scale: int) -> None:
    x = np.repeat(pictures(20), 3, axis=0)
    if is_near:
        x[::3] = np.clip(x[::3].astype(np.int64) + 3, 0, 255)
    y, validation = np.arange(60) // 30, pictures(4)
    given = (x, validation) if scale == 1 else (x / scale, validation / scale)
    found = load(tmp_path, (given[0], y), validation_data=(given[1], [0, 1, 0, 1]))
    tests = [image.tobytes() for image in found.images[sealed(found)]]
    rest = [image.tobytes() for image in found.images[~sealed(found)]]
    of_picture = [
        {image.tobytes() in tests for image in x[start : start + 3]} for start in range(0, 60, 3)
    ]
    assert {True} in of_picture
    assert all(len(one) == 1 for one in of_picture)
    assert not set(tests) & set(rest)


def brighter(images: np.ndarray) -> np.ndarray:
    return np.clip(images.astype(np.int64) + 3, 0, 255).astype(np.uint8)


def test_what_is_near_to_an_image_that_validates_does_not_test(tmp_path: Path) -> None:
    x, y = pictures(40), np.arange(40) // 2 % 2
    found = load(tmp_path, (x, y), validation_data=(brighter(x[::2]), y[::2]))
    tests = {image.tobytes() for image in found.images[sealed(found)]}
    assert tests
    assert not tests & {image.tobytes() for image in x[::2]}


def test_where_all_images_are_near_to_others_some_are_sealed_all_the_same(tmp_path: Path) -> None:
    """As the frames of a film are."""
    x, y = pictures(40), np.arange(40) // 2 % 2
    found = load(tmp_path, (x, y), validation_data=(brighter(x), y))
    assert sealed(found).any()


def test_the_only_image_of_a_class_is_not_taken_from_training(tmp_path: Path) -> None:
    x, y = pictures(21), [0] * 10 + [1] * 10 + [2]
    with pytest.raises(DataError, match='class "2" has 1 distinct image') as raised:
        place_of((x, y), validation_data=(pictures(3), [0, 1, 2]), data_root=tmp_path)
    assert "give test= too" in raised.value.hint


def test_images_that_all_validate_leave_none_to_test(tmp_path: Path) -> None:
    x = pictures(8)
    with pytest.raises(DataError, match="no training image can be sealed"):
        place_of((x, [0, 1] * 4), validation_data=(x, [0, 1] * 4), data_root=tmp_path)
