"""What is proposed and promoted; no training, scores are made up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.search.fakes import (
    WIDE,
    by_x,
    drive,
    ended,
    make_study,
    n_epochs,
    rung_sizes,
    settings,
    total,
)
from tuner.errors import ConfigurationError
from tuner.models.registry import setting_problem
from tuner.records.trial import StartSetting, Trial
from tuner.search.methods.method import TrialEvent
from tuner.search.methods.rungs import brackets
from tuner.search.study import Study
from tuner.space.definition import Objective, Parameter, Space
from tuner.space.methods import METHODS
from tuner.space.parsing.parse import load_space

FIVE = Space(parameters=(Parameter(name="x", kind="choice", choices=(1, 2, 3, 4, 5)),), fixed={})


def by_rung(trials: list[Trial], bracket: int, rung: int) -> list[Trial]:
    return [t for t in trials if (t.bracket, t.rung) == (bracket, rung)]


@pytest.mark.parametrize("n_workers", [1, 3])
@pytest.mark.parametrize(("max_epochs", "factor"), [(9, 3), (4, 4), (27, 3), (30, 3), (81, 3)])
def test_trials_and_rungs_are_those_of_the_schedule(
    max_epochs: int, factor: int, n_workers: int
) -> None:
    search = settings(max_epochs, factor)
    trials = drive(make_study(search=search), n_workers=n_workers)
    assert (len(trials), n_epochs(trials)) == total(search)
    planned = brackets(search)
    for number, rungs in zip(reversed(range(len(planned))), planned, strict=True):
        for i, rung in enumerate(rungs):
            found = by_rung(trials, number, i)
            assert len(found) == rung.n_trials
            assert {(t.first_epoch, t.last_epoch) for t in found} == {
                (rung.first_epoch, rung.last_epoch)
            }


def test_iterations_repeat_the_whole_with_new_settings() -> None:
    search = settings(9, 3, iterations=2)
    trials = drive(make_study(search=search))
    assert (len(trials), n_epochs(trials)) == total(search)
    first_rungs = [t.values["x"] for t in trials if t.rung == 0]
    assert len(set(first_rungs)) == len(first_rungs)


@pytest.mark.parametrize("n_workers", [1, 3])
@pytest.mark.parametrize("direction", ["max", "min"])
def test_the_best_of_a_rung_go_on_with_their_own_settings(direction: str, n_workers: int) -> None:
    study = make_study(objective=Objective(name="val_loss", direction=direction))
    trials = drive(study, n_workers=n_workers)
    by_id = {t.trial_id: t for t in trials}
    for bracket, rung in [key for key in rung_sizes(trials) if key[1] > 0]:
        promoted = by_rung(trials, bracket, rung)
        before = sorted(
            by_rung(trials, bracket, rung - 1),
            key=lambda t: t.values["x"],
            reverse=direction == "max",
        )
        assert {t.parent_id for t in promoted} == {t.trial_id for t in before[: len(promoted)]}
        for trial in promoted:
            parent = by_id[trial.parent_id or ""]
            assert trial.values == parent.values
            assert trial.first_epoch == parent.last_epoch + 1


def test_trials_are_numbered_in_the_order_of_their_starts() -> None:
    assert [t.trial_id for t in drive(make_study())] == [f"{i:04d}" for i in range(23)]


@pytest.mark.parametrize("n_workers", [1, 4])
@pytest.mark.parametrize("failing", [{0}, {8}, {0, 3, 5}, {9}, {12}, set(range(8))], ids=str)
def test_failed_trials_leave_no_rung_without_promotion(failing: set[int], n_workers: int) -> None:
    trials = drive(
        make_study(),
        lambda t: None if int(t.trial_id) in failing else float(t.values["x"]),
        n_workers=n_workers,
    )
    first_rungs = {key: n for key, n in rung_sizes(trials).items() if key[1] == 0}
    assert first_rungs == {(2, 0): 9, (1, 0): 5, (0, 0): 3}
    # Rungs are as full as the trials that are left allow, and each bracket has trials of all 9
    # epochs.
    for bracket, rungs in zip((2, 1, 0), brackets(settings()), strict=True):
        alive = rungs[0].n_trials
        for i, rung in enumerate(rungs):
            found = by_rung(trials, bracket, i)
            assert len(found) == min(rung.n_trials, alive)
            alive = len(found) - sum(int(t.trial_id) in failing for t in found)
    assert {t.bracket for t in trials if t.last_epoch == 9} >= {1, 0}


def test_five_failures_at_100_by_3_lose_no_rung() -> None:
    search = settings(100, 3)
    planned = {
        (4 - i, j): rung.n_trials
        for i, rungs in enumerate(brackets(search))
        for j, rung in enumerate(rungs)
    }
    for failing in ({0, 1, 2, 3, 4}, {10, 30, 50, 70, 90}, {80, 100, 120, 125, 130}):
        trials = drive(
            make_study(search=search),
            lambda t, bad=failing: None if int(t.trial_id) in bad else float(t.values["x"]),
        )
        assert sum(t.score is None for t in trials) == 5
        assert rung_sizes(trials) == planned


def test_later_iterations_have_brackets_of_their_own() -> None:
    trials = drive(make_study(search=settings(9, 3, iterations=2)))
    once = {(2, 0): 9, (2, 1): 3, (2, 2): 1, (1, 0): 5, (1, 1): 2, (0, 0): 3}
    assert rung_sizes(trials) == once | {
        (bracket + 3, rung): n for (bracket, rung), n in once.items()
    }


def test_new_bracket_starts_as_soon_as_the_present_ones_have_nothing_to_start() -> None:
    study = make_study()
    assert [(t.bracket, t.rung) for _ in range(10) if (t := study.next_trial())] == [(2, 0)] * 9 + [
        (1, 0)
    ]


def test_bracket_whose_trials_all_fail_ends_and_the_next_one_starts() -> None:
    trials = drive(make_study(), lambda t: None if t.bracket == 2 else float(t.values["x"]))
    assert rung_sizes(trials) == {(2, 0): 9, (1, 0): 5, (1, 1): 2, (0, 0): 3}


@pytest.mark.parametrize("n_workers", [1, 2])
def test_small_space_is_tried_completely_without_repeats_and_still_promotes(n_workers: int) -> None:
    trials = drive(make_study(FIVE), n_workers=n_workers)
    assert sorted(t.values["x"] for t in trials if t.rung == 0) == [1, 2, 3, 4, 5]
    assert rung_sizes(trials) == {(2, 0): 5, (2, 1): 3, (2, 2): 1}
    assert [t.values["x"] for t in trials if t.last_epoch == 9] == [5]


def test_space_with_nothing_to_search_is_one_setting_trained_to_the_end() -> None:
    fixed = Space(parameters=(), fixed={"filters": 8, "x": 1})
    trials = drive(make_study(fixed))
    assert [(t.first_epoch, t.last_epoch) for t in trials] == [(1, 1), (2, 3), (4, 9)]
    assert all(t.values == fixed.fixed for t in trials)


def test_same_seed_same_settings_and_another_seed_others() -> None:
    values = {
        seed: [t.values["x"] for t in drive(make_study(seed=seed)) if t.rung == 0]
        for seed in range(4)
    }
    for seed, found in values.items():
        assert found == [t.values["x"] for t in drive(make_study(seed=seed)) if t.rung == 0]
    everything = [x for found in values.values() for x in found]
    assert len(set(everything)) == len(everything) == 4 * 17


def test_parameters_appear_only_where_their_conditions_hold(tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(
        "version: 1\nmodel: cnn\nobjective: val_accuracy\n"
        "space:\n"
        "  conv_blocks: {type: int, min: 1, max: 3}\n"
        "  filters: {type: choice, values: [4, 8], per: conv_blocks}\n"
        "  optimizer: [adam, sgd]\n"
        "  momentum: {type: float, min: 0.8, max: 0.9, when: {optimizer: sgd}}\n"
        "  batch_norm: {type: boolean}\n"
        "  batch_size: 32\n"
        "search: {method: hyperband, max_epochs: 9, factor: 3}\n"
    )
    trials = drive(make_study(load_space(path).space), lambda t: float(t.trial_id))
    assert {t.values["conv_blocks"] for t in trials} == {1, 2, 3}
    for trial in trials:
        filters = {f"filters_{i}" for i in range(trial.values["conv_blocks"])}
        momentum = {"momentum"} if trial.values["optimizer"] == "sgd" else set()
        assert (
            set(trial.values)
            == {"conv_blocks", "optimizer", "batch_norm", "batch_size"} | filters | momentum
        )
        assert trial.values["batch_size"] == 32
        assert isinstance(trial.values["batch_norm"], bool)


def test_impossible_settings_are_counted_and_never_proposed() -> None:
    blocks = Parameter(name="conv_blocks", kind="int", low=1, high=8)
    space = Space(parameters=(blocks, *WIDE.parameters), fixed={})

    def problem(values: Mapping[str, Any]) -> str | None:
        return setting_problem("cnn", values, 8, 8)

    study = make_study(space, problem=problem)
    trials = drive(study)
    assert len(trials) == 23
    assert {t.values["conv_blocks"] for t in trials} == {1, 2, 3}
    assert study.rejected
    assert all(reason.startswith("conv_blocks is ") for reason in study.rejected)


def test_space_of_which_nothing_keeps_the_constraints_names_the_nearest() -> None:
    def problem(values: Mapping[str, Any]) -> str:
        n = 200 + round(1000 * values["x"])
        return f"{n:,} parameters are over the 100 of constraints.parameters"

    with pytest.raises(
        ConfigurationError,
        match=(
            r"none of 1,000 drawn settings meets the constraints; the nearest: 2\d\d parameters are"
            r" over the 100 of constraints.parameters"
        ),
    ) as caught:
        make_study(problem=problem).next_trial()
    assert caught.value.hint == (
        "raise constraints.parameters, or allow smaller models in the space."
    )


def test_space_in_which_nothing_can_be_built_says_why() -> None:
    study = make_study(problem=lambda values: "x is too large")
    with pytest.raises(
        ConfigurationError, match=r"none of [\d,]+ drawn settings can be built, as x is too large"
    ) as caught:
        study.next_trial()
    assert caught.value.hint == "widen the space, or use larger images."


def test_study_writes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    drive(make_study())
    assert list(tmp_path.iterdir()) == []


STARTS = (
    StartSetting(origin="baseline", values={"filters": [8, 8]}, model="sigmoid_cnn"),
    StartSetting(origin="defaults", values={"x": 0.5, "conv_blocks": 1}),
)


def start_score(trial: Trial) -> float:
    return 0.0 if trial.model else by_x(trial)


@pytest.mark.parametrize("n_workers", [1, 3])
@pytest.mark.parametrize("method", ["hyperband", "asha", "random", "bayesian"])
def test_known_settings_are_trained_first_to_the_end_and_cost_the_method_nothing(
    method: str, n_workers: int
) -> None:
    search = settings(method=method)
    trials = drive(make_study(search=search, starts=STARTS), start_score, n_workers)
    first, second, *others = sorted(trials, key=lambda t: t.trial_id)
    assert [
        (t.model, t.values, t.origin, t.first_epoch, t.last_epoch) for t in (first, second)
    ] == [
        ("sigmoid_cnn", {"filters": [8, 8]}, "baseline", 1, 9),
        (None, {"x": 0.5, "conv_blocks": 1}, "defaults", 1, 9),
    ]
    plain = drive(make_study(search=search), n_workers=n_workers)
    assert len(others) == len(plain)
    assert n_epochs(others) == n_epochs(plain)
    assert not any(t.origin or t.parent_id in ("0000", "0001") for t in others)


def test_limits_count_the_methods_own_trials_only() -> None:
    trials = drive(make_study(search=settings(max_trials=4), starts=STARTS), start_score)
    assert len(trials) == 6


def test_what_the_search_began_with_is_not_proposed_again() -> None:
    start = StartSetting(origin="defaults", values={"x": 3})
    trials = drive(make_study(FIVE, search=settings(method="random"), starts=[start]))
    assert sorted(t.values["x"] for t in trials) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("method", [*METHODS])
@pytest.mark.parametrize("n_before", [0, 1, 2, 3, 7])
def test_a_search_with_known_settings_goes_on_as_if_it_had_not_stopped(
    method: str, n_before: int
) -> None:
    search = settings(4, 4, method=method)
    space = FIVE if "grid" in method else WIDE

    def study() -> Study:
        return make_study(space, search=search, starts=STARTS)

    whole = drive(study(), start_score)
    first, history, states = study(), list[TrialEvent](), list[Mapping[str, Any]]()
    for _ in range(n_before):
        trial = first.next_trial()
        if trial is None:
            break
        history.append(("started", trial))
        states.append(first.state())
        history.append(("ended", ended(trial, start_score)))
        first.end(history[-1][1])
    second = study()
    second.restore(history, states)
    assert [t for _, t in history[1::2]] + drive(second, start_score) == whole
