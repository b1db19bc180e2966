"""Draws from priors: usual values first, shares that follow the results, the same after a cut."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.search.fakes import ACCURACY, drive, ended, make_study, settings, setup_of
from tests.search.test_proposals import NESTED
from tests.search.test_restore import log_of
from tuner.records.trial import Trial
from tuner.search.board import Board
from tuner.search.methods import guided as guided_module
from tuner.search.methods.guided import (
    Shares,
    belief,
    best_trials,
    guided,
    is_early,
    is_usual,
    level,
    likelihood,
    near,
    shares,
)
from tuner.search.methods.method import Step
from tuner.search.study import Study
from tuner.space.definition import Condition, Parameter, Prior, Space
from tuner.space.priors import favouring, usual_density
from tuner.space.sampling import has_setting, sample

OPTIMIZERS = ("adam", "adamw", "sgd")


def rate(low: float, high: float, optimizer: str, place: int, value: float) -> Parameter:
    return Parameter(
        name="rate", kind="float", low=low, high=high, log=True, place=place,
        conditions=(Condition(parent="optimizer", values=(optimizer,)),), prior=Prior(value=value),
    )  # fmt: skip


USUAL = Space(
    parameters=(
        Parameter(
            name="optimizer", kind="choice", choices=OPTIMIZERS,
            prior=favouring(OPTIMIZERS, "adamw"),
        ),
        rate(1e-4, 1e-2, "adamw", 0, 1e-3),
        rate(1e-3, 1e-1, "sgd", 1, 1e-2),
        Parameter(
            name="momentum", kind="float", low=0.8, high=0.99,
            conditions=(Condition(parent="optimizer", values=("sgd",)),),
        ),
        Parameter(name="units", kind="ordinal", choices=(16, 32, 64), prior=Prior(value=64)),
        Parameter(name="norm", kind="boolean", choices=(False, True)),
    ),
    fixed={"batch_size": 32},
)  # fmt: skip
# One hyperparameter whose best value is 1, and what is said to be usual.
HILL = Parameter(name="x", kind="float", low=0.0, high=1.0)


def hill(value: float, spread: float = 0.25) -> Space:
    return Space(parameters=(replace(HILL, prior=Prior(value=value, spread=spread)),), fixed={})


def step(last_epoch: int = 1) -> Step:
    return Step(bracket=0, rung=0, first_epoch=1, last_epoch=last_epoch)


def board_of(space: Space, *trials: tuple[float, int]) -> Board:
    """Ended settings of one parameter x, each (x, last epoch); the greater x, the better."""
    board = Board(ACCURACY)
    for number, (x, last_epoch) in enumerate(trials):
        trial = Trial(
            trial_id=f"{number:04d}", values={"x": x}, bracket=0, rung=0, parent_id=None,
            first_epoch=1, last_epoch=last_epoch,
        )  # fmt: skip
        board.start(trial)
        board.end(replace(trial, score=x))
    return board


@pytest.mark.parametrize("method", ["hyperband", "asha", "random"])
def test_without_priors_settings_are_drawn_as_ever(method: str) -> None:
    plain = Space(parameters=NESTED.parameters, fixed=NESTED.fixed)
    trials = drive(
        make_study(plain, search=settings(3, 3, method=method), seed=5), lambda trial: 0.0
    )
    new = [trial.values for trial in trials if trial.parent_id is None]
    rng, expected = np.random.default_rng(5), list[dict[str, Any]]()
    while len(expected) < min(4, len(new)):
        values = sample(plain, rng)
        if values not in expected:
            expected.append(values)
    assert new[: len(expected)] == expected


@pytest.mark.parametrize("method", ["hyperband", "asha", "random", "bayesian"])
def test_the_first_setting_is_what_is_usual(method: str) -> None:
    study = make_study(USUAL, search=settings(9, 3, method=method), seed=2)
    first = study.next_trial()
    assert first is not None
    assert {k: v for k, v in first.values.items() if k != "norm"} == {
        "batch_size": 32, "optimizer": "adamw", "rate": 1e-3, "units": 64,
    }  # fmt: skip
    second = study.next_trial()
    assert second is not None
    assert not is_usual(USUAL, second.values)


def test_a_usual_setting_that_cannot_be_built_is_passed_over() -> None:
    study = make_study(hill(0.5), problem=lambda v: "no" if v["x"] == 0.5 else None)
    first = study.next_trial()
    assert first is not None
    assert first.values["x"] != 0.5
    assert study.rejected == ("no",)


def draws_of(space: Space, share: Shares, n: int = 400, best: Any = None) -> list[dict[str, Any]]:
    """Settings drawn with given shares, near `best`."""
    setup, board = setup_of(settings(27, 3), space), Board(ACCURACY)
    found: Callable[[], dict[str, Any]]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(guided_module, "shares", lambda *_, **__: share)
        patched.setattr(
            guided_module, "best_trials", lambda *_: [] if best is None else [Best(best)]
        )
        found = guided(setup, board, step())
    return [found() for _ in range(n)]


class Best:
    """Stands for a trial with these values."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values


def test_each_sampler_gives_settings_of_the_space_and_its_own_distribution() -> None:
    even = draws_of(USUAL, Shares(even=1.0, prior=0.0, incumbent=0.0))
    prior = draws_of(USUAL, Shares(even=0.0, prior=1.0, incumbent=0.0))
    origin = {"batch_size": 32, "optimizer": "sgd", "rate": 0.05, "momentum": 0.9, "units": 16}
    origin["norm"] = True
    incumbent = draws_of(USUAL, Shares(even=0.0, prior=0.0, incumbent=1.0), best=origin)
    assert all(has_setting(USUAL, values) for values in (*even, *prior, *incumbent))

    def n(settings: list[dict[str, Any]], name: str, value: Any) -> float:
        return sum(values.get(name) == value for values in settings) / len(settings)

    assert n(even, "optimizer", "adamw") == pytest.approx(1 / 3, abs=0.08)
    assert n(prior, "optimizer", "adamw") == pytest.approx(2 / 3, abs=0.08)
    assert n(incumbent, "optimizer", "sgd") == pytest.approx(2 / 3, abs=0.08)
    assert n(incumbent, "units", 16) > 0.6
    # What has no prior is even, but near the best setting.
    assert n(prior, "norm", True) == pytest.approx(0.5, abs=0.08)
    assert n(incumbent, "norm", True) == pytest.approx(0.75, abs=0.08)


def test_near_a_setting_what_a_changed_parent_switches_on_comes_from_its_prior() -> None:
    rng = np.random.default_rng(0)
    origin = {"batch_size": 32, "optimizer": "sgd", "rate": 0.1, "momentum": 0.9, "units": 16}
    origin["norm"] = True
    found = [near(USUAL, origin, rng) for _ in range(600)]
    kept = [v["rate"] for v in found if v["optimizer"] == "sgd"]
    other = [v["rate"] for v in found if v["optimizer"] == "adamw"]
    assert sum(r == 0.1 for r in kept) > len(kept) * 0.4
    assert np.median(np.log10(other)) == pytest.approx(-3, abs=0.15)
    assert not any("rate" in v for v in found if v["optimizer"] == "adam")


def test_even_draws_lose_as_much_as_trainings_are_longer() -> None:
    assert [shares(USUAL, trust, []).even for trust in (1, 3, 27)] == [1 / 2, 1 / 4, 1 / 28]
    setup = setup_of(settings(27, 3), hill(0.5))
    board = board_of(hill(0.5), (0.1, 1), (0.2, 1))
    assert [level(setup, board, step(last)) for last in (1, 3, 9, 27)] == [0, 1, 2, 3]
    # Of one rung only, such as in a random search, all trainings are as long.
    assert level(setup, Board(ACCURACY), step(27)) == 0


def test_there_is_no_setting_to_stay_near_before_a_bracket_is_through() -> None:
    setup = setup_of(settings(9, 3), hill(0.5))
    early = board_of(hill(0.5), *((x / 10, 1) for x in range(9)))
    assert is_early(setup, early)
    assert [trial.values["x"] for trial in best_trials(setup, early)] == [0.8, 0.7, 0.6]
    assert best_trials(setup, board_of(hill(0.5), *((x / 10, 1) for x in range(8)))) == []
    late = board_of(
        hill(0.5), *((x / 10, 1) for x in range(9)), (0.1, 9), (0.4, 9), (0.3, 9), (0.2, 9)
    )
    assert not is_early(setup, late)
    # The deepest rung counts, though scores of a shorter one are better.
    assert [trial.values["x"] for trial in best_trials(setup, late)] == [0.4, 0.3]


def test_likelihood_is_relative_to_even_draws_and_the_best_counts_most() -> None:
    space, low, high = hill(1.0), {"x": 0.05}, {"x": 0.99}

    def of_prior(*best: dict[str, Any]) -> float:
        return likelihood(space, best, lambda p, values: usual_density(p, values["x"]))

    assert of_prior(high, {"x": 0.9}) > 2
    assert of_prior(low, {"x": 0.1}) < 0.01
    # Of two, the better one has two thirds of the weight.
    assert of_prior(high, low) == pytest.approx(2 * of_prior(low, high), rel=0.01)
    # What has no prior says nothing.
    plain = Space(parameters=(HILL,), fixed={})
    assert likelihood(plain, [low], lambda p, values: 0.0) == 1


def test_the_shares_follow_the_evidence_and_even_draws_keep_theirs() -> None:
    good = shares(hill(1.0), 3, [{"x": 0.95}, {"x": 0.9}])
    bad = shares(hill(0.0), 3, [{"x": 0.95}, {"x": 0.9}])
    assert good.even == bad.even == 1 / 4
    assert good.prior > 0.3
    assert bad.prior < 0.01
    assert bad.incumbent > 0.7
    assert sum((good.even, good.prior, good.incumbent)) == pytest.approx(1)
    # Early, even draws get what a misleading prior loses, and a good one loses nothing.
    early = shares(hill(0.0), 1, [{"x": 0.95}, {"x": 0.9}], is_early=True)
    assert early.even > 0.95
    assert early.incumbent == 0
    assert shares(hill(1.0), 1, [{"x": 0.95}], is_early=True).even == 1 / 2


def test_belief_in_a_prior_follows_the_ranks_of_settings_trained_equally_long() -> None:
    places = [0.1, 0.3, 0.5, 0.7, 0.8, 0.95]

    def believed(usual: float, *trials: tuple[float, int]) -> float:
        space = hill(usual)
        return belief(setup_of(settings(27, 3), space), board_of(space, *trials))

    alike = [(x, 1) for x in places]
    assert believed(1.0, *alike) == 1.0
    assert believed(0.0, *alike) == 0.0
    # Five say nothing yet, and those of other lengths do not count.
    assert believed(0.0, *alike[:5], *((x, 3) for x in places[:5])) == 0.5
    # Without differences there is no rank.
    assert believed(0.0, *((0.4, 1) for _ in range(8))) == 0.5


def test_what_a_prior_is_not_believed_goes_to_even_draws() -> None:
    assert shares(USUAL, 1, [], belief=0.5).even == 2 / 3
    assert shares(USUAL, 9, [], belief=0.0).even == 1
    best = [{"x": 0.95}, {"x": 0.9}]
    half, whole = (shares(hill(1.0), 3, best, belief=b) for b in (0.5, 1.0))
    assert (half.even, whole.even) == (2 / 5, 1 / 4)
    assert half.prior < whole.prior
    assert half.incumbent / half.prior == pytest.approx(2 * whole.incumbent / whole.prior)
    early = [shares(hill(1.0), 1, best, is_early=True, belief=b).even for b in (0.5, 1.0)]
    assert early == [2 / 3, 1 / 2]


def test_a_misleading_prior_loses_its_draws_in_a_search() -> None:
    def n_near(value: float) -> tuple[int, int]:
        """New settings near what is usual, in the first and in the second half of a search."""
        study = make_study(hill(value, spread=0.1), search=settings(27, 3, iterations=3), seed=4)
        new = [t.values["x"] for t in drive(study) if t.parent_id is None]
        is_near = [abs(x - value) < 0.2 for x in new]
        half = len(new) // 2
        return sum(is_near[:half]), sum(is_near[half:])

    # The greater x, the better.
    misleading, good = n_near(0.1), n_near(0.95)
    assert misleading[1] < misleading[0]
    assert misleading[1] < good[1] / 3


SEARCHES = [("hyperband", 1), ("hyperband", 3), ("asha", 2), ("random", 2)]


def oracle_of(method: str) -> Study:
    def problem(values: Any) -> str | None:
        return "sgd is slow" if values.get("momentum", 0) > 0.97 else None

    return make_study(USUAL, search=settings(9, 3, method=method), seed=7, problem=problem)


@pytest.mark.parametrize(("method", "n_workers"), SEARCHES)
def test_the_rest_is_the_same_after_a_cut_anywhere(method: str, n_workers: int) -> None:
    whole, states = log_of(oracle_of(method), n_workers, [])
    for cut in range(0, len(whole) + 1, 3):
        past = whole[:cut]
        study = oracle_of(method)
        study.restore(past, states[: sum(event == "started" for event, _ in past)])
        rest, _ = log_of(study, n_workers, list(study.board.running.values()))
        assert json.dumps([e for e, _ in rest]) == json.dumps([e for e, _ in whole[cut:]])
        assert [t.values for e, t in rest if e == "started"] == [
            t.values for e, t in whole[cut:] if e == "started"
        ]


def test_every_setting_of_a_search_belongs_to_the_space() -> None:
    study = make_study(USUAL, search=settings(27, 3, iterations=2), seed=1)
    trials = []
    while (trial := study.next_trial()) is not None:
        trials.append(ended(trial, lambda t: float(t.values["units"]) + t.last_epoch))
        study.end(trials[-1])
    assert all(has_setting(USUAL, trial.values) for trial in trials)
