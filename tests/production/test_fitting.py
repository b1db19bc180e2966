"""Other data are made to fit the recipe: size, range of values, order of classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tuner.data.formats.file_list import FileList
from tuner.errors import DataError
from tuner.production.fitting import load_fitting
from tuner.records.image import ImageSpec
from tuner.records.sealed_recipe import Recipe, RecipeData
from tuner.space.split_settings import SplitSettings


def recipe(classes: tuple[str, ...] = ("no", "yes"), channels: int = 1, **data: Any) -> Recipe:
    """A recipe of 8 x 8 images."""
    ends = (0.0,) * channels, (1.0,) * channels
    return Recipe(
        model="cnn",
        values={},
        image=ImageSpec(
            height=8, width=8, channels=channels, class_names=classes, mean=ends[0], std=ends[1]
        ),
        data=RecipeData(
            name="none",
            fingerprint="",
            n_train=1,
            n_validation=1,
            n_test=1,
            split=SplitSettings(seed=0),
            **data,
        ),
        seed=0,
        max_epochs=1,
        patience=1,
        schedule="constant",
        monitor="val_accuracy",
        direction="max",
        epochs=1,
        validation_score=None,
        test_accuracy=None,
        versions={},
    )


def write_folders(root: Path, kind: Any = np.uint8, brightest: int = 255, size: int = 12) -> Path:
    """Ten dark images of `no`, ten bright ones of `yes`."""
    rng = np.random.default_rng(0)
    for number, name in enumerate(["no", "yes"]):
        (root / name).mkdir(parents=True)
        for i in range(10):
            pixels = (
                rng.integers(0, brightest // 2, size=(size, size)) + number * (brightest + 1) // 2
            )
            Image.fromarray(pixels.astype(kind)).save(root / name / f"{i}.tif")
    return root


def brightness(found: Any) -> dict[str, float]:
    """Mean of each class."""
    images = found.images
    return {
        name: images.images[:][images.labels == i].mean()
        for i, name in enumerate(images.class_names)
    }


def test_arrays_are_stretched_and_coloured(tmp_path: Path) -> None:
    pixels = np.stack(
        [np.full((12, 10), i + (200 if i % 2 else 40), dtype=np.uint8) for i in range(40)]
    )
    np.savez(tmp_path / "a.npz", x=pixels, y=np.array(["no", "yes"] * 20))
    wanted = recipe(channels=3)
    found, notes = load_fitting(wanted, tmp_path, str(tmp_path / "a.npz"), tmp_path)
    assert notes == ["images are resized to 8 x 8 colour, as in the recipe (they are 12 x 10 grey)"]
    assert found.spec.shape == found.images.images.shape[1:] == (8, 8, 3)
    assert brightness(found) == {"no": 59, "yes": 220}
    assert found.spec.mean == (pytest.approx(found.images.images[found.split.train].mean()),) * 3


def test_files_that_a_table_names_are_decoded_in_the_recipes_size(tmp_path: Path) -> None:
    folder = write_folders(tmp_path / "mine" / "photos", size=120)
    rows = [f"photos/{name}/{i}.tif,{name}" for name in ("no", "yes") for i in range(10)]
    (tmp_path / "mine" / "list.csv").write_text("\n".join(["file,label", *rows]))
    named, _ = load_fitting(recipe(), tmp_path, str(tmp_path / "mine" / "list.csv"), tmp_path)
    found, _ = load_fitting(recipe(), tmp_path, str(folder), tmp_path)
    assert isinstance(named.card.files, FileList)
    np.testing.assert_array_equal(named.images.images, found.images.images)


def test_classes_keep_the_recipes_order_by_name(tmp_path: Path) -> None:
    other = write_folders(tmp_path / "other")
    found, _ = load_fitting(recipe(("yes", "no")), tmp_path, str(other), tmp_path)
    assert found.spec.class_names == found.images.class_names == ("yes", "no")
    assert brightness(found)["yes"] > 128 > brightness(found)["no"]
    assert found.test_labels.counts(2) == tuple(np.bincount(found.images.labels[found.split.test]))


def test_recipes_range_of_values_is_used(tmp_path: Path) -> None:
    other = write_folders(tmp_path / "other", np.uint16, brightest=4095)
    found, notes = load_fitting(recipe(value_range=(0.0, 16383.0)), tmp_path, str(other), tmp_path)
    assert notes[1:] == [
        "values 0 to 16,383 become 0 to 255, as in the recipe (0 to 4,095 would fit)"
    ]
    assert found.images.images[:].max() == 64
    again, notes = load_fitting(recipe(value_range=(0.0, 4095.0)), tmp_path, str(other), tmp_path)
    assert len(notes) == 1
    assert again.images.images[:].max() > 240


def test_values_of_which_the_recipe_says_nothing_are_refused(tmp_path: Path) -> None:
    other = write_folders(tmp_path / "other", np.uint16, brightest=4095)
    with pytest.raises(DataError) as caught:
        load_fitting(recipe(), tmp_path / "best.yaml", str(other), tmp_path)
    assert caught.value.message.startswith(
        "other: its images hold more than 8 bits (0 to 4,095), but the recipe does "
    )
    assert "write `value_range: [0, 4095]` under data in " in caught.value.hint


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (("no", "maybe"), 'new "yes"; missing "maybe"'),
        (("no", "yes", "maybe"), 'missing "maybe"'),
    ],
)
def test_other_classes_are_named(tmp_path: Path, classes: tuple[str, ...], message: str) -> None:
    other = write_folders(tmp_path / "other", size=8)
    with pytest.raises(DataError) as caught:
        load_fitting(recipe(classes), tmp_path, str(other), tmp_path)
    assert caught.value.message == f"other: its classes differ from those of the recipe: {message}"
