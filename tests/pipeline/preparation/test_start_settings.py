"""The settings that a search begins with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.calling import write_space
from tests.images import image_spec, tiny_dataset
from tests.planning.contenders import STATED
from tests.production.test_fitting import recipe
from tests.search.fakes import ended, make_study
from tuner.data.cards.card import Card
from tuner.errors import ConfigurationError
from tuner.models.registry import complete
from tuner.pipeline.preparation.families import with_families
from tuner.pipeline.preparation.start_settings import StartSettings
from tuner.pipeline.preparation.start_settings import start_settings as _start_settings
from tuner.records.image import ImageSpec
from tuner.records.trial import Trial
from tuner.search.methods.method import TrialEvent
from tuner.search.proposals import setting_key
from tuner.search.study import Study
from tuner.space.definition import Condition, Parameter, SearchSpaceFile, Space
from tuner.space.families import built
from tuner.space.parsing.parse import load_space
from tuner.space.sampling import has_setting
from tuner.space.split_settings import SplitSettings
from tuner.store.recipe_file import write_recipe

SPACES = Path(__file__).parents[3] / "search_spaces"
NAMES = sorted(path.stem for path in SPACES.glob("*.yaml"))
CARD = tiny_dataset().card
WITH_BASELINE = CARD.model_copy(update={"baseline": STATED})
SPEC = image_spec(side=48)
SPLIT = SplitSettings(seed=0)


def start_settings(
    file: SearchSpaceFile, card: Card, spec: ImageSpec, split: SplitSettings = SPLIT
) -> StartSettings:
    return _start_settings(file, card, replace(tiny_dataset(), spec=spec), split)


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
        fixed={"batch_norm": True},
    )
    (start,) = start_settings(file_of(tmp_path, "defaults", space=space), CARD, SPEC).settings
    assert start.values == {"batch_norm": True, "optimizer": "adam", "filters_0": 32}
    assert (start.origin, start.model) == ("defaults", None)


def in_families(tmp_path: Path, *names: str, models: str) -> SearchSpaceFile:
    file = load_space(write_space(tmp_path), [f"model={models}"])
    return with_families(replace(file, start_from=names), WITH_BASELINE)


def test_each_family_has_defaults_of_its_own(tmp_path: Path) -> None:
    file = in_families(tmp_path, "defaults", models="[cnn, efficientnet_lite0]")
    starts = start_settings(file, WITH_BASELINE, SPEC).settings
    assert [(start.origin, start.model) for start in starts] == [
        ("defaults of cnn", None),
        ("defaults of efficientnet_lite0", None),
    ]
    assert [built(file, start.values)[0] for start in starts] == ["cnn", "efficientnet_lite0"]
    assert has_setting(file.space, starts[1].values)


def test_the_baseline_is_its_familys_setting_and_its_defaults_are_not_trained_again(
    tmp_path: Path,
) -> None:
    file = in_families(tmp_path, "baseline", "defaults", models="[cnn, baseline]")
    starts = start_settings(file, WITH_BASELINE, SPEC).settings
    assert [start.origin for start in starts] == ["baseline", "defaults of cnn"]
    assert starts[0].model is None
    assert starts[0].values["model"] == "baseline"
    assert has_setting(file.space, starts[0].values)
    whole = complete(STATED.model, STATED.values)
    assert built(file, starts[0].values) == (STATED.model, whole)


def test_a_baseline_outside_of_the_families_is_a_model_of_its_own(tmp_path: Path) -> None:
    file = in_families(tmp_path, "baseline", models="[cnn, efficientnet_lite0]")
    (start,) = start_settings(file, WITH_BASELINE, SPEC).settings
    assert (start.origin, start.model) == ("baseline", STATED.model)
    assert "model" not in start.values


def test_a_setting_outside_of_its_familys_ranges_says_its_model(tmp_path: Path) -> None:
    file = replace(
        in_families(tmp_path, "baseline", models="[cnn, efficientnet_lite0]"), model="cnn"
    )
    (start,) = start_settings(file, CARD, SPEC).settings
    assert (start.model, start.values) == ("cnn", complete("cnn", {}))


def test_equal_settings_are_trained_once(tmp_path: Path) -> None:
    file = file_of(tmp_path, "baseline", "defaults", space=Space(parameters=(), fixed={}))
    (start,) = start_settings(file, CARD, SPEC).settings
    assert start.origin == "baseline"


def test_what_cannot_be_built_is_left_out_and_said(tmp_path: Path) -> None:
    space = Space(parameters=(), fixed={"conv_blocks": 6})
    found = start_settings(file_of(tmp_path, "defaults", space=space), CARD, image_spec(side=8))
    assert found.settings == ()
    assert found.notices == (
        "start_from: defaults is left out, because conv_blocks is 6, but 6 poolings by 2 would"
        " shrink 8x8 images below 1x1",
    )


def test_defaults_of_a_builder_of_your_own_are_left_out_and_said(tmp_path: Path) -> None:
    found = start_settings(file_of(tmp_path, "defaults", model="mine:build"), CARD, SPEC)
    assert found.settings == ()
    assert found.notices == (
        "start_from: defaults is left out: mine:build has default values of its own",
    )


@pytest.mark.parametrize("as_folder", [True, False])
def test_an_earlier_winner_is_begun_with(tmp_path: Path, *, as_folder: bool) -> None:
    folder = tmp_path / "20260131-101500-0a1b2c3d"
    folder.mkdir()
    earlier = recipe()
    write_recipe(earlier, folder / "best.yaml", "")
    named = folder if as_folder else folder / "best.yaml"
    file = file_of(tmp_path, str(named))
    (start,) = start_settings(file, CARD, SPEC).settings
    assert start.origin == named.name
    assert start.values == complete(earlier.model, earlier.values)


def test_a_run_that_is_not_there_is_refused_with_what_may_be_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        start_settings(file_of(tmp_path, "basline"), CARD, SPEC)
    assert caught.value.message == (
        f'{tmp_path / "tiny.yaml"}: start_from names "basline", which is neither a run nor a recipe'
    )
    assert caught.value.hint.endswith(
        "name baseline, defaults, auto, the folder of a finished run, or a best.yaml."
    )


def test_a_setting_that_lies_in_the_space_is_named_as_the_search_would_draw_it(
    tmp_path: Path,
) -> None:
    space = Space(
        parameters=(
            Parameter(name="filters_0", kind="ordinal", choices=(16, 32)),
            Parameter(name="dropout", kind="float", low=0.0, high=0.5),
        ),
        fixed={"conv_blocks": 3, "filters": 32},
    )
    (start,) = start_settings(file_of(tmp_path, "baseline", space=space), CARD, SPEC).settings
    assert start.values == {"conv_blocks": 3, "filters": 32, "filters_0": 32, "dropout": 0.25}
    elsewhere = replace(space, fixed={"conv_blocks": 3, "filters": 64})
    (start,) = start_settings(file_of(tmp_path, "baseline", space=elsewhere), CARD, SPEC).settings
    assert start.values == complete("cnn", {})


def test_what_mirrors_is_left_out_where_the_card_does_not_allow_it(tmp_path: Path) -> None:
    space = Space(parameters=(), fixed={"flip": True})
    found = start_settings(file_of(tmp_path, "defaults", space=space), CARD, SPEC)
    assert found.settings == ()
    assert found.notices == (
        "start_from: defaults is left out, because it mirrors images, which the card does not"
        " allow (horizontal_flip)",
    )


def test_a_run_on_another_split_of_the_same_images_is_doubtful(tmp_path: Path) -> None:
    earlier = recipe()
    data = replace(earlier.data, fingerprint=tiny_dataset().images.fingerprint, split=SPLIT)
    write_recipe(replace(earlier, data=data), tmp_path / "best.yaml", "")
    file = file_of(tmp_path, str(tmp_path / "best.yaml"))
    assert start_settings(file, CARD, SPEC).notices == ()
    (doubt,) = start_settings(file, CARD, SPEC, SplitSettings(seed=7)).notices
    assert (
        "was chosen on another split of these images, and some of them are in the test part now"
        in doubt
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_supplied_space_proposes_its_own_settings_whatever_it_begins_with(name: str) -> None:
    """With the starts scored best, so that proposals are drawn near them, also after a restart."""
    file = load_space(SPACES / f"{name}.yaml")
    card = CARD.model_copy(update={"horizontal_flip": True})
    dataset = replace(tiny_dataset(), spec=SPEC)
    starts = _start_settings(file, card, dataset, SPLIT).settings
    assert starts

    def study() -> Study:
        return make_study(file.space, search=file.search, starts=starts)

    def score(trial: Trial) -> float:
        return 1.0 if trial.origin else int(trial.trial_id) / 1000

    running, history, states = study(), list[TrialEvent](), list[Mapping[str, Any]]()
    while (trial := running.next_trial()) is not None:
        assert trial.origin or has_setting(file.space, trial.values)
        history.append(("started", trial))
        states.append(running.state())
        history.append(("ended", ended(trial, score)))
        running.end(history[-1][1])
        if len(states) in (3, 10):
            running = study()
            running.restore(history, states)
    settings = [setting_key(t.values) for kind, t in history if kind == "ended" and not t.parent_id]
    assert len(set(settings)) == len(settings)
