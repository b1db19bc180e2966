"""A sealed recipe inside somebody's own script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.images import banded_images, image_spec
from tests.store.recipes import make_recipe
from tuner.errors import ConfigurationError
from tuner.recipe import load_recipe
from tuner.report.snippets import python_snippet
from tuner.store.recipe_file import write_recipe


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A recipe's file, in a folder whose name needs care inside a Python literal."""
    path = tmp_path / 'it\'s "odd" \\ é' / "best.yaml"
    write_recipe(make_recipe(), path, "")
    return path


@pytest.mark.parametrize("values", [{}, {"flip": True}], ids=["plain", "augmented"])
def test_snippet_of_the_report_trains_the_model(path: Path, values: dict[str, Any]) -> None:
    images, labels = banded_images(40, image_spec())
    names: dict[str, Any] = {"images": images, "labels": labels}
    exec(python_snippet(str(path), values), names)
    history = names["model"].history.history
    assert len(history["loss"]) == names["recipe"].epochs == 1
    assert np.isfinite(history["loss"]).all()
    assert set(history) == {"loss", "accuracy"}
    assert names["model"].predict(images, verbose=0).shape == (40, 2)


def test_recipe_says_how_long_and_with_how_many_images_a_step_to_train(path: Path) -> None:
    recipe = load_recipe(path)
    assert (recipe.epochs, recipe.batch_size) == (1, 20)
    assert recipe.recipe == make_recipe()


def test_labels_that_are_no_class_numbers_are_refused(path: Path) -> None:
    recipe = load_recipe(path)
    with pytest.raises(
        ValueError, match="labels must be class numbers from 0 to 1, but got"
    ) as caught:
        recipe.targets([0, 1, 2])
    assert "2" in str(caught.value)
    np.testing.assert_array_equal(recipe.targets([1, 0]), [[0, 1], [1, 0]])


def test_missing_recipe_is_an_error_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.yaml"):
        load_recipe(tmp_path / "nowhere.yaml")
