"""Model-based Hyperband: what it starts, promotes and expects, and when it ends."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from tests.search.fakes import (
    ACCURACY,
    WIDE,
    by_x,
    drive,
    ended,
    make_study,
    n_epochs,
    settings,
    setup_of,
    total,
)
from tests.search.methods.test_families import SPACE, score
from tests.search.methods.test_guided import USUAL
from tests.search.test_proposals import HILL, NESTED
from tests.search.test_restore import log_of
from tests.search.test_study import FIVE
from tuner.records.trial import NO_BRACKET, StartSetting, Trial
from tuner.search.board import Board
from tuner.search.methods.bracket_plan import BracketPlan
from tuner.search.methods.curve_model import (
    CurveModel,
    cut_off,
    expected_improvement,
    half_ranked,
    n_of_fit,
    spread_out,
    time_of,
)
from tuner.search.methods.model_hyperband import ModelHyperband
from tuner.search.methods.unit_cube import UnitCube
from tuner.search.study import Study
from tuner.space.definition import Objective, Parameter, Space
from tuner.space.sampling import has_setting
from tuner.space.search_settings import SearchSettings

FIRST = 7  # The first bracket of 27/3: one with three halvings, numbered on after 0 to 3.


def search(max_epochs: int = 27, **limits: int | None) -> SearchSettings:
    return settings(max_epochs, 3, method="model_hyperband", **limits)


def hill(trial: Trial) -> float:
    """Best at x = 0.7 and a rate of 1e-2; short trainings are worse."""
    off = (trial.values["x"] - 0.7) ** 2 + (math.log10(trial.values["rate"]) + 2) ** 2 / 9
    return 1 - off - 0.3 / trial.last_epoch


def falling(trial: Trial) -> float:
    """As `hill`, but every epoch costs more than a better setting gains: training overfits."""
    return hill(trial) + 0.3 / trial.last_epoch - trial.last_epoch


def started(study: Study, n: int, value: Callable[[Trial], float | None] = by_x) -> list[Trial]:
    """The first trials of a search with one worker."""
    found = []
    for _ in range(n):
        trial = study.next_trial()
        assert trial is not None
        study.end(ended(trial, value))
        found.append(trial)
    return found


def test_the_first_bracket_is_spread_over_the_space_and_halves_three_times() -> None:
    trials = started(make_study(search=search()), 40)
    assert Counter((t.bracket, t.rung, t.last_epoch) for t in trials) == {
        (FIRST, 0, 1): 27, (FIRST, 1, 3): 9, (FIRST, 2, 9): 3, (FIRST, 3, 27): 1,
    }  # fmt: skip
    # One in each twenty-seventh of the range; the best of them go on.
    xs = [trial.values["x"] for trial in trials]
    assert sorted(int(27 * x) for x in xs[:27]) == list(range(27))
    assert sorted(xs[27:36]) == sorted(xs[:27])[-9:]
    assert xs[39] == max(xs)


def test_workers_that_the_first_bracket_leaves_idle_begin_others() -> None:
    study = make_study(search=search(), n_workers=32)
    running = [study.next_trial() for _ in range(32)]
    assert [t.bracket for t in running if t] == [FIRST] * 27 + [3, 2, 3, 1, 3]


def test_the_best_setting_goes_on_before_anything_new_starts() -> None:
    study = make_study(HILL, search=search())
    for trial in drive(study, hill):
        before = [t for t in study.board.trials.values() if t.trial_id < trial.trial_id]
        if len(before) < 40 or trial.parent_id is not None:
            continue
        parents = {t.parent_id for t in before}
        last = [t for t in before if t.trial_id not in parents]
        assert max(last, key=hill).last_epoch == 27


def test_of_settings_that_overfit_few_are_trained_to_the_end() -> None:
    trials = drive(make_study(HILL, search=search(9, max_trials=150)), falling)
    entered = Counter(t.last_epoch for t in trials if t.parent_id is None)
    promoted = Counter(t.last_epoch for t in trials if t.parent_id is not None)
    # Best of all is every setting of one epoch.
    assert promoted[9] < (entered[1] + entered[3]) / 4


def test_where_whole_trainings_fail_the_others_are_not_all_sent_after_them() -> None:
    def value(trial: Trial) -> float | None:
        return None if trial.last_epoch == 9 else hill(trial)

    study = make_study(HILL, search=search(9, max_trials=100))
    trials = drive(study, value)
    n_at_three = sum(t.last_epoch == 3 for t in trials)
    n_promoted = sum(t.last_epoch == 9 and t.parent_id is not None for t in trials)
    assert n_promoted <= n_at_three / 3 + 1
    # Gains are over the best of the short ones, which are hard to beat.
    proposals = CurveModel(setup_of(search(9), HILL)).proposals(study.board)
    assert proposals is not None
    assert max(gain for gain, _ in proposals) < 0.01


def test_most_settings_enter_where_trainings_are_shortest() -> None:
    # In Hyperband's brackets 0.11, 0.17, 0.30 and 0.43 of them would, but for rounding.
    assert BracketPlan(search()).shares() == pytest.approx([0.055, 0.109, 0.246, 0.590], abs=1e-3)
    trials = drive(make_study(HILL, search=search(max_total_epochs=27 * 30)), hill)
    entered = Counter(t.bracket for t in trials if t.parent_id is None and t.bracket != FIRST)
    n = sum(entered.values())
    assert n > 80
    for bracket, share in enumerate([0.055, 0.109, 0.246, 0.590]):
        assert entered[bracket] == pytest.approx(share * n, abs=1)


def test_every_promotion_goes_on_from_where_its_setting_was() -> None:
    trials = drive(make_study(HILL, search=search()), hill, n_workers=3)
    by_id = {trial.trial_id: trial for trial in trials}
    for trial in trials:
        if trial.parent_id is not None:
            parent = by_id[trial.parent_id]
            assert (parent.bracket, parent.rung) == (trial.bracket, trial.rung - 1)
            assert parent.last_epoch == trial.first_epoch - 1
            assert parent.values == trial.values
    parents = [trial.parent_id for trial in trials if trial.parent_id]
    assert len(parents) == len(set(parents))


@pytest.mark.parametrize("direction", ["max", "min"])
def test_it_finds_a_better_setting_than_random_search(direction: str) -> None:
    sign = 1 if direction == "max" else -1
    objective = Objective(name="val_loss", direction="max" if sign == 1 else "min")

    def best(method: str, seed: int) -> float:
        study = make_study(
            HILL,
            search=settings(27, 3, method=method),
            objective=objective,
            seed=seed,
        )
        trials = drive(study, lambda trial: sign * hill(trial))
        return max(hill(t) for t in trials if t.last_epoch == 27)

    found = np.array([[best(m, seed) for m in ("model_hyperband", "random")] for seed in range(3)])
    assert found[:, 0].mean() > found[:, 1].mean() + 0.01
    # No score is above 1 - 0.3 / 27.
    assert found[:, 0].min() > 0.985


@pytest.mark.parametrize("n_workers", [1, 4])
@pytest.mark.parametrize("n_epochs_at_most", [9, 27, 60, 373])
def test_one_is_trained_to_the_end_and_the_budget_is_used(
    n_epochs_at_most: int, n_workers: int
) -> None:
    limited = search(9, max_total_epochs=n_epochs_at_most)
    study = make_study(HILL, search=limited, n_workers=n_workers)
    trials = drive(study, hill, n_workers)
    assert n_epochs(trials) <= n_epochs_at_most
    assert n_epochs(trials) > n_epochs_at_most - 9
    assert any(t.last_epoch == 9 for t in trials)
    if n_workers == 1:
        # With more, a better one may end when what is left does not suffice for it.
        parents = {t.parent_id for t in trials}
        last = [t for t in trials if t.trial_id not in parents]
        assert max(last, key=hill).last_epoch == 9


@pytest.mark.parametrize("max_trials", [1, 2, 5, 12, 40])
def test_the_cost_is_about_right(max_trials: int) -> None:
    for limited in (search(), search(81), search(max_trials=max_trials)):
        trials = drive(make_study(HILL, search=limited), hill)
        assert len(trials) == pytest.approx(total(limited)[0], rel=0.3)


TWELVE = Space(
    parameters=(
        Parameter(name="x", kind="ordinal", choices=(1, 2, 4)),
        Parameter(name="y", kind="ordinal", choices=(1, 2, 4, 8)),
    ),
    fixed={},
)


@pytest.mark.parametrize("max_epochs", [9, 27, 81])
def test_the_cost_is_about_right_where_all_settings_are_tried(max_epochs: int) -> None:
    def value(trial: Trial) -> float:
        return trial.values["x"] * trial.values["y"] / 32 - 0.3 / trial.last_epoch

    limited = search(max_epochs)
    trials = drive(make_study(TWELVE, search=limited), value)
    assert len({repr(t.values) for t in trials}) == 12
    assert (len(trials), n_epochs(trials)) == pytest.approx(total(limited, 12), rel=0.3)
    assert any(t.last_epoch == max_epochs for t in trials)


ONE = Space(parameters=(Parameter(name="x", kind="boolean", choices=(False, True)),), fixed={})
THREE = Space(parameters=(Parameter(name="x", kind="ordinal", choices=(1, 2, 4)),), fixed={})


@pytest.mark.parametrize("n_workers", [1, 4])
@pytest.mark.parametrize("space", [WIDE, ONE, THREE, FIVE, NESTED, USUAL, SPACE])
@pytest.mark.parametrize("kind", ["by setting", "equal", "failing", "huge"])
def test_any_space_and_any_scores_are_searched_without_repeats(
    space: Space, n_workers: int, kind: str
) -> None:
    def value(trial: Trial) -> float | None:
        if kind == "failing" and int(trial.trial_id) % 3 == 1:
            return None
        if kind == "huge":
            return -(10.0 ** (int(trial.trial_id) * 7 % 60))
        return (
            1.0
            if kind == "equal"
            else score(trial)
            if space is SPACE
            else float(len(str(trial.values)))
        )

    trials = drive(make_study(space, search=search(9), n_workers=n_workers), value, n_workers)
    assert all(has_setting(space, t.values) for t in trials)
    new = [repr(t.values) for t in trials if t.parent_id is None]
    assert len(new) == len(set(new))
    assert any(t.last_epoch == 9 and t.score is not None for t in trials)


def test_all_of_a_small_space_is_tried() -> None:
    for space, n in ((ONE, 2), (THREE, 3), (FIVE, 5), (NESTED, 8)):
        trials = drive(make_study(space, search=search()), lambda t: len(str(t.values)))
        assert len({repr(t.values) for t in trials}) == n


def test_known_settings_count_as_results_also_those_from_outside_of_the_space() -> None:
    starts = (
        StartSetting(origin="baseline", values={"layers": 3}, model="cnn"),
        StartSetting(origin="defaults", values={"x": 7.0, "rate": 1e-2, "dropout": 0.1}),
        StartSetting(
            origin="run", values={"x": 0.7, "rate": 1e-2, "dropout": 0.1, "batch_size": 32}
        ),
    )
    study = make_study(HILL, search=search(), starts=starts)
    trials = drive(study, lambda t: hill(t) if has_setting(HILL, t.values) else 0.5)
    assert [t.bracket for t in trials[:4]] == [NO_BRACKET] * 3 + [FIRST]
    # The third one cannot be beaten, and new settings are near it.
    new = [t.values["x"] for t in trials if t.parent_id is None and 0 <= t.bracket < FIRST]
    assert np.mean(np.abs(np.array(new) - 0.7) < 0.2) > 0.5


@pytest.mark.parametrize("n_workers", [1, 4])
@pytest.mark.parametrize(
    ("space", "direction"),
    [(USUAL, "max"), (SPACE, "max"), (HILL, "min")],
    ids=["priors", "families", "lower is better"],
)
def test_a_search_that_was_cut_anywhere_goes_on_as_it_would_have(
    space: Space, direction: Literal["max", "min"], n_workers: int
) -> None:
    objective = Objective(name="val_loss", direction=direction)
    starts = (StartSetting(origin="defaults", values={"x": 7.0}),)

    def study() -> Study:
        return make_study(
            space, search=search(9), objective=objective, n_workers=n_workers, starts=starts
        )

    whole, states = log_of(study(), n_workers, [])
    for cut in range(0, len(whole) + 1, 3):
        past = whole[:cut]
        restored = study()
        restored.restore(past, states[: sum(event == "started" for event, _ in past)])
        assert log_of(restored, n_workers, list(restored.board.running.values()))[0] == whole[cut:]


@pytest.mark.parametrize("value", [hill, falling])
def test_checkpoints_of_paused_settings_are_bounded_and_what_is_gone_is_not_promoted(
    value: Callable[[Trial], float],
) -> None:
    study = make_study(HILL, search=search(3, max_trials=260))
    kept: set[str] = set()
    gone: set[str] = set()
    most = 0
    while (trial := study.next_trial()) is not None:
        assert trial.parent_id not in gone
        study.end(ended(trial, value))
        kept.add(trial.trial_id)
        gone.update(study.disposable())
        most = max(most, len(kept - gone))
    assert len(kept) == 260
    # Of the best 50 of a rung some are promoted.
    assert 30 <= most < 110


def test_it_ends_by_itself_once_nothing_is_to_be_gained() -> None:
    limited = replace(search(max_total_epochs=27 * 30), min_expected_gain=0.02)
    study = make_study(HILL, search=limited)
    trials = drive(study, hill)
    assert n_epochs(trials) < 27 * 20
    assert max(map(hill, trials)) > 0.96
    assert study.ending == "no new setting was expected to gain 0.02, the best 0.017"
    # A restart is where it was.
    state = json.loads(json.dumps(study.state()))
    method = ModelHyperband(setup_of(limited, HILL))
    method.restore([], [state["method"]])
    assert method.ending == study.ending
    assert state["is_exhausted"]


def test_it_ends_also_where_the_best_of_the_space_is_refused() -> None:
    study = make_study(
        HILL,
        search=replace(search(max_total_epochs=27 * 30), min_expected_gain=0.02),
        problem=lambda values: "too large" if values["x"] > 0.3 else None,
    )
    assert n_epochs(drive(study, hill)) < 27 * 25
    assert study.ending.startswith("no new setting was expected to gain 0.02, the best 0.0")


def test_it_does_not_end_by_itself_while_all_scores_are_the_same() -> None:
    limited = replace(search(9), min_expected_gain=0.001)
    study = make_study(HILL, search=limited)
    trials = drive(study, lambda trial: 0.5)
    assert study.ending == ""
    assert n_epochs(trials) > total(limited)[1] - 9


def test_trainings_of_one_epoch_at_most_are_whole() -> None:
    study = make_study(HILL, search=search(1, max_trials=60))
    drive(study, hill)
    proposals = CurveModel(setup_of(search(1), HILL)).proposals(study.board)
    assert proposals is not None
    assert max(gain for gain, _ in proposals) < 0.001
    assert [time_of(epoch, 27) for epoch in (1, 9, 27)] == pytest.approx([0, 2 / 3, 1])


def test_its_words_say_when_it_ends() -> None:
    words = ModelHyperband.words(replace(search(), min_expected_gain=0.001))
    assert words == (
        "model-based Hyperband, 27 epochs at most, factor 3, as long as it expects to gain 0.001"
    )


def test_half_ranked_scores_are_finite_and_in_order_and_equal_ones_are_one() -> None:
    goodness = np.array([0.1, 0.1, 0.1, 0.5, 0.6, -1e30])
    values = half_ranked(goodness)
    assert np.isfinite(values).all()
    assert (np.argsort(values[2:]) == [3, 0, 1, 2]).all()
    assert values[0] == values[1] == values[2]
    assert half_ranked(np.full(4, 0.3)).tolist() == [0.0] * 4
    # The best is 0.5 above the median: nothing counts as more than 0.5 below it.
    assert cut_off(goodness).min() == pytest.approx(0.1 - 0.5)


def test_the_best_and_some_of_all_others_are_kept_where_there_are_too_many() -> None:
    values = np.random.default_rng(0).permutation(1000).astype(float)
    chosen = spread_out(values, 100)
    assert len(chosen) == len(set(chosen)) == 100
    assert (np.diff(chosen) > 0).all()
    assert set(np.argsort(-values)[:50]) <= set(chosen)
    assert values[chosen].min() == 0
    assert spread_out(values[:7], 100).tolist() == list(range(7))


def test_the_kernel_is_fitted_again_after_a_fifth_more_scores() -> None:
    sizes = sorted({n_of_fit(n) for n in range(1, 200)})
    assert all(n_of_fit(n) <= n for n in range(1, 200))
    assert sizes[8:12] == [9, 11, 13, 16]
    assert len([size for size in sizes if size > 20]) < 15


def test_expected_improvement_is_the_mean_of_what_is_above_the_best() -> None:
    rng = np.random.default_rng(0)
    mean, deviation = np.array([0.0, 1.0, -2.0]), np.array([1.0, 0.1, 0.5])
    drawn = mean + deviation * rng.standard_normal((1_000_000, 3))
    expected = np.maximum(drawn - 0.5, 0).mean(axis=0)
    assert expected_improvement(mean, deviation, 0.5) == pytest.approx(expected, abs=2e-3)


def test_what_runs_is_not_proposed_once_more_nearby() -> None:
    study = make_study(HILL, search=search(), n_workers=16)
    started(study, 60, hill)
    side_by_side = [study.next_trial() for _ in range(16)]
    cube = UnitCube(HILL)
    places = [cube.places(t.values) for t in side_by_side if t and t.parent_id is None]
    assert len(places) >= 8
    off = [np.linalg.norm(a - b) for a in places for b in places if a is not b]
    assert min(off) > 0.03


def test_without_a_single_score_nothing_is_expected() -> None:
    model = CurveModel(setup_of(search(), HILL))
    assert model.proposals(Board(ACCURACY)) is None
