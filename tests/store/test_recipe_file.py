"""best.yaml: written by a run, edited by people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.store.recipes import make_recipe
from tuner.errors import ConfigurationError
from tuner.store.recipe_file import read_recipe, write_recipe


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A recipe's file."""
    write_recipe(make_recipe(), tmp_path / "best.yaml", "How to use it:\n\npython -m tuner train --from best.yaml")
    return tmp_path / "best.yaml"


def edit(path: Path, old: str, new: str) -> int:
    """Replace a line's text; the line's number, from 1."""
    lines = path.read_text(encoding="utf-8").split("\n")
    (number,) = [i for i, line in enumerate(lines) if line.strip() == old]
    lines[number] = lines[number].replace(old, new)
    path.write_text("\n".join(lines), encoding="utf-8")
    return number + 1


def test_recipe_comes_back_equal(path: Path) -> None:
    assert read_recipe(path) == make_recipe()


def test_outer_fold_comes_back_equal_and_need_not_be_there(tmp_path: Path, path: Path) -> None:
    recipe = make_recipe()
    nested = replace(recipe, data=replace(recipe.data, split=replace(recipe.data.split, outer=2)))
    write_recipe(nested, tmp_path / "nested.yaml", "")
    assert read_recipe(tmp_path / "nested.yaml") == nested
    edit(path, "outer: null", "")
    assert read_recipe(path) == recipe


def test_names_that_yaml_could_take_for_something_else_come_back_equal(tmp_path: Path) -> None:
    recipe = make_recipe()
    names = ("no", "1e-4", "Überraschung 😀", "null", "x: y", "3", "08")
    recipe = replace(recipe, image=replace(recipe.image, class_names=names), test_accuracy=1.0)
    write_recipe(recipe, tmp_path / "best.yaml", "")
    assert read_recipe(tmp_path / "best.yaml") == recipe


def test_header_is_a_comment_above(path: Path) -> None:
    head = path.read_text(encoding="utf-8").split("\n")[:4]
    assert head == ["# How to use it:", "#", "# python -m tuner train --from best.yaml", "model: cnn"]


def test_unknown_key_is_named_with_its_line_and_the_nearest_one(path: Path) -> None:
    line = edit(path, "patience: 3", "patence: 3")
    with pytest.raises(ConfigurationError, match=rf"best\.yaml:{line}: patence is not a known key") as caught:
        read_recipe(path)
    assert "patience" in f"{caught.value.message}{caught.value.hint}"


def test_unknown_key_inside_a_part_is_named_with_its_place(path: Path) -> None:
    line = edit(path, "limit: 64", "limits: 64")
    with pytest.raises(ConfigurationError, match=rf"best\.yaml:{line}: data\.split\.limits is not a known key"):
        read_recipe(path)


def test_wrong_type_is_named_with_its_line(path: Path) -> None:
    line = edit(path, "max_epochs: 12", "max_epochs: twelve")
    with pytest.raises(ConfigurationError, match=rf"best\.yaml:{line}: max_epochs is .twelve.; expected a whole"):
        read_recipe(path)


def test_missing_key_is_named(path: Path) -> None:
    edit(path, "monitor: val_accuracy", "")
    with pytest.raises(ConfigurationError, match=r"best\.yaml:\d+: monitor is missing"):
        read_recipe(path)


@pytest.mark.parametrize("text", ["", "[1, 2]", "just text"])
def test_file_that_is_no_recipe_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "best.yaml").write_text(text)
    with pytest.raises(ConfigurationError, match=r"best\.yaml"):
        read_recipe(tmp_path / "best.yaml")


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"best\.yaml"):
        read_recipe(tmp_path / "best.yaml")
