"""The settings that a search begins with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.calling import write_space
from tests.images import image_spec, tiny_dataset
from tests.planning.contenders import STATED
from tests.production.test_fitting import recipe
from tuner.errors import ConfigurationError
from tuner.models.registry import complete
from tuner.pipeline.preparation.start_settings import recipe_files, start_settings
from tuner.space.definition import Condition, Parameter, SearchSpaceFile, Space
from tuner.space.parsing.parse import load_space
from tuner.store.recipe_file import write_recipe

CARD = tiny_dataset().card
WITH_BASELINE = CARD.model_copy(update={"baseline": STATED})
SPEC = image_spec(side=48)


def file_of(tmp_path: Path, *names: str, **changes: object) -> SearchSpaceFile:
    file = load_space(write_space(tmp_path))
    return replace(file, start_from=names, **changes)  # type: ignore[arg-type]


def test_nothing_asked_for_is_nothing_begun_with(tmp_path: Path) -> None:
    found = start_settings(file_of(tmp_path), WITH_BASELINE, SPEC)
    assert (found.settings, found.notices) == ((), ())


def test_the_cards_baseline_is_a_model_of_its_own(tmp_path: Path) -> None:
    (start,) = start_settings(file_of(tmp_path, "baseline"), WITH_BASELINE, SPEC).settings
    assert (start.origin, start.model) == ("baseline", STATED.model)
    assert start.values == complete(STATED.model, STATED.values)


@pytest.mark.parametrize(("side", "n_blocks"), [(48, 3), (8, 3), (4, 2), (2, 1)])
def test_without_a_baseline_the_cnn_familys_defaults_stand_in(
    tmp_path: Path, side: int, n_blocks: int
) -> None:
    file = file_of(tmp_path, "baseline")
    (start,) = start_settings(file, CARD, image_spec(side=side)).settings
    assert start.model is None
    assert start.values == complete("cnn", {"conv_blocks": n_blocks})


def test_defaults_are_those_of_the_family_for_all_that_is_searched_and_active(
    tmp_path: Path,
) -> None:
    space = Space(
        parameters=(
            Parameter(name="optimizer", kind="choice", choices=("sgd", "adam")),
            Parameter(
                name="momentum",
                kind="float",
                low=0.8,
                high=0.9,
                conditions=(Condition(parent="optimizer", values=("sgd",)),),
            ),
            Parameter(name="filters_0", kind="ordinal", choices=(8, 16)),
        ),
        fixed={"flip": True},
    )
    (start,) = start_settings(file_of(tmp_path, "defaults", space=space), CARD, SPEC).settings
    assert start.values == {"flip": True, "optimizer": "adam", "filters_0": 32}
    assert (start.origin, start.model) == ("defaults", None)


def test_equal_settings_are_trained_once(tmp_path: Path) -> None:
    file = file_of(tmp_path, "baseline", "defaults", space=Space(parameters=(), fixed={}))
    (start,) = start_settings(file, CARD, SPEC).settings
    assert start.origin == "baseline"


def test_what_cannot_be_built_is_left_out_and_said(tmp_path: Path) -> None:
    space = Space(parameters=(), fixed={"conv_blocks": 6})
    found = start_settings(file_of(tmp_path, "defaults", space=space), CARD, image_spec(side=8))
    assert found.settings == ()
    assert found.notices == (
        "start_from: defaults is left out, as conv_blocks is 6, but 6 poolings by 2 would shrink"
        " 8x8 images below 1x1",
    )


def test_defaults_of_a_builder_of_your_own_are_left_out_and_said(tmp_path: Path) -> None:
    found = start_settings(file_of(tmp_path, "defaults", model="mine:build"), CARD, SPEC)
    assert found.settings == ()
    assert found.notices == (
        "start_from: defaults is left out: what mine:build takes by default is its own",
    )


@pytest.mark.parametrize("as_folder", [True, False])
def test_an_earlier_winner_is_begun_with(tmp_path: Path, *, as_folder: bool) -> None:
    folder = tmp_path / "20260131-101500-0a1b2c3d"
    folder.mkdir()
    earlier = recipe()
    write_recipe(earlier, folder / "best.yaml", "")
    named = folder if as_folder else folder / "best.yaml"
    file = file_of(tmp_path, str(named))
    assert recipe_files(file) == {str(named): folder / "best.yaml"}
    (start,) = start_settings(file, CARD, SPEC).settings
    assert start.origin == named.name
    assert start.values == complete(earlier.model, earlier.values)


def test_a_run_that_is_not_there_is_refused_with_what_may_be_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        recipe_files(file_of(tmp_path, "basline"))
    assert caught.value.message == (
        f'{tmp_path / "tiny.yaml"}: start_from names "basline", where there is no run and no recipe'
    )
    assert caught.value.hint == 'did you mean "baseline"?'
