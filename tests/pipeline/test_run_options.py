"""What presets and flags make of a space."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.calling import write_space
from tuner.errors import ConfigurationError
from tuner.pipeline.preparation.configuration import (
    command_line,
    load_configuration,
    split_settings,
)
from tuner.pipeline.presets import PRESETS, apply
from tuner.pipeline.run_options import RunOptions
from tuner.space.definition import SearchSpaceFile
from tuner.space.parsing.parse import load_space
from tuner.space.retrain_settings import RetrainSettings
from tuner.space.split_settings import SplitSizes


@pytest.fixture
def file(tmp_path: Path) -> SearchSpaceFile:
    space = load_space(write_space(tmp_path))
    return replace(space, retrain=RetrainSettings(epochs=60, seeds=2, patience=7))


def applied(file: SearchSpaceFile, preset: str, **flags: Any) -> tuple[int, int, int, int, int]:
    made = apply(PRESETS[preset], RunOptions(dataset="digits", preset=preset, **flags), file)
    assert made.retrain.patience == 7
    return (
        made.search.max_epochs,
        made.search.factor,
        made.search.iterations,
        made.retrain.epochs,
        made.retrain.seeds,
    )


def test_presets(file: SearchSpaceFile) -> None:
    assert applied(file, "quick") == (4, 4, 1, 10, 1)
    assert applied(file, "standard") == (2, 2, 1, 60, 2)
    assert applied(file, "thorough") == (81, 3, 1, 120, 5)


@pytest.mark.parametrize(("overrides", "expected"), [((), 40), (("retrain.epochs=5",), 0)])
def test_heads_train_longer_than_a_first_look_unless_you_state_the_epochs(
    file: SearchSpaceFile, overrides: tuple[str, ...], expected: int
) -> None:
    options = RunOptions(dataset="digits", preset="quick", overrides=overrides)
    assert apply(PRESETS["quick"], options, file).retrain.head_epochs == expected


def test_heads_never_train_longer_than_the_space_says(file: SearchSpaceFile) -> None:
    short = replace(file, retrain=RetrainSettings(epochs=3, seeds=2, patience=7))
    options = RunOptions(dataset="digits", preset="quick")
    assert apply(PRESETS["quick"], options, short).retrain.head_epochs == 3


def test_preset_never_trains_a_short_retraining_longer_or_a_long_one_shorter(
    file: SearchSpaceFile,
) -> None:
    short = replace(file, retrain=RetrainSettings(epochs=3, seeds=2, patience=7))
    long = replace(file, retrain=RetrainSettings(epochs=300, seeds=2, patience=7))
    assert applied(short, "quick")[3] == 3
    assert applied(long, "thorough")[3] == 300


def test_schedules_and_efficientnet_of_the_presets() -> None:
    assert [PRESETS[name].schedule for name in ("quick", "standard", "thorough")] == [
        "constant",
        "constant",
        "cosine",
    ]
    quick = PRESETS["quick"].from_scratch
    assert (quick.input_size, quick.max_train_images, quick.max_epochs) == (48, 300, 2)


@pytest.mark.parametrize("preset", PRESETS)
def test_flags_beat_presets(file: SearchSpaceFile, preset: str) -> None:
    assert applied(file, preset, max_epochs=9, factor=5)[:2] == (9, 5)


@pytest.mark.parametrize("preset", PRESETS)
def test_budget_of_epochs_holds_for_every_preset(file: SearchSpaceFile, preset: str) -> None:
    budgeted = replace(file, search=replace(file.search, max_total_epochs=90))
    options = RunOptions(dataset="digits", preset=preset)
    assert apply(PRESETS[preset], options, budgeted).search.max_total_epochs == 90


def test_budget_of_less_than_one_training_is_refused(file: SearchSpaceFile) -> None:
    budgeted = replace(file, search=replace(file.search, max_total_epochs=3))
    with pytest.raises(ConfigurationError) as caught:
        apply(PRESETS["quick"], RunOptions(dataset="digits", preset="quick"), budgeted)
    assert caught.value.message == (
        "search.max_total_epochs is 3, too few to train one trial to max_epochs, 4"
    )


@pytest.mark.parametrize("preset", PRESETS)
def test_seeds_that_were_asked_for_beat_presets(file: SearchSpaceFile, preset: str) -> None:
    asked = replace(file, retrain=replace(file.retrain, seeds=10))
    options = RunOptions(dataset="digits", preset=preset, overrides=("retrain.seeds=10",))
    assert apply(PRESETS[preset], options, asked).retrain.seeds == 10


STATED = {
    "search.max_epochs": (9, 4, 1, 10, 1),
    " search.factor ": (4, 3, 1, 10, 1),
    "search.iterations": (4, 4, 5, 10, 1),
    "retrain.epochs": (4, 4, 1, 40, 1),
    "retrain.seeds": (4, 4, 1, 10, 6),
}


@pytest.mark.parametrize("name", STATED)
def test_what_set_states_beats_the_preset_and_nothing_else_does(
    file: SearchSpaceFile, name: str
) -> None:
    changed = replace(
        file,
        search=replace(file.search, max_epochs=9, factor=3, iterations=5),
        retrain=RetrainSettings(epochs=40, seeds=6, patience=7),
    )
    assert applied(changed, "quick", overrides=(f"{name}=7",)) == STATED[name]


@pytest.mark.parametrize("preset", PRESETS)
def test_flags_beat_set(file: SearchSpaceFile, preset: str) -> None:
    overrides = ("search.max_epochs=7", "search.factor=7")
    assert applied(file, preset, max_epochs=9, factor=5, overrides=overrides)[:2] == (9, 5)


def test_section_stated_as_a_whole_beats_the_preset_by_the_keys_within_it(
    file: SearchSpaceFile,
) -> None:
    changed = replace(file, search=replace(file.search, max_epochs=9, factor=3, iterations=5))
    overrides = ("search={iterations: 5, method: random}",)
    assert applied(changed, "thorough", overrides=overrides)[:3] == (81, 3, 5)


def test_quick_takes_fewer_images_unless_told_how_many(file: SearchSpaceFile) -> None:
    quick = RunOptions(dataset="digits", preset="quick", seed=4)
    settings = split_settings(quick, file)
    assert (settings.seed, settings.limit, settings.max_train, settings.max_validation) == (
        4,
        None,
        1000,
        500,
    )
    settings = split_settings(replace(quick, limit=6000), file)
    assert (settings.limit, settings.max_train, settings.max_validation) == (6000, None, None)
    sizes = SplitSizes(train=20, validation=10)
    settings = split_settings(quick, replace(file, split=sizes))
    assert (settings.sizes, settings.max_train) == (sizes, None)


def test_model_of_the_command_line_replaces_the_spaces(tmp_path: Path) -> None:
    space = write_space(tmp_path)
    card, made = load_configuration(
        RunOptions(dataset="digits", space=space, model="my.models:build")
    )
    assert (card.name, made.model) == ("digits", "my.models:build")


def test_command_line_may_be_pasted_into_a_shell() -> None:
    arguments = [
        "run",
        "./my photos",
        "--set",
        "space.filters=[8, 16]",
        "--out",
        "it's $HOME",
        "naïve",
    ]
    line = command_line(arguments)
    assert (
        line == "python -m tuner run './my photos' --set 'space.filters=[8, 16]' --out 'it'\"'\"'s"
        " $HOME' 'naïve'"
    )
    assert shlex.split(line) == ["python", "-m", "tuner", *arguments]


@pytest.mark.parametrize(
    ("budget_s", "search_only", "search_s"),
    [(90.0, False, 60.0), (90.0, True, 90.0), (None, False, None)],
)
def test_search_leaves_a_third_of_the_time_to_the_comparison(
    budget_s: float | None, search_only: bool, search_s: float | None
) -> None:
    options = RunOptions(dataset="tiny", time_budget_s=budget_s, search_only=search_only)
    assert options.search_budget_s == (None if search_s is None else pytest.approx(search_s))


@pytest.mark.parametrize(
    ("budget_s", "outer", "is_sized"), [(90.0, None, True), (90.0, 1, False), (None, None, False)]
)
def test_outer_folds_are_searched_alike_whatever_time_is_left(
    budget_s: float | None, outer: int | None, is_sized: bool
) -> None:
    options = RunOptions(dataset="tiny", time_budget_s=budget_s, outer=outer)
    assert options.is_sized is is_sized


@pytest.mark.parametrize("method", ["hyperband", "random"])
def test_ending_by_expected_gain_is_refused_where_the_method_expects_nothing(
    tmp_path: Path, method: str
) -> None:
    file = load_space(write_space(tmp_path))
    search = replace(file.search, method=method, min_expected_gain=0.001)
    with pytest.raises(ConfigurationError) as caught:
        apply(PRESETS["standard"], RunOptions(dataset="x"), replace(file, search=search))
    assert caught.value.message == (
        f"search.min_expected_gain is 0.001, but {method} has no model that expects anything"
    )
    model = replace(search, method="model_hyperband")
    found = apply(PRESETS["standard"], RunOptions(dataset="x"), replace(file, search=model))
    assert found.search.min_expected_gain == 0.001


def test_longer_first_rung_is_refused_where_the_method_cannot_have_it(tmp_path: Path) -> None:
    file = load_space(write_space(tmp_path))
    search = replace(file.search, method="keras_tuner_hyperband", min_epochs=2)
    with pytest.raises(ConfigurationError) as caught:
        apply(PRESETS["standard"], RunOptions(dataset="x"), replace(file, search=search))
    assert caught.value.message == (
        "search.min_epochs is 2, but keras_tuner_hyperband begins with one epoch"
    )
